"""Weights on the integer grid, each one making up for the rounding of those before it."""

from __future__ import annotations

import numpy as np

from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase
from neurocuda.passes.ann import _fields as fields
from neurocuda.passes.ann._weight_grid import WeightGrid
from neurocuda.passes.ann.calibration.layer import Branch, Field, Layer
from neurocuda.passes.ann.calibration.least_squares import moments, with_ridge

RIDGE = 1e-2
"""The ridge of the covariance, in units of the mean variance of an input."""

SHARES = np.linspace(0.4, 1, 25)
"""Units tried, in units of the one in which the largest weight is the largest integer."""


def rounding(layer: Layer) -> Layer:
    """Rounds weights so that the charge, not each weight, loses least; larger weights than the grid has are cut.

    The unit per channel is the one with the least sum of squared weight errors times the variance of what they
    multiply. Then weight after weight is rounded and the others take over its error as far as their inputs go along
    with it (optimal brain compression in the order of GPTQ, Frantar et al. 2023). `quantize-weights` finds the same
    integers again. Where thresholds fix the units, nothing is done.
    """
    if layer.grid.fixes_units or layer.unit.size != layer.mean(layer.target).size:
        return layer
    variances = [moments(branch)[1].sum(axis=0) if _is_matrix(branch) else None for branch in layer.branches]
    unit = _best_unit(layer, variances)
    for number, (branch, variance) in enumerate(zip(layer.branches, variances, strict=True)):
        layer = layer.with_weight(
            number, _compensated(branch, _step(branch, unit, layer.grid), variance, layer.grid.steps)
        )
    return layer


def _is_matrix(branch: Branch) -> bool:
    return isinstance(branch.op, Conv2dBase | LinearBase)


def _counted(branch: Branch) -> Field:
    """What one count of each weight's input stands for, in the shape of the weight."""
    found = fields.columns(branch.op, np.ones_like(branch.weight), branch.scale)
    assert found is not None
    return np.where(found > 0, found, 1)


def _step(branch: Branch, unit: Field, grid: WeightGrid) -> Field:
    """The distance between neighbouring weights, in a shape that broadcasts with the weight."""
    divisor = fields.per_output(branch.op, unit.ravel()) if _is_matrix(branch) else unit
    return divisor * grid.constraints.weight_step / _counted(branch)


def _best_unit(layer: Layer, variances: list[Field | None]) -> Field:
    best, cost = layer.unit, np.full(layer.unit.shape, np.inf)
    free = layer.unit <= layer.grid.finest(layer.top)  # thresholds fix all others
    for share in SHARES:
        unit = np.where(free, layer.unit * share, layer.unit)
        found = np.zeros(layer.unit.shape)
        for branch, variance in zip(layer.branches, variances, strict=True):
            step = _step(branch, unit, layer.grid)
            error = np.square(branch.weight - _nearest(branch.weight, step, layer.grid.steps))
            found = found + _weighed(layer, branch, error, variance)
        better = found < cost
        best, cost = np.where(better, unit, best), np.where(better, found, cost)
    return best


def _nearest(weight: Field, step: Field, largest: int) -> Field:
    return np.clip(np.rint(weight / step), -largest, largest) * step


def _weighed(layer: Layer, branch: Branch, error: Field, variance: Field | None) -> Field:
    """The squared errors of all weights of a channel, each times the variance of what it multiplies."""
    if variance is None:
        squares = np.square(branch.values).mean(axis=0, dtype=np.float64)
        return layer.mean((error * squares)[None]).reshape(layer.unit.shape)
    groups, inputs, _ = variance.shape
    each = error.reshape(groups, -1, inputs) * np.einsum("gii->gi", variance)[:, None]
    return each.sum(axis=2).reshape(layer.unit.shape)


def _compensated(branch: Branch, step: Field, variance: Field | None, largest: int) -> Field:
    """The weight on the grid; those that are cut or are the largest stay so, which fixes the unit for later passes."""
    if variance is None:
        return _nearest(branch.weight, step, largest)
    weight = branch.weight.reshape(*variance.shape[:1], -1, variance.shape[1]).copy()
    steps = np.broadcast_to(step, branch.weight.shape).reshape(weight.shape)
    ends = np.where(np.abs(weight) >= (largest - 1e-6) * steps, np.sign(weight) * largest * steps, np.nan)
    follow = _upper_factor_of_inverse(with_ridge(variance, RIDGE))
    for i in range(weight.shape[2]):
        near = _nearest(weight[..., i], steps[..., i], largest)
        near = np.where(np.isnan(ends[..., i]), near, ends[..., i])
        error = (weight[..., i] - near) / follow[:, i, i, None]
        weight[..., i] = near
        weight[..., i + 1 :] -= error[..., None] * follow[:, None, i, i + 1 :]
    return weight.reshape(branch.weight.shape)


def _upper_factor_of_inverse(matrices: Field) -> Field:
    """U with U^T U = M^-1, upper triangular, from the Cholesky factor of M with its axes reversed."""
    lower = np.linalg.cholesky(matrices[:, ::-1, ::-1])
    return np.triu(np.linalg.inv(lower[:, ::-1, ::-1])).astype(np.float64)
