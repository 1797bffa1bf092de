"""Swapping rectifiers: whatever the user wrote, without changing it; and what cannot be swapped."""

from __future__ import annotations

import copy
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr
from xdsl.ir import Operation

import neurocuda as nc
from neurocuda.dialects.ann import ops as ann
from neurocuda.errors import InputError, ModelError, OptionError, UnsupportedModelError
from neurocuda.imported import ImportedModel
from neurocuda.ir.context import weights_of
from neurocuda.passes.ann._statistics import CLIP, IMAGES, LEVELS
from neurocuda.pipeline import STRUCTURE
from neurocuda.reference.interpreter import interpret
from neurocuda.training import StaircaseNetwork, with_staircases


class Rectified(nn.Module):
    """A rectifier between two layers."""

    def __init__(self, rectify: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 5), nn.Linear(5, 2)
        self.rectify = rectify

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        z = self.rectify(y)
        return self.last(z)


def statement(x: Tensor) -> Tensor:
    """A rectifier in place whose result is not used."""
    F.relu(x, inplace=True)
    return x


RECTIFIERS: list[Callable[[Tensor], Tensor]] = [
    nn.ReLU(),
    nn.ReLU(inplace=True),
    nn.ReLU6(),
    nn.Hardtanh(0, 2),
    F.relu,
    F.relu6,
    torch.relu,
    torch.relu_,
    statement,
    lambda x: x.relu(),
    lambda x: x.relu_(),
    lambda x: F.hardtanh(x, 0, 1, True),
    lambda x: F.hardtanh(x, min_val=0, max_val=2),
    lambda x: x.clamp(0, 1),
    lambda x: x.clamp(min=0),
    lambda x: x.clip(0.0, max=1.5),
    lambda x: torch.clamp(x, 0),
    lambda x: x.clamp_(0, 1),
    lambda x: x.clamp_min(0),
    lambda x: torch.clamp_min(x, 0.0),
]


@pytest.mark.parametrize("rectify", RECTIFIERS)
def test_every_spelling_of_a_rectifier_is_swapped(rectify: Callable[[Tensor], Tensor]) -> None:
    images = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))
    network = with_staircases(Rectified(rectify), images, timesteps=2)
    assert len(network.staircases) == 1
    module = nc.import_model(network, images)
    assert [op.name for op in module.module.walk()].count("ann.rounded_relu") == 1
    (found,) = interpret(module.module, weights_of(module.context), [images.numpy()])
    np.testing.assert_allclose(found, values(network(images)), rtol=1e-5, atol=1e-6)


