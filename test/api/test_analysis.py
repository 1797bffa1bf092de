"""Where accuracy goes, against the same sums made by hand with torch on a network of three layers."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

import neurocuda as nc
from neurocuda.compiled import Compiled
from neurocuda.compiling import context_of
from neurocuda.dialects.ann.ops import LinearOp, StaircaseOp
from neurocuda.errors import InputError, LevelError, VerificationError
from neurocuda.ir.context import weights_of
from neurocuda.measure.analysis import CAUSES, Analysis, Change, Part
from neurocuda.measure.exactness import residuals_of
from neurocuda.measure.layers import WATCHED, operations_of
from neurocuda.measure.raster import raster_of, schedule_of
from neurocuda.options import EXACT_CODES
from neurocuda.pipeline import Line, Stage, integer_stages, spikes_stage
from neurocuda.reference.interpreter import interpret

Floats = NDArray[np.float64]

STEPS = 4


def chain() -> nn.Sequential:
    """Three linear layers; one neuron of the first never fires."""
    random = torch.Generator().manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 7), nn.ReLU(), nn.Linear(7, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-0.7, 0.9, generator=random)
        cast(nn.Linear, model[0]).bias[5] = -100.0
    return model.eval()


@pytest.fixture(scope="module")
def inputs() -> NDArray[np.float32]:
    return np.random.default_rng(5).uniform(0, 1, (90, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def small(inputs: NDArray[np.float32]) -> Compiled:
    """The chain with few steps, so that there is something to explain."""
    return said(inputs, "unary")


def said(inputs: NDArray[np.float32], code: str) -> Compiled:
    """The network in a code."""
    conversion = nc.Conversion(timesteps=STEPS, code=code)
    return nc.compile(chain(), target="cpu", calibration=inputs[:40], conversion=conversion)


@pytest.fixture(scope="module")
def truth(inputs: NDArray[np.float32]) -> NDArray[np.int64]:
    """The float network's answers, some of them changed."""
    classes = run(chain(), inputs).argmax(1)
    classes[::9] = (classes[::9] + 1) % 3
    return classes


@pytest.fixture(scope="module")
def analysis(small: Compiled, inputs: NDArray[np.float32], truth: NDArray[np.int64]) -> Analysis:
    return small.analyze(inputs, truth)


def run(layers: nn.Module, values: NDArray[np.floating]) -> Floats:
    with torch.no_grad():
        return layers(torch.tensor(values, dtype=torch.float32)).double().numpy()


def part(analysis: Analysis, kind: str, index: int = 0) -> Part:
    return [found for found in analysis.parts if found.kind == kind][index]


def sent_values(small: Compiled, inputs: NDArray[np.float32]) -> list[Floats]:
    """What both layers sent, in the float network's units: counts from the target, scales from the IR."""
    counts = small.run(inputs, counts=True).counts.values()
    layers = [op for op in small.level("ann-quantized").walk() if isinstance(op, StaircaseOp)]
    return [count * small.weights.array(op.scale) for count, op in zip(counts, layers, strict=True)]


# Numbers


def test_errors_are_those_of_the_float_network(
    small: Compiled, analysis: Analysis, inputs: NDArray[np.float32]
) -> None:
    exact = [run(chain()[:2], inputs), run(chain()[:4], inputs)]
    for index, (floats, sent) in enumerate(zip(exact, sent_values(small, inputs), strict=True)):
        errors = part(analysis, "neurons", index).errors
        assert errors.square == pytest.approx(np.square(floats).mean(), rel=1e-5)
        assert errors.bias == pytest.approx((sent - floats).mean(), rel=1e-4, abs=1e-7)
        assert errors.error == pytest.approx(np.square(sent - floats).mean(), rel=1e-4)
        assert (errors.quantized_bias, errors.quantized_error) == (errors.bias, errors.error)


def test_what_is_inherited_is_the_float_layer_on_what_was_sent(
    small: Compiled, analysis: Analysis, inputs: NDArray[np.float32]
) -> None:
    first, second = sent_values(small, inputs)
    change = run(chain()[2:4], first) - run(chain()[:4], inputs)
    inherited = part(analysis, "neurons", 1).errors.causes["inherited"]
    assert inherited.square == pytest.approx(np.square(change).mean(), rel=1e-4)
    assert inherited.bias == pytest.approx(change.mean(), rel=1e-4)
    change = run(chain()[4:], second) - run(chain(), inputs)
    inherited = part(analysis, "output").errors.causes["inherited"]
    assert inherited.square == pytest.approx(np.square(change).mean(), rel=1e-4)


