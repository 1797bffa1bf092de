"""Running, measuring and checking a compiled network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from xdsl.dialects.builtin import UnknownLoc
from xdsl.ir import Operation

import neurocuda as nc
from neurocuda.compiled import Compiled
from neurocuda.dialects.snn.ops import IntegrateAndFireOp
from neurocuda.images import Array, Images
from neurocuda.ir.attributes import integers
from neurocuda.ir.constraints import set_constraints
from neurocuda.ir.origin import origin_of
from neurocuda.measure.certificate import Width
from neurocuda.measure.report import figures
from neurocuda.measure.validation import Drift, Validation
from neurocuda.options import EXACT_CODES
from neurocuda.reference.interpreter import interpret

Floats = NDArray[np.float32]


def fresh(compiled: Compiled) -> Compiled:
    """The same network without what was measured."""
    return replace(compiled, evaluations={}, validation=None)


# Running


def test_a_result_holds_outputs_counts_steps_and_what_ran(compiled: Compiled, images: Floats) -> None:
    result = compiled.run(images)
    assert isinstance(result.outputs, np.ndarray)
    assert result.outputs.shape == (32, 4)
    assert result.outputs.dtype == np.float32
    assert result.steps == 1
    assert result.provenance.startswith("cpu: counts, ")
    assert result.seconds > 0
    assert {name: counts.shape for name, counts in result.counts.items()} == {
        layer.name: (32, *layer.shape) for layer in compiled.layers
    }
    for counts in result.counts.values():
        assert counts.dtype.kind in "iu"
        assert 0 <= counts.min() <= counts.max() == 7


def test_the_target_gives_what_the_interpreter_gives(compiled: Compiled, images: Floats) -> None:
    found = compiled.run(images).outputs
    for level in ("ann-quantized", "snn-count", "snn-integer", None):
        np.testing.assert_array_equal(found, compiled.interpret(images, level))


def test_counts_are_left_out_where_nobody_wants_them(
    compiled: Compiled, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compiled.run(images, counts=False).counts == {}
    monkeypatch.setattr("neurocuda.compiled.COUNTED_BYTES", 1)
    assert compiled.run(images).counts == {}
    assert compiled.run(images, counts=True).counts != {}


def test_tensors_and_batches_can_be_run(compiled: Compiled, images: Floats) -> None:
    expected = compiled.run(images).outputs
    for form in (torch.tensor(images), [images[:20], images[20:]], {"anything": images}, images.astype(np.float64)):
        np.testing.assert_array_equal(compiled.run(form).outputs, expected)


def test_progress_is_told(compiled: Compiled, images: Floats) -> None:
    done: list[tuple[int, int]] = []
    compiled.run(images, threads=1, progress=lambda images, total: done.append((images, total)))
    assert done[-1] == (32, 32)


def spoiled(how: str, images: Floats) -> Images:
    """Images with one thing wrong."""
    return {
        "one image": images[0],
        "two channels": images[:, :2],
        "channels last": images.transpose(0, 2, 3, 1),
        "pixels": images.astype(np.uint8),
        "not a number": images * np.float32(np.nan),
        "none": images[:0],
        "two inputs": {"a": images, "b": images},
    }[how]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("one image", r"images: expected images of shape \(3, 8, 8\), found \(8, 8\) \(a batch axis is missing"),
        ("two channels", r"images: expected images of shape \(3, 8, 8\), found \(2, 8, 8\)"),
        ("channels last", r"channels come first: images\.transpose\(0, 3, 1, 2\)"),
        ("pixels", "images: expected float images, found uint8"),
        ("not a number", "images: there are NaN or infinite values in image 0"),
        ("none", "images: there are no images"),
        ("two inputs", "images: the inputs are called x, not a, b"),
    ],
)
def test_images_that_do_not_fit_are_refused(compiled: Compiled, images: Floats, how: str, message: str) -> None:
    with pytest.raises(nc.InputError, match=message):
        compiled.run(spoiled(how, images))


def test_no_threads_are_refused(compiled: Compiled, images: Floats) -> None:
    with pytest.raises(nc.OptionError, match="threads must be positive, not 0"):
        compiled.run(images, threads=0)
    for threads in ("2", 1.5):
        with pytest.raises(nc.OptionError, match=f"threads must be a positive number, not {threads!r}"):
            compiled.run(images, threads=threads)  # pyright: ignore[reportArgumentType]


def test_what_is_no_path_is_refused(compiled: Compiled) -> None:
    with pytest.raises(nc.OptionError, match="the file must be a path, not None"):
        compiled.save(None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(nc.OptionError, match="the file must be a path, not 3"):
        nc.load(3)  # pyright: ignore[reportArgumentType]


class TwoHeads(nn.Module):
    """Two inputs and two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(4, 8), nn.Linear(6, 8)
        self.first, self.second = nn.Linear(8, 3), nn.Linear(8, 2)

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        y = torch.relu(self.left(left) + self.right(right))
        return self.first(y), self.second(y)


