"""Weights that make up for the rounding of what they read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase
from neurocuda.passes.ann.calibration.layer import Branch, Field, Floats, Layer, batches

RIDGES = (100.0, 10.0, 1.0, 0.1, 0.01)
"""Ridges tried, in units of the mean variance of an input: from weights that stay to weights that fit every image."""

ROUNDS = 2
"""How often the fit is repeated with the rectifier in view."""


def least_squares(layer: Layer) -> Layer:
    """Every convolution and matrix product in turn takes over what the layer's charge lacks, its diagonals stay.

    The change of a weight is the ridge regression of the residual on what the synapse reads, in closed form. The ridge
    is that with which the fit on one half of the images leaves least on the other: with many inputs and few places, as
    in late layers, a small one fits the images at hand and loses on others. Repeated rounds leave out of the residual
    what the rectifier hides: where both charges are negative nothing is wrong (as in Zhang et al. 2016, "Accelerating
    very deep convolutional networks", asymmetric reconstruction with ReLU).
    """
    linear = [number for number, branch in enumerate(layer.branches) if isinstance(branch.op, Conv2dBase | LinearBase)]
    known = {number: moments(layer.branches[number]) for number in linear}
    for rectified in (False, *[layer.clip is not None] * ROUNDS):
        for number in linear:
            layer = _improved(layer, number, *known[number], rectified=rectified)
    return layer


def _improved(layer: Layer, number: int, mean: Field, variances: Field, *, rectified: bool) -> Layer:
    """One synapse regressed on the residual of the layer."""
    branch = layer.branches[number]
    charge = layer.exact_charge
    residual = layer.target - charge
    if rectified:
        residual = np.where((layer.target <= 0) & (charge <= 0), np.float32(0), residual)
    lack, covariances = _covariances(branch, residual, mean)
    ridge = min(RIDGES, key=lambda ridge: _left_over(variances, covariances, ridge))
    change = _change(variances.sum(axis=0), covariances.sum(axis=0), ridge)
    shift = lack - np.einsum("goi,gi->go", change, mean)
    weight = branch.weight + change.reshape(branch.weight.shape)
    return layer.with_weight(number, weight).with_bias(layer.bias + layer.per_channel(shift.ravel()))


def _change(variance: Field, covariance: Field, ridge: float) -> Field:
    """The change of the weights, (groups, outputs, inputs)."""
    found = np.linalg.solve(with_ridge(variance, ridge), covariance.swapaxes(1, 2))
    return found.swapaxes(1, 2).astype(np.float64)


def _left_over(variances: Field, covariances: Field, ridge: float) -> float:
    """By how much the squared residuals of both halves grow when each takes the change that the other asks for."""
    changes = [
        _change(variance, covariance, ridge) for variance, covariance in zip(variances, covariances, strict=True)
    ]
    change = np.stack(changes[::-1])
    return float(np.sum(change * (change @ variances - 2 * covariances)))


def moments(branch: Branch) -> tuple[Field, Field]:
    """Mean (groups, inputs) of what the outputs of each group read, and what each half of the images adds to its
    covariance, (2, groups, inputs, inputs)."""
    total, places = np.zeros(1), 0
    for batch in batches(len(branch.values)):
        patches = branch.patches(batch)
        total = total + patches.sum(axis=2, dtype=np.float64)
        places += patches.shape[2]
    mean = total / places
    products = [np.zeros(1), np.zeros(1)]
    for half, batch in _halves(len(branch.values)):
        centred = _centred(branch, batch, mean)
        products[half] = products[half] + np.matmul(centred, centred.swapaxes(1, 2)).astype(np.float64)
    return mean, np.stack(products) / places


def _halves(images: int) -> Iterator[tuple[int, slice]]:
    """Some images at a time, every other one for half 0, those between for half 1."""
    for batch in batches(images):
        for half in range(min(2, images - batch.start)):
            yield half, slice(batch.start + half, batch.stop, 2)


def _centred(branch: Branch, batch: slice, mean: Field) -> Floats:
    """What the outputs read, less its mean: single precision then loses nothing of small variances."""
    return branch.patches(batch) - mean[:, :, None].astype(np.float32)


def _covariances(branch: Branch, residual: Floats, mean: Field) -> tuple[Field, Field]:
    """Mean residual (groups, outputs) and what each half of the images adds to its covariance with the inputs,
    (2, groups, outputs, inputs)."""
    total, places = np.zeros(1), 0
    products = [np.zeros(1), np.zeros(1)]
    for half, batch in _halves(len(residual)):
        rows = branch.outputs(residual[batch])
        total = total + rows.sum(axis=2, dtype=np.float64)
        centred = _centred(branch, batch, mean)
        products[half] = products[half] + np.matmul(rows, centred.swapaxes(1, 2)).astype(np.float64)
        places += rows.shape[2]
    return total / places, np.stack(products) / places


def with_ridge(variance: Field, share: float) -> Field:
    """The covariance with a ridge that keeps weights where the images say little; silent inputs change nothing."""
    ridge = share * np.einsum("gii->g", variance) / variance.shape[1]
    return variance + np.where(ridge > 0, ridge, 1.0)[:, None, None] * np.eye(variance.shape[1])
