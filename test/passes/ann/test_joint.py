"""All layers together: the network that gradients see is the network, and tuning brings it nearer to the float one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import neurocuda as nc
from neurocuda.dialects.ann import ops as ann
from neurocuda.errors import NeuroCudaWarning
from neurocuda.ir.constraints import Constraints, set_constraints
from neurocuda.passes.ann.calibration import joint
from neurocuda.passes.ann.calibration.differentiable import Network, Rounding
from neurocuda.reference.interpreter import main_function
from neurocuda.reference.scales import scales_of
from neurocuda.testing import RandomNetwork, random_network

BALANCE = ("calibrate", "balance-thresholds{timesteps=7}")
QUANTISE = ("quantize-activations{timesteps=7}", "quantize-weights")
WALK = 'calibrate-layers{timesteps=7 steps="bias","threshold"}'
JOINT = 'calibrate-layers{timesteps=7 steps="bias","threshold","joint"}'


def layers_of(network: RandomNetwork) -> list[NDArray[np.float64]]:
    """What the interpreter sees the neuron layers say."""
    scales = scales_of(network.module, network.weights)
    seen: list[NDArray[np.float64]] = []
    network.interpret(
        network.images,
        lambda op, values: (
            seen.append(values * scales.get(op.results[0], np.ones(1)))
            if isinstance(op, ann.NeuronOp | ann.StaircaseOp)
            else None
        ),
    )
    return seen


def said(network: RandomNetwork, rounding: Rounding | None) -> list[NDArray[np.float32]]:
    """What gradient descent sees them say."""
    block = main_function(network.module).body.block
    found = Network(block, network.weights, 7).said([network.images], rounding)
    neurons = [op for op in block.ops if isinstance(op, ann.NeuronOp)]
    return [tensor.detach().numpy() for tensor in found][: len(neurons)]


@pytest.mark.parametrize("seed", range(16))
def test_without_rounding_it_is_the_float_network(seed: int) -> None:
    network = random_network(seed, images=8)
    network.apply(*BALANCE)
    for found, expected in zip(said(network, None), layers_of(network), strict=False):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max(initial=1e-6))


@pytest.mark.parametrize("seed", range(16))
def test_with_rounding_it_is_the_quantised_network(seed: int) -> None:
    network = random_network(seed, images=8, mixed_levels=seed % 2 == 0)
    network.apply(*BALANCE)
    found = said(network, Rounding(torch.Generator(), 0.0))
    network.apply(*QUANTISE)
    for one, other in zip(found[:1], layers_of(network)[:1], strict=True):  # further layers differ by whole counts
        assert np.mean(np.abs(one - other) > 0.02 * np.abs(other).max(initial=1e-6)) < 0.1


def test_tuned_networks_are_nearer_to_the_float_one_on_other_images() -> None:
    gains: list[float] = []
    for seed in range(8):
        errors: list[float] = []
        for calibrate in (WALK, JOINT):
            network = random_network(seed, images=128)
            expected = network.interpret(network.images)[0]
            network.images = network.images[:64]
            network.apply(*BALANCE, calibrate, *QUANTISE)
            others = random_network(seed, images=128).images[64:]
            errors.append(float(np.square(network.interpret(others)[0] - expected[64:]).mean()))
        gains.append(np.log(errors[0] / errors[1]))
    assert np.median(gains) > 0


@pytest.mark.parametrize(
    ("options", "granularity"), [("weight-bits=4", "channel"), ("", "layer"), ('code="free"', "channel")]
)
def test_what_rounding_would_undo_is_not_tuned(options: str, granularity: str) -> None:
    network = random_network(1, images=32)
    set_constraints(network.module, Constraints(threshold_granularity=granularity))
    network.apply(*BALANCE)
    with pytest.warns(NeuroCudaWarning, match="weights of at least 8 bits, thresholds per channel and an exact code"):
        network.apply(JOINT.replace("}", f" {options}}}"))


def test_large_networks_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint, "MOST_PRODUCTS", 1.0)
    network = random_network(1, images=32)
    network.apply(*BALANCE)
    with pytest.warns(NeuroCudaWarning, match="too large to tune its layers together"):
        network.apply(JOINT)


class Gated(torch.nn.Module):
    """Its product of activations has no gradient here."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other, self.last = (torch.nn.Linear(6, 6) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.one(x)) * torch.relu(self.other(x)))


def test_what_has_no_gradient_is_named() -> None:
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    conversion = nc.Conversion(calibration="joint")
    with pytest.warns(NeuroCudaWarning, match="has no gradient here: layers stay"):
        nc.compile(Gated().eval(), target="cpu", calibration=torch.randn(32, 6), conversion=conversion)


def test_what_comes_before_and_behind_the_layers_does_not_matter() -> None:
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    layers = (torch.nn.Linear(6, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4), torch.nn.Softmax(dim=1))
    model, images = torch.nn.Sequential(*layers).eval(), torch.randn(128, 6)
    walked, tuned = (
        nc.compile(model, target="cpu", calibration=images, conversion=nc.Conversion(calibration=name, timesteps=3))
        for name in ("advanced", "joint")
    )
    assert not np.array_equal(walked.run(images).outputs, tuned.run(images).outputs)


def test_a_network_without_layers_has_nothing_to_tune() -> None:
    conversion = nc.Conversion(calibration="joint")
    images = torch.rand(32, 1, 4, 4)
    compiled = nc.compile(torch.nn.Flatten().eval(), target="cpu", calibration=images, conversion=conversion)
    np.testing.assert_allclose(compiled.run(images).outputs, images.flatten(1).numpy(), atol=0.05)