def test_weights_clipping_and_rounding_are_those_of_the_integers(
    small: Compiled, analysis: Analysis, inputs: NDArray[np.float32]
) -> None:
    counts = list(small.run(inputs, counts=True).counts.values())
    layer = [op for op in small.level("ann-quantized").walk() if isinstance(op, StaircaseOp)][1]
    synapse = layer.currents[0].owner
    assert isinstance(synapse, LinearOp)
    weight, bias, threshold, scale = (
        small.weights.array(constant).astype(float)
        for constant in (synapse.weight, layer.bias, layer.threshold, layer.scale)
    )
    charge = (counts[0] @ weight.T + bias) / threshold  # in counts of this layer
    floats = run(chain()[2:4], sent_values(small, inputs)[0])
    rectified = np.maximum(charge, 0) * scale
    clipped = np.minimum(rectified, STEPS * scale)
    errors = part(analysis, "neurons", 1).errors
    found = errors.causes
    assert found["weights"].square == pytest.approx(np.square(rectified - floats).mean(), rel=1e-4)
    assert 0 < found["clipping"].square == pytest.approx(np.square(clipped - rectified).mean())
    assert 0 < found["rounding"].square == pytest.approx(np.square(counts[1] * scale - clipped).mean())
    assert 0 < errors.clipped == pytest.approx((charge > STEPS).mean())
    assert found["timing"] == Change()


def test_causes_add_up(analysis: Analysis) -> None:
    for found in analysis.parts:
        errors = found.errors
        assert tuple(errors.causes) == tuple(CAUSES)
        assert sum(change.bias for change in errors.causes.values()) == pytest.approx(errors.bias, abs=1e-7)
        assert sum(change.share for change in errors.causes.values()) == pytest.approx(1.0)
    output = part(analysis, "output").errors
    moved = sum(change.moved for found in analysis.parts for change in found.errors.causes.values())
    assert moved == pytest.approx(output.error, rel=1e-5)
    assert sum(analysis.lost_by_cause().values()) == sum(found.errors.lost for found in analysis.parts) == analysis.lost


def test_answers_are_lost_where_a_layer_is_switched(
    small: Compiled, analysis: Analysis, inputs: NDArray[np.float32], truth: NDArray[np.int64]
) -> None:
    first, second = sent_values(small, inputs)
    ladder = [run(chain(), inputs), run(chain()[2:], first), run(chain()[4:], second)]
    correct = [int((outputs.argmax(1) == truth).sum()) for outputs in ladder]
    lost = [before - after for before, after in pairwise(correct)]
    source, *layers = [found.errors.lost for found in analysis.parts if found.kind != "output"]
    assert [source + layers[0], layers[1]] == lost
    assert analysis.accuracy["float"].correct == correct[0]
    evaluation = small.evaluate(inputs, truth)
    assert analysis.accuracy["spiking"] == analysis.accuracy["quantised"] == evaluation.accuracy
    assert analysis.provenance == evaluation.provenance


@pytest.mark.parametrize("code", EXACT_CODES)
def test_spikes_are_those_of_the_code(code: str, inputs: NDArray[np.float32], truth: NDArray[np.int64]) -> None:
    compiled = said(inputs, code)
    parts = [part for part in compiled.analyze(inputs[:16]).parts if part.firing is not None]
    spikes = sum(part.firing.spikes * part.elements for part in parts if part.firing is not None)
    expected = compiled.evaluate(inputs[:16], truth[:16]).spikes_per_neuron
    assert spikes / compiled.neurons == pytest.approx(expected)


def test_firing_is_counted(small: Compiled, analysis: Analysis, inputs: NDArray[np.float32]) -> None:
    counts = list(small.run(inputs, counts=True).counts.values())
    for index, count in enumerate(counts):
        firing = part(analysis, "neurons", index).firing
        assert firing is not None
        assert firing.spikes == pytest.approx(count.mean())
        assert firing.silent == pytest.approx((count == 0).mean())
        assert firing.dead == int((count.sum(0) == 0).sum())
        assert (firing.off, firing.channels) == (0.0, count.shape[1])
    dead = part(analysis, "neurons").firing
    assert dead is not None
    assert dead.dead_in_float == int((run(chain()[:2], inputs).sum(0) == 0).sum()) >= 1


