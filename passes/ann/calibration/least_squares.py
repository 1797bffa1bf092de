"""Weights that make up for the rounding of what they read."""

from __future__ import annotations

import numpy as np

from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase
from neurocuda.passes.ann.calibration.layer import Branch, Field, Floats, Layer, batches

RIDGE = 3.0
"""The ridge, in units of the mean variance of an input. Small ones fit the calibration images and lose on others."""

ROUNDS = 2
"""How often the fit is repeated with the rectifier in view."""


def least_squares(layer: Layer) -> Layer:
    """Every convolution and matrix product in turn takes over what the layer's charge lacks, its diagonals stay.

    The change of a weight is the ridge regression of the residual on what the synapse reads, in closed form. Repeated
    rounds leave out of the residual what the rectifier hides: where both charges are negative nothing is wrong (as in
    Zhang et al. 2016, "Accelerating very deep convolutional networks", asymmetric reconstruction with ReLU).
    """
    linear = [number for number, branch in enumerate(layer.branches) if isinstance(branch.op, Conv2dBase | LinearBase)]
    known = {number: moments(layer.branches[number]) for number in linear}
    for rectified in (False, *[layer.clip is not None] * ROUNDS):
        for number in linear:
            layer = _improved(layer, number, *known[number], rectified=rectified)
    return layer


def _improved(layer: Layer, number: int, mean: Field, variance: Field, *, rectified: bool) -> Layer:
    """One synapse regressed on the residual of the layer."""
    branch = layer.branches[number]
    charge = layer.exact_charge
    residual = layer.target - charge
    if rectified:
        residual = np.where((layer.target <= 0) & (charge <= 0), np.float32(0), residual)
    lack, covariance = _covariance(branch, residual, mean)
    change = np.linalg.solve(with_ridge(variance, RIDGE), covariance.swapaxes(1, 2))
    shift = lack - np.einsum("gio,gi->go", change, mean)
    weight = branch.weight + change.swapaxes(1, 2).reshape(branch.weight.shape)
    return layer.with_weight(number, weight).with_bias(layer.bias + layer.per_channel(shift.ravel()))


def moments(branch: Branch) -> tuple[Field, Field]:
    """Mean (groups, inputs) and covariance (groups, inputs, inputs) of what the outputs of each group read."""
    total, places = np.zeros(1), 0
    for batch in batches(len(branch.values)):
        patches = branch.patches(batch)
        total = total + patches.sum(axis=2, dtype=np.float64)
        places += patches.shape[2]
    mean = total / places
    products = np.zeros(1)
    for batch in batches(len(branch.values)):
        centred = _centred(branch, batch, mean)
        products = products + np.matmul(centred, centred.swapaxes(1, 2)).astype(np.float64)
    return mean, products / places


def _centred(branch: Branch, batch: slice, mean: Field) -> Floats:
    """What the outputs read, less its mean: single precision then loses nothing of small variances."""
    return branch.patches(batch) - mean[:, :, None].astype(np.float32)


def _covariance(branch: Branch, residual: Floats, mean: Field) -> tuple[Field, Field]:
    """Mean residual (groups, outputs) and its covariance with the inputs (groups, outputs, inputs)."""
    total, products, places = np.zeros(1), np.zeros(1), 0
    for batch in batches(len(residual)):
        rows = branch.outputs(residual[batch])
        total = total + rows.sum(axis=2, dtype=np.float64)
        products = products + np.matmul(rows, _centred(branch, batch, mean).swapaxes(1, 2)).astype(np.float64)
        places += rows.shape[2]
    return total / places, products / places


def with_ridge(variance: Field, share: float) -> Field:
    """The covariance with a ridge that keeps weights where the images say little; silent inputs change nothing."""
    ridge = share * np.einsum("gii->g", variance) / variance.shape[1]
    return variance + np.where(ridge > 0, ridge, 1.0)[:, None, None] * np.eye(variance.shape[1])
