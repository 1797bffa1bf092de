"""Gives every layer as many levels as it is worth, within a number of time steps for the whole network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects import func
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.errors import InputError, LevelError, OptionError, Problem
from neurocuda.ir.origin import user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import LEVELS, named_images, statistics_of

if TYPE_CHECKING:
    from neurocuda.reference.interpreter import Run
    from neurocuda.reference.meaning import Array

LADDER = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 19, 24, 31, 39, 49, 63)
"""Numbers of levels that a layer may get."""

PROBE = 8
"""The number of levels at which the network's sensitivity to each layer is measured."""

IMAGES_PROBED = 32


@dataclass(frozen=True)
class ChooseLevelsPass(NeuroPass):
    """
    Writes `nc.levels` on every neuron layer such that the levels on the longest way through the network sum up to at
    most `budget`: the time steps that the unary code takes behind the input.

    What a layer costs at T levels is the square error of rounding its activations (from its statistics) times how much
    such an error at that layer moves the network's outputs, measured on calibration images. Starting from one level
    each, the step up that saves most per time step is taken until none fits.

    Before:
        builtin.module attributes {nc.calibration = [dense<[[1.0], [2.0]]> : tensor<2x1xf32>]} {
          func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
            %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
            %y = ann.neuron %0 {nc.statistics = {minimum = dense<0.0> : tensor<1xf32>, maximum = dense<2.0> : tensor<1xf32>,
                                                 mean = dense<1.0> : tensor<1xf32>, variance = dense<1.0> : tensor<1xf32>,
                                                 edges = dense<[[0.0, 2.0]]> : tensor<1x2xf32>,
                                                 histogram = dense<1> : tensor<1x2048xi32>}} : (tensor<1xf32>) -> tensor<1xf32>
            func.return %y : tensor<1xf32>
          }
        }

    Options: budget=9

    After:
        %y = ann.neuron %0 {nc.statistics = {...}, nc.levels = 8 : i64}
    """  # noqa: E501

    name = "choose-levels"
    promise = Equal()

    budget: int

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.reference.interpreter import main_function

        images = named_images(module, weights)
        if not images:
            raise InputError("choose-levels: the module names no calibration images (nc.calibration)")
        ops = list(main_function(module).body.block.ops)
        layers = [op for op in ops if isinstance(op, ann.NeuronOp)]
        shortest = longest_way(ops, dict.fromkeys(layers, 1))
        if self.budget < shortest:
            raise OptionError(
                f"choose-levels: {shortest} layers follow one another, so the budget must be at least {shortest} "
                f"steps, not {self.budget}"
            )
        errors = _rounding_errors(layers, weights)
        arguments = dict(zip(main_function(module).body.block.args, images, strict=True))
        sensitivity = _sensitivities(ops, {value: array[:IMAGES_PROBED] for value, array in arguments.items()}, weights)
        costs: dict[Operation, list[float]] = {op: [sensitivity[op] * error for error in errors[op]] for op in layers}
        for op, levels in chosen_levels(ops, costs, self.budget).items():
            op.attributes[LEVELS] = IntegerAttr(levels, i64)


def longest_way(ops: Sequence[Operation], levels: Mapping[Operation, int]) -> int:
    """The largest sum of levels along a way through the network."""
    arrival: dict[SSAValue, int] = {}
    for op in ops:
        latest = max((arrival.get(operand, 0) for operand in op.operands), default=0)
        arrival |= dict.fromkeys(op.results, latest + levels.get(op, 0))
    return max(arrival.values(), default=0)


def chosen_levels(
    ops: Sequence[Operation], costs: Mapping[Operation, Sequence[float]], budget: int
) -> dict[Operation, int]:
    """Levels of each layer: the step up the ladder that saves most per time step comes first, while it fits."""
    rung = dict.fromkeys(costs, 0)
    open_layers = set(costs)
    while open_layers:
        best = max((op for op in costs if op in open_layers), key=lambda op: _saving(costs[op], rung[op]))
        trial = rung | {best: rung[best] + 1}
        if trial[best] < len(LADDER) and longest_way(ops, _levels(trial)) <= budget:
            rung = trial
        else:
            open_layers.remove(best)
    return _levels(rung)


def _levels(rung: Mapping[Operation, int]) -> dict[Operation, int]:
    return {op: LADDER[position] for op, position in rung.items()}


def _saving(costs: Sequence[float], position: int) -> float:
    """What the next rung saves per time step."""
    if position + 1 >= len(LADDER):
        return 0.0
    return (costs[position] - costs[position + 1]) / (LADDER[position + 1] - LADDER[position])


def _rounding_errors(layers: Sequence[ann.NeuronOp], weights: WeightStore) -> dict[Operation, list[float]]:
    """The square error of each layer at every rung, relative to the one at the probe."""
    from neurocuda.passes.ann.balance_thresholds import least_square_clip

    found: dict[Operation, list[float]] = {}
    missing: list[Problem] = []
    for op in layers:
        statistics = statistics_of(op, weights)
        if statistics is None:
            missing.append(Problem(f"`{op.name}`", user_location(op), "it has no statistics", "Run `calibrate` first."))
            continue
        errors = {levels: float(least_square_clip(statistics, levels)[1].sum()) for levels in LADDER}
        found[op] = [errors[levels] / (errors[PROBE] or 1.0) for levels in LADDER]
    if missing:
        raise LevelError("choose-levels needs statistics:", missing)
    return found


def _sensitivities(
    ops: Sequence[Operation], arguments: Mapping[SSAValue, Array], weights: WeightStore
) -> dict[Operation, float]:
    """The mean square change of the outputs when one layer alone is rounded to `PROBE` levels."""
    from neurocuda.reference.interpreter import Run

    run = Run(weights)
    exact = dict(arguments)
    for op in ops:
        if not isinstance(op, func.ReturnOp):
            exact |= zip(op.results, run.evaluate(op, [exact[operand] for operand in op.operands]), strict=True)
    found: dict[Operation, float] = {}
    for position, op in enumerate(ops):
        if isinstance(op, ann.NeuronOp):
            changed: dict[SSAValue, Array] = {op.result: _rounded(op, exact[op.result], weights)}
            found[op] = _change_of_outputs(ops[position + 1 :], exact, changed, run)
    return found


def _change_of_outputs(
    ops: Sequence[Operation], exact: Mapping[SSAValue, Array], given: Mapping[SSAValue, Array], run: Run
) -> float:
    changed = dict(given)
    for op in ops:
        if not any(operand in changed for operand in op.operands):
            continue
        operands = [changed.get(operand, exact[operand]) for operand in op.operands]
        if isinstance(op, func.ReturnOp):
            pairs = zip(operands, op.operands, strict=True)
            return sum(float(((array - exact[operand]) ** 2).mean()) for array, operand in pairs)
        changed |= zip(op.results, run.evaluate(op, operands), strict=True)
    return 0.0


def _rounded(op: ann.NeuronOp, values: Array, weights: WeightStore) -> Array:
    """Activations rounded to `PROBE` levels of the layer's best clip ranges."""
    import numpy as np

    from neurocuda.passes.ann._statistics import broadcast_shape
    from neurocuda.passes.ann.balance_thresholds import bounded, least_square_clip

    statistics = statistics_of(op, weights)
    assert statistics is not None
    clip = bounded(least_square_clip(statistics, PROBE)[0], None)
    unit = (clip / PROBE).reshape(broadcast_shape(values.ndim - 1, len(clip))).astype(np.float32)
    return np.clip(np.floor(values / unit + np.float32(0.5)), 0, PROBE) * unit