def test_operations_are_those_of_the_evaluation(
    small: Compiled, analysis: Analysis, inputs: NDArray[np.float32]
) -> None:
    every = operations_of(small.level("snn-integer"), small.weights, [inputs[:WATCHED]])
    parts = [found.operations for found in analysis.parts if found.operations is not None]
    assert sum(found.dense for found in parts) == every.dense == 6 * 8 + 8 * 7 + 7 * 3
    assert sum(found.accumulations for found in parts) == pytest.approx(every.accumulations)
    assert sum(found.input_products for found in parts) == pytest.approx(every.input_products)


def test_other_timesteps_are_those_of_the_passes(
    small: Compiled, analysis: Analysis, inputs: NDArray[np.float32], truth: NDArray[np.int64]
) -> None:
    steps = [found.timesteps for found in analysis.by_timesteps]
    assert steps == [1, 3, 4, 7, 15, 31, 63]
    (own,) = [found for found in analysis.by_timesteps if found.chosen]
    assert (own.timesteps, own.accuracy) == (STEPS, analysis.accuracy["quantised"])
    level = small.level("ann-convertible")
    line = Line(context_of([level], small.context), level.clone(), {}, {}, {})
    line.run(integer_stages(replace(small.conversion, timesteps=15), images=False)[0])
    outputs = interpret(line.module, weights_of(line.context), [inputs])[0]
    (found,) = [found for found in analysis.by_timesteps if found.timesteps == 15]
    assert found.accuracy.correct == int((outputs.argmax(1) == truth).sum())
    assert found.accuracy.correct >= own.accuracy.correct


