"""Activations between bounds are staircases that end at the bound, however they are written."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.dialects.ann.ops import StaircaseOp

IMAGES = np.random.default_rng(0).standard_normal((64, 3, 8, 8)).astype(np.float32)

ROUNDING = 0.01
"""What a threshold of eight bits is rounded by, at most, in these networks."""

WRITTEN: dict[str, tuple[Callable[[Tensor], Tensor], float, float]] = {
    "nn.ReLU6": (nn.ReLU6(), 0, 6),
    "F.relu6": (F.relu6, 0, 6),
    "nn.Hardtanh": (nn.Hardtanh(0, 4), 0, 4),
    "F.hardtanh": (lambda x: F.hardtanh(x, 0, 4), 0, 4),
    "torch.clamp": (lambda x: torch.clamp(x, 0, 6), 0, 6),
    "clamp of tensors": (lambda x: torch.clamp(x, torch.tensor(0.0), torch.tensor(3.0)), 0, 3),
    "clamp_": (lambda x: x.clamp_(0, 0.5), 0, 0.5),
    "clip": (lambda x: torch.clip(x, 0, 3), 0, 3),
    "clamp from zero": (lambda x: x.clamp(min=0), 0, inf),
    "clamp from above zero": (lambda x: x.clamp(min=1), 1, inf),
    "clamp above zero": (lambda x: x.clamp(1, 6), 1, 6),
    "clamp of relu": (lambda x: F.relu(x).clamp(max=2), 0, 2),
    "relu of clamp": (lambda x: F.relu(x.clamp(-1, 2)), 0, 2),
    "minimum of relu": (lambda x: torch.minimum(F.relu(x), torch.tensor(2.5)), 0, 2.5),
    "maximum and minimum": (lambda x: torch.minimum(torch.maximum(x, torch.tensor(0.0)), torch.tensor(3.0)), 0, 3),
}


class Clamped(nn.Module):
    """Padded convolutions whose sums go beyond all bounds, an activation behind each, and a classifier."""

    def __init__(self, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        torch.default_generator.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.last = nn.Linear(6 * 16, 5)
        self.activation = activation
        with torch.no_grad():
            self.first.weight.mul_(12)
            self.second.weight.mul_(6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.second(self.activation(self.first(x))))
        return self.last(F.max_pool2d(x, 2).flatten(1))


@pytest.mark.parametrize(
    ("name", "calibration"),
    [*((name, "max") for name in WRITTEN), ("nn.ReLU6", "advanced"), ("clamp above zero", "advanced")],
)
def test_a_clamp_is_a_staircase_that_ends_at_its_bound(name: str, calibration: str) -> None:
    """But for the rounding of thresholds to integers; every count of the program is the integer network's."""
    activation, low, high = WRITTEN[name]
    model = Clamped(activation).eval()
    conversion = nc.Conversion(timesteps=15, calibration=calibration)
    compiled = nc.compile(model, target="cpu", calibration=IMAGES, conversion=conversion)
    assert compiled.validate(IMAGES).mismatches == 0
    for op in compiled.level("ann-quantized").walk():
        if isinstance(op, StaircaseOp):
            reach = compiled.weights.array(op.scale) * op.levels.value.data
            assert reach.max() <= (high - low) * (1 + ROUNDING)
            assert calibration != "max" or high == inf or np.allclose(reach, high - low, rtol=ROUNDING)
    with torch.no_grad():
        expected = model(torch.tensor(IMAGES)).numpy()
    found = compiled.run(IMAGES).outputs
    assert isinstance(found, np.ndarray)
    assert np.square(found - expected).mean() <= 0.03 * np.square(expected).mean()