def test_several_inputs_and_outputs_have_names_and_order() -> None:
    random = np.random.default_rng(0)
    inputs = {"left": random.normal(size=(20, 4)), "right": random.normal(size=(20, 6))}
    model = TwoHeads().eval()
    compiled = nc.compile(model, target="cpu", calibration=inputs, conversion=nc.Conversion(timesteps=127))
    with torch.no_grad():
        expected = model(*(torch.tensor(array, dtype=torch.float32) for array in inputs.values()))
    outputs = compiled.run(dict(reversed(inputs.items()))).outputs
    assert isinstance(outputs, tuple)
    for found, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), atol=0.1)
    assert compiled.validate(inputs).passed


# Measuring


def test_an_evaluation_counts_what_a_run_gives(compiled: Compiled, images: Floats, labels: NDArray[np.int64]) -> None:
    found = compiled.evaluate(images, labels)
    counts = np.concatenate([values.reshape(32, -1) for values in compiled.run(images).counts.values()], axis=1)
    assert found.accuracy.correct == 30
    assert found.accuracy.images == 32
    low, high = found.accuracy.interval
    assert low < 30 / 32 < high
    assert found.spikes_per_neuron == pytest.approx(counts.mean())
    assert found.sparsity == pytest.approx((counts == 0).mean())
    assert found.steps == 1
    assert found.provenance.startswith("cpu: ")
    assert "93.75 % of 32 images (95 % interval 79.85 ... 98.27)" in str(found)


@pytest.mark.parametrize("code", [*EXACT_CODES, "free"])
def test_spikes_are_counted_whatever_they_stand_for(
    code: str, model: nn.Module, images: Floats, labels: NDArray[np.int64]
) -> None:
    """What the counts of a run say agrees with what the interpreter sees step by step on the same images."""
    conversion = nc.Conversion(code=code, timesteps=6, execution="events")
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    found = compiled.evaluate(images[:4], labels[:4])
    assert found.operations is not None
    assert found.spikes_per_neuron == pytest.approx(found.operations.spikes / compiled.neurons)
    assert ("(counted on 4 images)" in str(found)) == (code == "signed")
    assert 0 < found.operations.settled <= found.steps
    most = {"radix": 2, "latency": 1, "graded": 1}.get(code, 6)
    assert found.spikes_per_neuron is not None
    assert found.spikes_per_neuron < most
    assert f"the last spike came {found.operations.settled} steps after the start" in compiled.report()


def test_auto_takes_the_exact_code_that_the_target_lists_first(model: nn.Module, images: Floats) -> None:
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=nc.Conversion(timesteps=3))
    assert compiled.code == compiled.backend.constraints.codes[0] == "graded"
    assert "an image takes 3 steps; in hardware the next may start 2 steps after it, 0.5 images per step" in (
        compiled.report()
    )