def values(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()


def test_the_model_is_not_changed(model: nn.Module, images: Tensor) -> None:
    before = copy.deepcopy(model.state_dict())
    expected = model(images)
    with_staircases(model.train(), images)
    assert model.training
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    torch.testing.assert_close(model.eval()(images), expected, rtol=0, atol=0)


def test_with_many_levels_the_network_is_the_float_network(model: nn.Module, images: Tensor) -> None:
    network = with_staircases(model, images, timesteps=2**14)
    torch.testing.assert_close(network(images), model(images), rtol=1e-2, atol=1e-3)


def test_one_clip_range_per_channel_or_per_layer(model: nn.Module, images: Tensor) -> None:
    def sizes(network: StaircaseNetwork) -> list[int]:
        return [parameter.numel() for parameter in network.staircases.parameters()]

    assert sizes(with_staircases(model, images)) == [6, 6, 6]
    assert sizes(with_staircases(model, images, per_channel=False)) == [1, 1, 1]


def test_a_clamp_bounds_the_clip_range() -> None:
    network = with_staircases(Rectified(lambda x: x.clamp(0, 0.1)), torch.randn(64, 4), timesteps=1)
    (log_clip,) = network.staircases.parameters()
    assert bool((log_clip.exp() <= 0.1001).all())


def test_the_network_is_named_by_the_users_modules(model: nn.Module, images: Tensor) -> None:
    text = nc.import_model(with_staircases(model, images), images).ir()
    assert 'nc.origin = "network.act' in text


def quantised(network: StaircaseNetwork, images: Tensor, *further: str) -> ImportedModel:
    """The network with integer activations and float weights."""
    imported = nc.import_model(network, images)
    weights = weights_of(imported.context)
    imported.module.attributes[IMAGES] = ArrayAttr([weights.add(images.numpy(), "calibration")])
    return imported.apply(",".join([*STRUCTURE, "calibrate", "balance-thresholds", *further]))


@pytest.mark.parametrize("per_channel", [True, False])
def test_clip_ranges_and_levels_arrive_as_they_are(model: nn.Module, images: Tensor, per_channel: bool) -> None:
    network = with_staircases(model, images, timesteps=3, per_channel=per_channel)
    module = quantised(network, images)
    neurons = [op for op in module.module.walk() if isinstance(op, ann.NeuronOp)]
    for op, log_clip in zip(neurons, network.staircases.parameters(), strict=True):
        np.testing.assert_array_equal(clip_of(op, module), values(log_clip.exp()))
        levels = op.attributes[LEVELS]
        assert isinstance(levels, IntegerAttr)
        assert levels.value.data == 3


def clip_of(op: Operation, module: ImportedModel) -> np.ndarray:
    return weights_of(module.context).array(op.attributes[CLIP])  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("timesteps", [1, 2, 5])
def test_integer_activations_are_the_staircases(
    model: nn.Module, images: Tensor, timesteps: int, per_channel: bool
) -> None:
    """Before weights are rounded, the network of counts gives what the torch module gives, on pixels."""
    pixels = (images * 20).round().clamp(-128, 127) / 20
    network = with_staircases(model, pixels, timesteps=timesteps, per_channel=per_channel)
    module = quantised(network, pixels, "quantize-activations")
    (found,) = interpret(module.module, weights_of(module.context), [pixels.numpy()])
    np.testing.assert_allclose(found, values(network(pixels)), rtol=1e-4, atol=1e-5)


def test_it_compiles_and_its_spikes_are_the_counts(model: nn.Module, images: Tensor) -> None:
    network = with_staircases(model, images, timesteps=3)
    compiled = nc.compile(network, target="cpu", calibration=images, validate=True)
    assert compiled.validate(images).mismatches == 0
    assert {layer.levels for layer in compiled.layers} == {3}


def test_it_can_be_saved_and_loaded_as_a_program(model: nn.Module, images: Tensor, tmp_path: Path) -> None:
    network = with_staircases(model, images)
    path = tmp_path / "tuned.pt2"
    torch.export.save(torch.export.export(network, (images[:2],)), path)
    # In a process that has not prepared any network itself.
    code = "import sys, neurocuda as nc; print(nc.import_model(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert "ann.rounded_relu" in done.stdout


def test_its_state_can_be_saved_and_loaded(model: nn.Module, images: Tensor) -> None:
    network = with_staircases(model, images)
    stream = io.BytesIO()
    torch.save(network.state_dict(), stream)
    other = with_staircases(model, images * 2)
    other.load_state_dict(torch.load(io.BytesIO(stream.getvalue()), weights_only=True))
    torch.testing.assert_close(other(images), network(images), rtol=0, atol=0)


# Weights on the compiler's grid


class Plain(nn.Module):
    """No residual sum: every neuron layer has one synapse."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.second = nn.Conv2d(6, 8, 3, groups=2, bias=False)
        self.last = nn.Linear(8 * 4, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.max_pool2d(F.relu(self.norm(self.first(x))), 2)
        y = F.pad(y, (1, 1, 1, 1))
        return self.last(F.relu(self.second(y)).flatten(1))


@pytest.mark.parametrize("bits", [8, 4])
def test_rounded_weights_are_the_integers_of_the_compiler(bits: int) -> None:
    """Compiling rounds what is rounded already: each effective weight stays within float precision."""
    torch.default_generator.manual_seed(0)
    images = torch.randint(0, 256, (64, 1, 6, 6)) / 255
    network = with_staircases(Plain().eval(), images, weight_bits=bits)
    floats = quantised(network, images, "quantize-activations")
    integers = floats.apply("quantize-weights", weight_bits=bits)
    weights = weights_of(floats.context)
    before = [weights.array(op.weight) for op in floats.module.walk() if isinstance(op, ann.Conv2dOp | ann.LinearOp)]
    after = [weights.array(op.weight) for op in integers.module.walk() if isinstance(op, ann.Conv2dOp | ann.LinearOp)]
    assert len(before) == len(after) == 3
    for weight, whole in zip(before, after, strict=True):
        rows, whole_rows = weight.reshape(len(weight), -1), whole.reshape(len(whole), -1)
        unit = np.abs(rows).max(1, keepdims=True) / (2 ** (bits - 1) - 1)
        np.testing.assert_allclose(rows / unit, whole_rows, atol=2e-2)


# What is refused


def test_what_cannot_be_converted_is_listed(images: Tensor) -> None:
    layers = (nn.Conv2d(2, 3, 3), nn.LogSoftmax(1), nn.Conv2d(3, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    with pytest.raises(UnsupportedModelError, match=r"`ann.log_softmax` \(network.1.*"):
        with_staircases(nn.Sequential(*layers), images)


def test_a_rectifier_that_is_no_call_of_torch_is_listed() -> None:
    zero = torch.zeros(())

    def rectify(x: Tensor) -> Tensor:
        return F.relu(torch.clamp(x, zero, torch.tensor(2.0)))

    with pytest.raises(UnsupportedModelError, match=r"it was not swapped\. Call it as F\.relu"):
        with_staircases(Rectified(rectify), torch.randn(16, 4))


def test_a_model_without_rectifiers_is_refused() -> None:
    with pytest.raises(ModelError, match="calls no rectifier"):
        with_staircases(nn.Linear(4, 2), torch.randn(8, 4))


class Fickle(nn.Module):
    """Calls another number of rectifiers in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first(x))
        return self.last(F.relu(self.first(y)) if self.training else y)


def test_another_number_of_rectifiers_is_refused() -> None:
    network = with_staircases(Fickle().eval(), torch.randn(8, 4))
    with pytest.raises(ModelError, match="calls 2 rectifiers and called 1 when it was prepared"):
        network.train()(torch.randn(8, 4))


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (torch.full((4, 2, 6, 6), torch.nan), "NaN or infinite"),
        (torch.randn(4, 2, 7, 7), "expected images of shape|does not run"),
        (torch.zeros(0, 2, 6, 6), "there are no images"),
        (torch.zeros(4, 2, 6, 6, dtype=torch.uint8), "is uint8: expected float32"),
    ],
)
def test_bad_calibration_images_are_refused(model: nn.Module, calibration: Tensor, message: str) -> None:
    model = nn.Sequential(model.first, nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 2)).eval()  # pyright: ignore
    with pytest.raises(InputError, match=message):
        with_staircases(model, calibration)


def test_constant_images_give_clip_ranges_all_the_same(model: nn.Module) -> None:
    network = with_staircases(model, torch.zeros(4, 2, 6, 6))
    assert all(bool(torch.isfinite(parameter).all()) for parameter in network.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [({"timesteps": 0}, "timesteps must be 1"), ({"weight_bits": 1}, "weight_bits must be 2")],
)
def test_options_out_of_range_are_refused(model: nn.Module, options: dict[str, int], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        with_staircases(model, torch.zeros(4, 2, 6, 6), **options)  # pyright: ignore[reportArgumentType]
