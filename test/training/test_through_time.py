"""The network through time: the spikes of the free-running network that the compiler makes, with gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.compiled import Compiled
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.semantics import Clock
from neurocuda.reference.interpreter import interpret
from neurocuda.reference.meaning import Array
from neurocuda.training import FineTuning, StaircaseNetwork, fine_tune, with_staircases
from neurocuda.training.interception import Interception
from neurocuda.training.spiking import SpikingSteps, fired

STEPS = 4
FREE = nc.Conversion(code="free", timesteps=STEPS)


class Whole(nn.Module):
    """Integers throughout, with the largest weight of every row 127, so that compiling rounds nothing."""

    def __init__(self) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(0)
        self.first, self.second, self.last = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 3, 1, bias=False), nn.Linear(12, 2)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randint(-126, 127, parameter.shape, generator=random))
            for layer in (self.first, self.second, self.last):
                layer.weight.view(len(layer.weight), -1)[:, 0] = 127

    def forward(self, x: Tensor) -> Tensor:
        y = F.max_pool2d(F.relu(self.first(x)), 2)
        return self.last(F.relu(self.second(y)).flatten(1))


@pytest.fixture
def whole() -> StaircaseNetwork:
    """Thresholds are whole multiples of what one unit of charge stands for: of 1, then of a count's share."""
    images = torch.randint(0, 256, (64, 1, 6, 6), generator=torch.Generator().manual_seed(2)).float()
    network = with_staircases(Whole().eval(), images, timesteps=STEPS, per_channel=False)
    with torch.no_grad():
        network.staircases[0].log_clip.copy_(torch.tensor([STEPS * 20_011.0]).log())  # pyright: ignore
        unit = float(network.staircases[0].log_clip.exp()) / STEPS  # pyright: ignore
        network.staircases[1].log_clip.copy_(torch.tensor([STEPS * 301 * unit]).log())  # pyright: ignore
    return network


def spikes_of(compiled: Compiled, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> list[list[Array]]:
    """Of every step, of every layer, under the reference interpreter, whose observers see sums over time only."""
    steps: list[list[Array]] = []
    tick = Clock.tick

    def watched(clock: Clock) -> None:
        tick(clock)
        layers = [op for op in clock.block.ops if isinstance(op, snn.IntegrateAndFireOp)]
        signals = [clock.values[op.result] for op in layers]
        steps.append([signal for signal in signals if signal is not None])

    with monkeypatch.context() as patch:
        patch.setattr(Clock, "tick", watched)
        interpret(compiled.level("snn-integer"), compiled.weights, [images.numpy()])
    return steps


def test_the_spikes_are_those_of_the_interpreter(whole: StaircaseNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randint(0, 256, (32, 1, 6, 6), generator=torch.Generator().manual_seed(3)).float()
    compiled = nc.compile(whole, target="cpu", calibration=images, conversion=FREE)
    expected = spikes_of(compiled, images, monkeypatch)
    assert len(expected) == STEPS
    run = SpikingSteps(list(whole.staircases), None)  # pyright: ignore[reportArgumentType]
    different, compared = 0, 0
    for step in expected:
        run.begin_step()
        with torch.no_grad(), run:
            whole.network(images)
        for found, wanted in zip(run.spikes, step, strict=True):
            different += int((found.numpy() != wanted).sum())
            compared += wanted.size
    assert 0.05 < sum(float(layer.mean()) for step in expected for layer in step) / (2 * STEPS) < 0.95
    assert different <= compared // 1000, f"{different} of {compared} spikes differ"
    outputs = compiled.run(images).outputs
    assert isinstance(outputs, np.ndarray)
    with torch.no_grad():
        through_time = whole.through_time(images).numpy()
    same = np.isclose(outputs, through_time, rtol=1e-3).all(axis=1)
    assert same.mean() >= 0.95


def test_one_step_is_the_staircase(model: nn.Module, images: Tensor) -> None:
    network = with_staircases(model, images, timesteps=1)
    torch.testing.assert_close(network.through_time(images), network(images), rtol=1e-4, atol=1e-5)


def test_gradients_reach_every_parameter(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    network = with_staircases(model, images, timesteps=3)
    F.cross_entropy(network.through_time(images), labels).backward()  # pyright: ignore[reportUnknownMemberType]
    without = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not without
    assert all(float(layer.abs().sum()) > 0 for layer in gradients(network))


def gradients(network: nn.Module) -> list[Tensor]:
    return [parameter.grad for parameter in network.parameters() if parameter.grad is not None]


def test_training_through_time_helps_the_free_running_network(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    network = with_staircases(model, images, timesteps=STEPS)
    batches = list(zip(images.chunk(3), labels.chunk(3), strict=True))
    tuned = fine_tune(network, batches, FineTuning(epochs=40, learning_rate=0.1, through_time=True))
    norms = [network.state_dict(), tuned.state_dict()]
    torch.testing.assert_close(*(state["network.norm.running_mean"] for state in norms), rtol=0, atol=0)
    before, after = (
        nc.compile(each, target="cpu", calibration=images, conversion=FREE).evaluate(images, labels).accuracy
        for each in (network, tuned)
    )
    assert after.value >= max(0.75, before.value)


def test_the_surrogate_is_an_arctangent() -> None:
    x = torch.tensor([-1.0, -0.0, 0.0, 0.5], requires_grad=True)
    spikes = fired(x)
    torch.testing.assert_close(spikes, torch.tensor([0.0, 1.0, 1.0, 1.0]))
    spikes.sum().backward()  # pyright: ignore[reportUnknownMemberType]
    assert x.grad is not None
    torch.testing.assert_close(x.grad, 1 / (1 + (torch.pi * x.detach()) ** 2))


def test_interceptions_need_an_activation() -> None:
    with pytest.raises(TypeError):
        Interception()  # pyright: ignore[reportAbstractUsage]