def test_a_firing_delay_of_a_whole_window_is_exact(model: nn.Module, images: Floats) -> None:
    conversion = nc.Conversion(code="free", timesteps=7, firing_delay=7)
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    found = compiled.validate(images[:8])
    assert found.passed
    assert not any(residual.off for residual in found.residuals)
    assert compiled.run(images).steps == 1 + 2 * 7
    shorter = nc.compile(
        model, target="cpu", calibration=images, conversion=nc.Conversion(code="free", timesteps=7, firing_delay=2)
    )
    assert shorter.run(images).steps == 1 + 2 + 7


def test_evaluations_in_parts_add_up(
    compiled: Compiled, images: Floats, labels: NDArray[np.int64], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = compiled.evaluate(images, labels)
    monkeypatch.setattr("neurocuda.compiled.EVALUATED_AT_ONCE", 5)
    seen: list[tuple[int, int]] = []
    parts = compiled.evaluate(images, labels, progress=lambda done, total: seen.append((done, total)))
    assert parts.accuracy == whole.accuracy
    assert parts.spikes_per_neuron == pytest.approx(whole.spikes_per_neuron)
    assert seen == [(5, 32), (10, 32), (15, 32), (20, 32), (25, 32), (30, 32), (32, 32)]


def test_a_level_can_be_evaluated(
    compiled: Compiled, model: nn.Module, images: Floats, labels: NDArray[np.int64]
) -> None:
    with torch.no_grad():
        classes = model(torch.tensor(images)).numpy().argmax(1)
    found = compiled.evaluate(images, torch.tensor(labels), level="ann-imported")
    assert found.accuracy.correct == int((classes == labels).sum())
    assert found.provenance == "reference: level ann-imported"
    assert found.spikes_per_neuron is None


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0] * 31, "labels: 32 images but 31 labels"),
        ([0] * 31 + [-1], "labels: -1 is no class: the network has outputs 0 ... 3"),
        ([4] * 32, "labels: 4 is no class: the network has outputs 0 ... 3"),
        ([0.5] * 32, r"labels: expected one class number per image, found float64 of shape \(32,\)"),
        ([[0]] * 32, r"labels: expected one class number per image, found int64 of shape \(32, 1\)"),
    ],
)
def test_labels_that_do_not_fit_are_refused(compiled: Compiled, images: Floats, labels: object, message: str) -> None:
    with pytest.raises(nc.InputError, match=message):
        compiled.evaluate(images, labels)


def test_an_unknown_level_is_refused(compiled: Compiled, images: Floats) -> None:
    with pytest.raises(nc.OptionError, match="there is no level 'ann'; there are ann-imported, ann-convertible"):
        compiled.ir("ann")
    with pytest.raises(nc.OptionError, match="there is no level 'ann'"):
        compiled.interpret(images, "ann")


# Checking


def test_every_stage_is_compared(compiled: Compiled, images: Floats) -> None:
    found = compiled.validate(images[:20])
    assert found.passed
    assert found.mismatches == 0
    assert [(c.before, c.after) for c in found.exact] == [
        ("ann-quantized", "snn-count"),
        ("snn-count", "snn-integer"),
        ("snn-integer", "cpu:host"),
    ]
    assert {comparison.counts for comparison in found.exact} == {20 * (compiled.neurons + 4)}
    assert [(d.before, d.after) for d in found.drifts] == [
        ("ann-imported", "ann-convertible"),
        ("ann-convertible", "ann-quantized"),
    ]
    assert found.drifts[0].rms < 1e-5 < found.drifts[1].rms
    assert "validated on 20 images: passed" in str(found)


def test_the_target_can_be_compared_with_one_thing(compiled: Compiled, images: Floats) -> None:
    for against, name in (("reference", "snn-integer"), ("cpu", "cpu"), ("cpu:host", "cpu:host")):
        (comparison,) = compiled.validate(images[:3], against=against).exact
        assert (comparison.before, comparison.after) == (name, "cpu:host")
        assert comparison.counts == 3 * (compiled.neurons + 4)
        assert comparison.exact
    with pytest.raises(nc.TargetError, match="unknown target 'lion'"):
        compiled.validate(images[:3], against="lion")


