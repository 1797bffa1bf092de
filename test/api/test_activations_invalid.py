"""Networks and images that layers of signed numbers could stumble over: right results or clear errors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.compiled import Compiled

Floats = NDArray[np.float32]
SHAPE = (4, 6)
QUICK = nc.Conversion(timesteps=127, calibration="mse")
IMAGES = np.random.default_rng(0).standard_normal((32, *SHAPE)).astype(np.float32)


class Block(nn.Module):
    """A transformer block for sequences of four tokens with six features, and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        torch.default_generator.manual_seed(0)
        self.embed, self.norm, self.qkv = nn.Linear(6, 6), nn.LayerNorm(6), nn.Linear(6, 18)
        self.wide, self.narrow, self.last = nn.Linear(6, 12), nn.Linear(12, 6), nn.Linear(24, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        x = x + F.scaled_dot_product_attention(*self.qkv(self.norm(x)).chunk(3, -1))
        return self.last((x + self.narrow(F.gelu(self.wide(x)))).flatten(1))


class Norm(nn.Module):
    """A layer norm of what a linear layer says."""

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        torch.default_generator.manual_seed(0)
        self.first, self.norm, self.last = nn.Linear(24, 6), nn.LayerNorm(6, eps=epsilon), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.norm(self.first(x.flatten(1))))


@pytest.fixture
def block() -> Block:
    return Block().eval()


def compiled(model: nn.Module, images: Floats = IMAGES, conversion: nc.Conversion = QUICK) -> Compiled:
    """For the CPU, with all counts compared on the calibration images."""
    result = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    assert result.validate(IMAGES).mismatches == 0
    return result


def error(model: nn.Module, network: Compiled) -> float:
    """The root mean square by which outputs differ from the float network's, over that of the outputs."""
    with torch.no_grad():
        expected = model(torch.tensor(IMAGES)).numpy()
    found = network.run(IMAGES).outputs
    assert isinstance(found, np.ndarray)
    return float(np.square(found - expected).mean() / np.square(expected).mean()) ** 0.5


def zeroed(layer: nn.Linear) -> None:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


@pytest.mark.parametrize(
    ("parameter", "value"), [("qkv.weight", "nan"), ("norm.weight", "nan"), ("norm.bias", "inf"), ("wide.bias", "nan")]
)
def test_weights_that_are_no_numbers_are_told_by_name(block: Block, parameter: str, value: str) -> None:
    block.get_parameter(parameter).data.view(-1)[0] = float(value)
    with pytest.raises(nc.ModelError, match=f"holds NaN or infinity: '{parameter}'"):
        compiled(block)


def test_one_level_says_little_and_the_same_everywhere(block: Block) -> None:
    one = nc.Conversion(timesteps=1)
    assert error(block, compiled(block, conversion=one)) < 0.8


@pytest.mark.parametrize("dead", ["qkv", "wide", "embed"])
def test_dead_layers_in_front_of_a_table_are_said_exactly(block: Block, dead: str) -> None:
    zeroed(block.get_submodule(dead))  # pyright: ignore[reportArgumentType]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nc.NeuroCudaWarning)
        assert error(block, compiled(block)) < 0.02


def test_a_dead_layer_norm_says_its_shift() -> None:
    model = Norm(1e-5).eval()
    zeroed(model.first)
    nn.init.normal_(model.norm.bias)
    with pytest.warns(nc.NeuroCudaWarning, match="nothing ever happens in norm"):
        network = compiled(model)
    assert error(model, network) < 0.02


def test_signed_layers_that_never_change_are_told(block: Block) -> None:
    zeroed(block.qkv)
    zeroed(block.narrow)
    with pytest.warns(nc.NeuroCudaWarning, match=r"nothing ever happens in qkv, test_activations_invalid.py:\d+"):
        compiled(block)


def test_one_calibration_image_is_told_to_be_too_few(block: Block) -> None:
    with pytest.warns(nc.NeuroCudaWarning, match="1 different calibration image says too little"):
        network = compiled(block, IMAGES[:1], nc.Conversion(timesteps=127))
    assert error(block, network) < 0.8


def test_constant_images_are_told(block: Block) -> None:
    constant = np.full((16, *SHAPE), 0.5, np.float32)
    with pytest.warns(nc.NeuroCudaWarning, match="nothing ever happens in x"):
        compiled(block, constant)


def test_without_images_the_layers_that_need_them_are_named(block: Block) -> None:
    told = r"batch norms do not tell what layers say in embed, .*; norm, .*; qkv, "
    with pytest.warns(nc.NeuroCudaWarning, match="no calibration images"), pytest.raises(nc.InputError, match=told):
        nc.compile(block, target="cpu", input_shape=SHAPE)


def test_a_norm_without_epsilon_divides_constants_by_nothing() -> None:
    model = Norm(0.0).eval()
    zeroed(model.first)
    with pytest.raises(nc.ModelError, match=r"`ann.layer_norm` \(norm, .*\) gives NaN"):
        compiled(model)


def test_a_norm_without_epsilon_is_as_near_as_any() -> None:
    model = Norm(0.0).eval()
    assert error(model, compiled(model)) < 0.05


def test_a_norm_without_epsilon_says_its_shift_where_the_float_network_says_nothing() -> None:
    model = Norm(0.0).eval()
    nn.init.zeros_(model.first.bias)
    found = compiled(model).run(np.zeros((1, *SHAPE), np.float32)).outputs
    with torch.no_grad():
        shift = model.last(model.norm.bias).numpy()
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found[0], shift, atol=0.05)


def test_a_norm_of_tiny_charges_is_refused(block: Block) -> None:
    for parameter in block.embed.parameters():
        parameter.data.mul_(1e-9)
    with pytest.raises(nc.LevelError, match=r"`ann.integer_layer_norm` \(norm, .*its charges are small beside its eps"):
        compiled(block)


@pytest.mark.parametrize("factor", [1e6, 1e15])
def test_large_weights_are_scaled_like_others(factor: float) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(24, 6), nn.GELU(), nn.Linear(6, 3)).eval()
    model[1].weight.data.mul_(factor)  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert error(model, compiled(model)) < 0.05


@pytest.mark.parametrize("parameter", ["qkv.weight", "norm.weight", "wide.weight"])
def test_weights_that_overflow_are_told(block: Block, parameter: str) -> None:
    block.get_parameter(parameter).data.mul_(1e20)
    with pytest.raises(nc.ModelError, match=r"`ann.\w+` \(.*\) gives NaN or values beyond 1e\+18"):
        compiled(block)
