"""What a network is, is the same whether a target computes counts or walks through time steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from torch import nn
from xdsl.dialects.builtin import DictionaryAttr

import neurocuda as nc
from neurocuda.compiled import Compiled
from neurocuda.dialects.cpu.ops import LayerOp, ProgramOp
from neurocuda.ir.activity import activity_of
from neurocuda.options import EXACT_CODES
from neurocuda.passes.cpu.choose_kernels import COST
from neurocuda.tools import nc_compile

from .conftest import Floats


def compiled_as(execution: str, code: str, model: nn.Module, images: Floats) -> Compiled:
    """The network with T = 7."""
    conversion = nc.Conversion(code=code, timesteps=7, calibration="mse", execution=execution)
    return nc.compile(model, target="cpu", calibration=images, conversion=conversion, validate=True)


@pytest.mark.parametrize("code", EXACT_CODES)
def test_both_give_the_same_counts(code: str, model: nn.Module, images: Floats) -> None:
    counts, events = (compiled_as(execution, code, model, images).run(images) for execution in ("counts", "events"))
    assert (counts.steps, counts.provenance.partition(",")[0]) == (1, "cpu: counts")
    assert events.steps > 1
    assert events.provenance.startswith("cpu: events, ")
    np.testing.assert_array_equal(counts.outputs, events.outputs)
    assert counts.counts.keys() == events.counts.keys()
    for name, found in counts.counts.items():
        assert found.any()
        np.testing.assert_array_equal(found, events.counts[name], err_msg=name)


def test_counts_are_taken_where_the_code_is_exact(model: nn.Module, images: Floats) -> None:
    for code, execution in (("auto", "counts"), ("free", "events")):
        compiled = compiled_as("auto", code, model, images)
        modes = {op.mode.data for op in compiled.level("cpu").walk() if isinstance(op, ProgramOp)}
        assert (compiled.execution, modes) == (execution, {execution})


def test_the_spikes_stay_known(compiled: Compiled, images: Floats) -> None:
    """Every level, what was compared and why it is exact are those of the spiking network."""
    fresh = replace(compiled, evaluations={}, validation=None)
    assert fresh.execution == "counts"
    assert tuple(fresh.levels)[-3:] == ("snn-count", "snn-integer", "cpu")
    assert [(each.before, each.after) for each in fresh.validate(images[:8]).exact] == [
        ("ann-quantized", "snn-count"),
        ("snn-count", "snn-integer"),
        ("snn-integer", "cpu:host"),
    ]
    assert fresh.validation is not None
    assert fresh.validation.passed
    assert fresh.certificate().exact
    assert "cpu:host computes the counts themselves, each layer at once, and walks through no steps" in fresh.report()
    assert "an image takes 15 steps" in fresh.report()


@pytest.mark.parametrize("execution", ["auto", "counts", "events"])
def test_an_artefact_runs_as_it_was_compiled(execution: str, model: nn.Module, images: Floats, tmp_path: Path) -> None:
    compiled = compiled_as(execution, "radix", model, images)
    compiled.save(tmp_path / "it.nca")
    loaded = nc.load(tmp_path / "it.nca")
    before, after = compiled.run(images), loaded.run(images)
    assert loaded.execution == compiled.execution
    assert (before.steps, before.provenance) == (after.steps, after.provenance)
    np.testing.assert_array_equal(before.outputs, after.outputs)


def test_other_targets_compute_no_counts(model: nn.Module, images: Floats) -> None:
    with pytest.raises(nc.TargetError, match='execution="counts": target loihi walks through time steps'):
        nc.compile(model, target="loihi2", calibration=images, conversion=nc.Conversion(execution="counts"))


def test_the_command_line_takes_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert nc_compile.main(["model.pt2", "--execution", "counts", "--code", "free"]) == 1
    assert 'execution="counts" needs an exact code' in capsys.readouterr().err


def test_kernels_are_chosen_by_what_fires_on_the_calibration_images(model: nn.Module, images: Floats) -> None:
    layers = [op for op in compiled_as("events", "free", model, images).level("cpu").walk() if isinstance(op, LayerOp)]
    assert layers
    for layer in layers:
        assert activity_of(layer) is not None
        assert {"gather", "dense"} <= cast(DictionaryAttr, layer.attributes[COST]).data.keys()


def test_what_a_network_of_counts_would_multiply_depends_on_nothing(model: nn.Module, images: Floats) -> None:
    ways = (("counts", "unary"), ("events", "unary"), ("events", "free"), ("events", "radix"))
    told = [compiled_as(*way, model, images).report() for way in ways]
    lines = {line for report in told for line in report.splitlines() if line.startswith("dense synaptic operations")}
    assert len(lines) == 1