def test_why_there_are_no_other_timesteps(
    small: Compiled, inputs: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise VerificationError("no such level")

    monkeypatch.setattr("neurocuda.pipeline.Line.run", refuse)
    found = small.analyze(inputs[:3])
    assert (found.by_timesteps, found.by_steps, found.no_timesteps) == ((), (), "no such level")
    assert str(found).endswith("accuracy against steps cannot be computed from this artefact: no such level")


# Steps


def test_exact_codes_differ_in_their_steps_only(analysis: Analysis) -> None:
    answers = {point.timesteps: point.accuracy for point in analysis.by_timesteps}
    hidden = 2
    for code in ("unary", "radix", "latency", "graded"):
        found = [point for point in analysis.by_steps if point.code == code]
        assert {point.timesteps: point.accuracy for point in found} == answers
        for point in found:
            window = {"radix": point.timesteps.bit_length(), "graded": 1}.get(code, point.timesteps)
            assert point.steps == 1 + hidden * window
    assert [(point.code, point.timesteps) for point in analysis.by_steps if point.chosen] == [("unary", STEPS)]


def test_free_running_networks_are_run(
    analysis: Analysis, small: Compiled, inputs: NDArray[np.float32], truth: NDArray[np.int64]
) -> None:
    for point in (point for point in analysis.by_steps if point.code == "free"):
        assert point.steps == point.timesteps
        if point.timesteps == STEPS:
            level = small.level("snn-count")
            line = Line(context_of([level], small.context), level.clone(), {}, {}, {})
            line.run(spikes_stage("free"))
            outputs = interpret(line.module, weights_of(line.context), [inputs])[0]
            assert point.accuracy.correct == int((outputs.argmax(1) == truth).sum())


def test_what_waits_waits_in_proportion(inputs: NDArray[np.float32]) -> None:
    conversion = nc.Conversion(timesteps=STEPS, code="free", firing_delay=3)
    compiled = nc.compile(chain(), target="cpu", calibration=inputs[:40], conversion=conversion)
    found = compiled.analyze(inputs)
    steps = {point.timesteps: point for point in found.by_steps if point.code == "free"}
    assert steps[STEPS].steps == compiled.run(inputs[:1]).steps == 1 + 3 + STEPS
    assert steps[STEPS].accuracy == found.accuracy["spiking"]
    assert steps[STEPS].chosen
    assert steps[63].steps == 1 + 3 * 63 // STEPS + 63


def test_a_code_that_cannot_say_the_network_has_no_point(
    small: Compiled, inputs: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stage(code: str, delay: int) -> Stage:
        if code == "radix":
            raise LevelError("it cannot:", [])
        return spikes_stage(code, delay)

    monkeypatch.setattr("neurocuda.measure.trials.spikes_stage", stage)
    found = small.analyze(inputs[:3])
    assert {point.code for point in found.by_steps} == set(small.backend.constraints.codes) - {"radix"}
    assert str(found)


def test_layers_with_levels_of_their_own_are_not_quantised_again(model: nn.Module, images: NDArray[np.float32]) -> None:
    conversion = nc.Conversion(latency_budget=20)
    found = nc.compile(model, target="cpu", calibration=images, conversion=conversion).analyze(images)
    assert found.by_timesteps == ()
    assert found.no_timesteps == "its layers have levels of their own, chosen for latency_budget=20"


# Free-running networks


def test_timing_is_what_the_code_adds(inputs: NDArray[np.float32]) -> None:
    conversion = nc.Conversion(timesteps=8, code="free")
    free = nc.compile(chain(), target="cpu", calibration=inputs[:40], conversion=conversion)
    found = free.analyze(inputs)
    layers = [each for each in found.parts if each.firing is not None]
    residuals = residuals_of(free.level("snn-integer"), free.weights, [inputs])
    for layer, residual in zip(layers, residuals, strict=True):
        assert layer.firing is not None
        assert round(layer.firing.off * residual.neurons) == residual.off
    assert layers[1].errors.causes["timing"].square > 0
    assert layers[1].errors.quantized_error != layers[1].errors.error
    quantised = free.evaluate(inputs, free.interpret(inputs, "ann-convertible").argmax(1), level="ann-quantized")  # pyright: ignore
    assert found.accuracy["quantised"].correct == quantised.accuracy.correct


# Larger networks


def test_residual_networks_in_several_batches(
    compiled: Compiled, images: NDArray[np.float32], labels: NDArray[np.int64], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = compiled.analyze(images, labels)
    monkeypatch.setattr("neurocuda.measure.analyzing.AT_ONCE", 5)
    seen: list[tuple[int, int]] = []
    parts = compiled.analyze(images, labels, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(5, 32), (10, 32), (15, 32), (20, 32), (25, 32), (30, 32), (32, 32)]
    assert parts.accuracy == whole.accuracy
    for one, other in zip(parts.parts, whole.parts, strict=True):
        assert one.errors.error == pytest.approx(other.errors.error, rel=1e-6)
        assert one.errors.lost == other.errors.lost
        assert one.firing == other.firing


def test_pixels_are_not_rounded() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (16, 3, 8, 8), np.uint8)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 3)).eval()
    compiled = nc.compile(model, target="cpu", calibration=pixels, preprocessing=nc.Normalize((0.5,) * 3, (0.2,) * 3))
    source = part(compiled.analyze(pixels), "input")
    assert source.errors.error == pytest.approx(0, abs=1e-10)
    assert source.where == "input"


def test_a_network_without_neurons(images: NDArray[np.float32]) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3)).eval()
    compiled = nc.compile(model, target="cpu", calibration=images)
    found = compiled.analyze(images)
    assert [each.kind for each in found.parts] == ["input", "output"]
    assert found.raster.trains == ()
    assert str(found)


