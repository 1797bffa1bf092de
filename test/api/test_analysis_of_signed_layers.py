"""`analyze` of a network with relays, tables, a softmax, layer norms and products."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import neurocuda as nc
from neurocuda.measure.analysis import Analysis


class Attentive(nn.Module):
    """A transformer layer on patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 2, stride=2)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True, norm_first=True)
        self.classes = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return self.classes(self.layer(tokens).mean(1))


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    torch.default_generator.manual_seed(0)
    images = np.random.default_rng(0).normal(size=(24, 1, 8, 8)).astype(np.float32)
    compiled = nc.compile(Attentive().eval(), target="cpu", calibration=images, conversion=nc.Conversion(timesteps=31))
    return compiled.analyze(images, np.zeros(24, np.int64))


def test_every_layer_is_a_part(analysis: Analysis) -> None:
    names = [part.name for part in analysis.parts if part.kind == "neurons"]
    compiled = [layer.name for layer in analysis.compiled.layers]
    assert names == compiled
    assert {"patches", "layer.norm1", "layer.norm2"} <= set(names)


def test_errors_are_small_and_taken_apart(analysis: Analysis) -> None:
    for part in analysis.parts:
        assert part.errors.error < 0.02 * part.errors.square, part.name
        assert sum(change.share for change in part.errors.causes.values()) == pytest.approx(1)


def test_all_answers_lost_are_booked(analysis: Analysis) -> None:
    assert sum(analysis.lost_by_cause().values()) == analysis.lost


def test_a_silent_count_is_no_spike(analysis: Analysis) -> None:
    (norm,) = (part for part in analysis.parts if part.name == "layer.norm1")
    assert norm.firing is not None
    assert norm.firing.spikes == pytest.approx(1 - norm.firing.silent)


def test_accuracy_against_steps_is_there(analysis: Analysis) -> None:
    assert {point.code for point in analysis.by_steps} == {"graded"}
    assert not analysis.no_timesteps