def test_a_difference_is_named(compiled: Compiled, images: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    from neurocuda.backends.cpu.run import CpuProgram
    from neurocuda.ir.backend import Execution, RunOptions

    right = CpuProgram.run

    def wrong(self: CpuProgram, inputs: list[Floats], options: RunOptions | None = None) -> Execution:
        done = right(self, inputs, options)
        name = compiled.layers[1].name
        counts = dict(done.counts) | {name: done.counts[name].copy()}
        counts[name][1, 0, 0, 1] = 99
        return replace(done, counts=counts)

    monkeypatch.setattr(CpuProgram, "run", wrong)
    found = compiled.validate(images[:3])
    assert not found.passed
    assert found.mismatches == 1
    assert found.exact[-1].differing == (compiled.layers[1].name,)
    assert f"first {compiled.layers[1].name}: image 1, element [0, 0, 1] is" in str(found)
    assert "FAILED" in str(found)


def test_outputs_that_are_no_numbers_are_no_success() -> None:
    drift = Drift("ann-imported", "ann-convertible", float("nan"), 1.0, 1.0)
    found = Validation(1, (), (), (drift,))
    assert not found.passed
    assert str(found).startswith("validated on 1 image: FAILED")


def nothing_counted(program: object, counts: object) -> dict[str, Array]:
    del program, counts
    return {}


def test_a_layer_that_is_not_counted_is_no_success(
    compiled: Compiled, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    from neurocuda.backends.cpu.native import NativeProgram

    monkeypatch.setattr(NativeProgram, "_split", nothing_counted)
    found = compiled.validate(images[:3])
    assert not found.passed
    assert f"cpu:host does not count {compiled.layers[0].name}" in str(found)


def test_a_free_running_network_shows_its_residuals(model: nn.Module, images: Floats) -> None:
    conversion = nc.Conversion(code="free", timesteps=7)
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    found = compiled.validate(images)
    assert found.passed
    assert [(c.before, c.after) for c in found.exact] == [
        ("ann-quantized", "snn-count"),
        ("snn-integer", "cpu:host"),
    ]
    residuals = {residual.layer: residual for residual in found.residuals}
    assert list(residuals) == [layer.name for layer in compiled.layers]
    assert sum(residual.neurons for residual in found.residuals) == 32 * compiled.neurons
    assert residuals[compiled.layers[0].name].off == 0  # a constant input is exact
    assert residuals[compiled.layers[1].name].off > 0
    assert not compiled.certificate().exact
    assert compiled.run(images).steps == 7


def test_a_certificate_says_what_was_checked(compiled: Compiled, images: Floats) -> None:
    compiled = fresh(compiled)
    assert "nothing was compared on images yet" in str(compiled.certificate())
    compiled.validate(images[:2])
    found = compiled.certificate()
    assert found.exact
    assert list(found.hashes) == ["ann-imported", "ann-quantized", "snn-integer", "cpu"]
    assert [obligation.holds for obligation in found.obligations] == [True, True, True, True]
    assert "0 of" in str(found)


def test_a_certificate_bounds_every_membrane(compiled: Compiled, images: Floats) -> None:
    """No input drives a membrane out of its interval: the largest ones that were seen lie inside."""
    found = {width.layer: width for width in compiled.certificate().widths}
    seen: dict[str, tuple[int, int]] = {}

    def note(op: Operation, state: Mapping[str, Array]) -> None:
        seen[origin_of(op) or "readout"] = int(state["v"].min()), int(state["v"].max())

    interpret(compiled.levels["snn-integer"], compiled.weights, [images], on_state=note)
    assert set(seen) == set(found)
    for layer, (lowest, highest) in seen.items():
        assert found[layer].lowest <= lowest <= highest <= found[layer].highest
    assert str(Width("a", -129, 4)) == "a: -129 ... 4 (9 bits)"


def test_a_certificate_fails_where_a_window_comes_too_early(compiled: Compiled) -> None:
    compiled = fresh(compiled)
    network = compiled.levels["snn-integer"].clone()
    last = [op for op in network.walk() if isinstance(op, IntegrateAndFireOp)][-1]
    last.properties["fire"] = integers((3, 10))
    compiled.levels = dict(compiled.levels) | {"snn-integer": network}
    found = compiled.certificate()
    assert not found.exact
    assert "it fires from step 3 on" in str(found)


def test_a_certificate_fails_where_a_membrane_is_too_narrow(compiled: Compiled) -> None:
    compiled = fresh(compiled)
    network = compiled.levels["snn-integer"].clone()
    set_constraints(network, replace(compiled.backend.constraints, membrane_bits=8))
    compiled.levels = dict(compiled.levels) | {"snn-integer": network}
    found = compiled.certificate()
    assert not found.exact
    assert "no membrane overflows: FAILS" in str(found)


# Looking


def test_every_operation_of_every_level_has_a_place_in_the_users_model(compiled: Compiled) -> None:
    for level in ("ann-imported", "ann-quantized", "snn-count", "snn-integer", "cpu"):
        nowhere = [op.name for op in compiled.level(level).walk() if isinstance(op.location, UnknownLoc)]
        assert set(nowhere) <= {"builtin.module", "func.func", "func.return", "host.yield"}, level


def test_the_ir_of_every_level_can_be_read(compiled: Compiled) -> None:
    assert "ann.batch_norm" in compiled.ir("ann-imported")
    assert "ann.neuron" in compiled.ir("ann-convertible")
    assert "ann.staircase" in compiled.ir("ann-quantized")
    assert 'code "count"' in compiled.ir("snn-count")
    assert 'code "unary"' in compiled.ir("snn-integer")
    assert compiled.ir() == compiled.ir("cpu")
    assert "conftest.py" in compiled.ir("ann-imported", locations=True)


def test_a_report_says_what_is_known(compiled: Compiled, images: Floats, labels: NDArray[np.int64]) -> None:
    compiled = fresh(compiled)
    assert "accuracy" not in compiled.report()
    compiled.evaluate(images, labels)
    compiled.evaluate(images, labels, level="ann-quantized")
    compiled.validate(images[:2])
    text = compiled.report()
    assert 'code "unary", T = 7' in text
    assert "takes float32 images of 3x8x8" in text
    assert f"{compiled.neurons:,} neurons in 2 layers" in text
    assert "weights of 8 bits in" in text
    (row,) = (line for line in text.splitlines() if line.startswith("last "))
    assert row.split()[1:4] == ["output", "1", "24"]
    assert "conftest.py:" in text
    assert "accuracy, cpu:host: 93.75 % of 32 images" in text
    assert "accuracy, ann-quantized: 93.75 % of 32 images" in text
    assert "accumulations of " in text
    assert "validated on 2 images: passed" in text


def test_it_prints_as_one_line(compiled: Compiled) -> None:
    assert repr(compiled) == '<Compiled Small for cpu:host, code "unary", T = 7>'


def test_figures_are_what_json_can_say(compiled: Compiled, images: Floats, labels: NDArray[np.int64]) -> None:
    import json

    compiled = fresh(compiled)
    compiled.evaluate(images, labels)
    found = json.loads(json.dumps(figures(compiled)))
    assert found["accuracy"]["cpu:host"]["correct"] == 30
    assert found["neurons"] == compiled.neurons == 2 * 6 * 8 * 8
    assert found["weights"] == {"number": 162 + 324 + 6 + 24, "bytes": 162 + 324 + 6 + 24, "bits": 8}
    assert [layer["operations"] for layer in found["layers"]] == [64 * 162, 64 * 324 + 6 * 64]
