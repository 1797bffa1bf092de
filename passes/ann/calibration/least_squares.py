"""Weights that make up for the rounding of what they read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase
from neurocuda.passes.ann.calibration.layer import Branch, Field, Floats, Layer, sum_of

RIDGE = 1e-3
ROUNDS = 0


@dataclass(frozen=True)
class LeastSquares:
    name = "least-squares"

    def apply(self, layer: Layer) -> Layer:
        solvers = [(i, _Solver(layer, b)) for i, b in enumerate(layer.branches) if isinstance(b.op, Conv2dBase | LinearBase)]
        for round in range(1 + ROUNDS):
            for index, solver in solvers:
                layer = solver.improve(layer, index, rectified=round > 0)
        return layer


class _Solver:
    def __init__(self, layer: Layer, branch: Branch) -> None:
        self.mean, self.gram = _moments(layer, branch)
        diagonal = np.einsum("gii->gi", self.gram)
        ridge = RIDGE * diagonal.mean(axis=1)[:, None]
        self.regular = self.gram.copy()
        np.einsum("gii->gi", self.regular)[...] += np.maximum(ridge, 1e-12)

    def improve(self, layer: Layer, index: int, rectified: bool) -> Layer:
        branch = layer.branches[index]
        charge = sum_of([b.current(b.weight) for b in layer.branches]) + layer.bias.astype(np.float32)
        residual = layer.target - charge
        if rectified and layer.clip is not None:
            residual = np.where((layer.target <= 0) & (charge <= 0), 0, residual)
        cross = 0
        total = 0
        places = 0
        for batch in layer.batches():
            rows = branch.outputs(residual[batch])
            patches = branch.patches(batch)
            cross = cross + np.matmul(rows, patches.swapaxes(1, 2)).astype(np.float64)
            total = total + rows.sum(axis=2, dtype=np.float64)
            places += rows.shape[2]
        centred = cross / places - (total / places)[:, :, None] * self.mean[:, None, :]
        change = np.linalg.solve(self.regular, centred.swapaxes(1, 2)).swapaxes(1, 2)
        weight = branch.weight + change.reshape(branch.weight.shape)
        shift = (total / places - np.einsum("god,gd->go", change, self.mean)).ravel()
        return layer.with_weight(index, weight).with_bias(layer.bias + layer.per_channel(shift))


def _moments(layer: Layer, branch: Branch) -> tuple[Field, Field]:
    total, square, places = 0, 0, 0
    for batch in layer.batches():
        patches = branch.patches(batch)
        total = total + patches.sum(axis=2, dtype=np.float64)
        square = square + np.matmul(patches, patches.swapaxes(1, 2)).astype(np.float64)
        places += patches.shape[2]
    mean = total / places
    return mean, square / places - mean[:, :, None] * mean[:, None, :]
