"""NeuroBench's figures of small networks, against what follows from their structure and from direct counting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

import neurocuda as nc
from neurocuda.measure.layers import operations_of
from neurocuda.measure.report import figures

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
T = 3


@pytest.fixture(params=["unary", "graded", "latency", "radix"])
def said(model: nn.Module, images: Floats, request: pytest.FixtureRequest) -> nc.Compiled:
    """The small residual network in a code."""
    conversion = nc.Conversion(code=request.param, timesteps=T, calibration="mse")
    return nc.compile(model, target="cpu", calibration=images, conversion=conversion)


def test_operations_are_those_of_the_report(said: nc.Compiled, images: Floats, labels: Labels) -> None:
    found = said.neurobench(images, labels).spiking
    operations = operations_of(said.level("snn-integer"), said.weights, [images])
    expected = operations.accumulations + operations.input_products
    assert found.effective_macs + found.effective_acs == pytest.approx(expected)
    if said.code == "unary":  # pooled sums of spikes are values, not spikes
        assert found.effective_macs == pytest.approx(operations.input_products, rel=0.05)


def test_activations_are_the_spikes_of_all_steps(said: nc.Compiled, images: Floats, labels: Labels) -> None:
    found = said.neurobench(images, labels)
    operations = operations_of(said.level("snn-integer"), said.weights, [images])
    share = operations.spikes / (said.neurons * found.steps)
    assert found.spiking.activation_sparsity == pytest.approx(1 - share)


def test_the_answers_are_those_of_the_networks(said: nc.Compiled, images: Floats, labels: Labels) -> None:
    found = said.neurobench(images, labels)
    for terms, level in ((found.spiking, "snn-integer"), (found.float, "ann-imported")):
        outputs = said.interpret(images, level)
        assert isinstance(outputs, np.ndarray)
        assert terms.accuracy == pytest.approx(100 * float((outputs.argmax(axis=1) == labels).mean()))


def test_sizes_are_those_of_the_constants(said: nc.Compiled, images: Floats, labels: Labels) -> None:
    found = said.neurobench(images, labels)
    given = [6 * 3 * 9, 6 * 4 + 2, 6 * 6 * 9 + 6, 4 * 6 + 4]  # of the convolutions, the batch norm and the classifier
    assert found.float.footprint == found.float.stored == 4 * sum(given)
    assert found.spiking.stored < found.spiking.footprint
    assert found.float.effective_acs == 0
    assert found.float.dense >= found.float.effective_macs


def test_networks_called_twice_are_stored_once(images: Floats) -> None:
    layer = nn.Conv2d(3, 3, 1)
    nn.init.eye_(layer.weight[:, :, 0, 0])
    model = nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Flatten(), nn.Linear(3 * 64, 2))
    conversion = nc.Conversion(timesteps=T, calibration="mse")
    compiled = nc.compile(model.eval(), target="cpu", calibration=images, conversion=conversion)
    found = compiled.neurobench(images, np.zeros(len(images), int))
    assert found.float.footprint == sum(4 * each.numel() for each in model.parameters())
    assert found.float.activation_sparsity > 0


def test_the_report_tells_it(said: nc.Compiled, images: Floats, labels: Labels) -> None:
    assert figures(said)["neurobench"] is None
    found = said.neurobench(images, labels)
    assert str(found) in said.report()
    assert figures(said)["neurobench"] == found.figures()
    assert "effective ACs per image" in str(found)
    assert f"on {len(images)} images" in str(found)
    assert replace(found, steps=1000).figures()["steps"] == 1000


def test_labels_and_trains_are_checked(said: nc.Compiled, images: Floats, labels: Labels) -> None:
    with pytest.raises(nc.InputError, match="labels"):
        said.neurobench(images, labels[:3])
    with pytest.raises(nc.InputError, match="is no class"):
        said.neurobench(images, labels + 100)