class Forked(nn.Module):
    """Two outputs behind one layer; the first passes through floats."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.left, self.right = nn.Linear(6, 8), nn.Linear(8, 3), nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.relu(self.first(x))
        return torch.softmax(self.left(x), 1), self.right(x)


def test_several_outputs(inputs: NDArray[np.float32]) -> None:
    torch.default_generator.manual_seed(0)
    found = nc.compile(Forked().eval(), target="cpu", calibration=inputs[:40]).analyze(inputs)
    assert [each.name for each in found.parts] == ["x", "relu", "output 0", "output 1"]
    operations = [each.operations for each in found.parts]
    assert [each.dense for each in operations if each is not None] == [6 * 8, 8 * 3, 8 * 2]
    assert found.parts[3].errors.error > 0
    assert found.parts[3].errors.causes["weights"].lost == 0


# Spikes


def test_the_raster_holds_every_spike(small: Compiled, inputs: NDArray[np.float32]) -> None:
    raster = raster_of(small.level("snn-integer"), small.weights, [inputs[:1]])
    steps, windows = schedule_of(small.level("snn-integer"))
    counts = small.run(inputs[:1], counts=True).counts
    assert raster.steps == steps
    for train, window in zip(raster.trains, windows, strict=True):
        assert train.name == window.name
        assert sum(train.population) == int(counts[train.name].sum())
        assert train.neurons == tuple(range(train.size))  # few enough to keep all
        for row in range(train.size):
            spikes = [step for step, other in train.spikes if other == row]
            assert len(spikes) == counts[train.name][0, row]
            assert all(window.start <= step < window.stop for step in spikes)


def test_neurons_are_sampled(compiled: Compiled, images: NDArray[np.float32]) -> None:
    raster = raster_of(compiled.level("snn-integer"), compiled.weights, [images[:1]])
    assert all(len(train.neurons) == 12 for train in raster.trains)
    assert all(train.neurons[-1] == train.size - 1 for train in raster.trains)


# Telling


def test_text_is_three_tables(small: Compiled, analysis: Analysis) -> None:
    summary, errors, activity, steps = str(analysis).split("\n\n")
    assert summary.startswith("Sequential for cpu:host: right answers on 90 images\nfloat ")
    assert f"images lost: {analysis.lost}" in summary
    _, head, *rows = errors.splitlines()
    assert head.split() == ["layer", "T", "bias", "quantised", "spiking", *CAUSES, "mainly", "lost"]
    assert [row.split()[0] for row in rows] == [found.name.split()[0] for found in analysis.parts]
    assert len({len(row) for row in rows}) == 1
    assert len(activity.splitlines()) == 1 + 3
    assert all(len(line) < 150 for line in (*errors.splitlines(), *activity.splitlines()))
    _, head, *rows = steps.splitlines()
    assert head.split() == ["T", "quantised", *small.backend.constraints.codes, "answers"]
    assert len({len(row) for row in (head, *rows)}) == 1
    assert [int(row.split()[0]) for row in rows] == [point.timesteps for point in analysis.by_timesteps]


def test_json_keeps_its_shape(analysis: Analysis) -> None:
    found = json.loads(analysis.to_json())
    assert list(found) == [
        "format_version", "name", "target", "images", "labelled", "provenance", "accuracy", "lost", "lost_by_cause",
        "parts", "by_timesteps", "by_steps", "no_timesteps", "raster",
    ]  # fmt: skip
    assert found["format_version"] == 1
    assert list(found["accuracy"]) == ["float", "quantised", "spiking"]
    first = found["parts"][1]
    assert list(first) == ["name", "where", "kind", "elements", "levels", "scale", "errors", "firing", "operations"]
    assert list(first["errors"]) == [
        "square", "bias", "error", "quantized_bias", "quantized_error", "clipped", "causes", "main_cause", "lost",
    ]  # fmt: skip
    assert list(first["errors"]["causes"]) == ["inherited", "weights", "clipping", "rounding", "timing"]
    assert list(first["errors"]["causes"]["weights"]) == ["bias", "square", "share", "lost", "moved"]
    assert list(first["firing"]) == ["spikes", "silent", "off", "channels", "dead", "dead_in_float"]
    assert list(found["by_timesteps"][0]) == ["timesteps", "chosen", "accuracy", "correct", "images", "interval"]
    assert list(found["by_steps"][0]) == [
        "code", "timesteps", "steps", "chosen", "accuracy", "correct", "images", "interval",
    ]  # fmt: skip
    assert list(found["raster"]) == ["steps", "trains"]
    assert found["parts"][0]["firing"] is None


def test_without_labels_the_float_network_is_right(small: Compiled, inputs: NDArray[np.float32]) -> None:
    found = small.analyze(inputs)
    assert not found.labelled
    assert found.accuracy["float"].value == 1.0
    assert "no labels were given" in str(found)


def test_bad_input(small: Compiled, inputs: NDArray[np.float32]) -> None:
    with pytest.raises(InputError, match=r"90 images but 3 labels"):
        small.analyze(inputs, [0, 1, 2])
    with pytest.raises(InputError, match=r"expected images of shape \(6,\)"):
        small.analyze(inputs[:, :5])
    with pytest.raises(InputError, match="there are no images"):
        small.analyze(inputs[:0])
