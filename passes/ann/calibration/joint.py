"""All layers together: weights, biases and clip ranges by gradient descent on what every layer should say."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod

import numpy as np
import torch
from torch import Tensor
from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase
from neurocuda.errors import Problem, warn
from neurocuda.ir.attributes import dense_shape, shape_of
from neurocuda.ir.origin import user_location
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann.calibration.differentiable import Network, Rounding
from neurocuda.reference.interpreter import main_function
from neurocuda.reference.meaning import Array

EPOCHS = 30
FEWEST_EPOCHS = 5
BATCH = 32

RATE = 1e-3
"""The step of the optimizer at first, in units of a weight's root mean square, a tenth of a clip range, or e to it."""

DROPPED = 0.5
"""The share of values that are not rounded on the way, so that images are not fitted by heart (QDrop, Wei 2022)."""

SMALLEST = 1e-12
"""Layers that say nothing are wrong by nothing."""

MOST_PRODUCTS = 1.5e12
"""Multiply-accumulates of all passes over the images: under a minute on two cores."""


def tune_together(
    exact: ModuleOp, module: ModuleOp, weights: WeightStore, images: Sequence[Array], timesteps: int
) -> None:
    """Tunes the layers of a calibrated network so that every one of them says what it says in the network `exact`.

    The loss is the squared error of every layer and readout, each in units of its mean square; rounding passes
    gradients straight through. Layers then make up for what others round, which no layer can foresee on its own (as
    in BRECQ, Li et al. 2021, with the whole network as one block). It takes up to 30 epochs of Adam, as many as go
    into 1.5 10^12 multiply-accumulates; where not even 5 do, or an operation has no gradient here, nothing changes.

    Args:
        exact: the float network, with the same operations in the same order.
        images: one array per input, with a batch axis.
        timesteps: the levels of every layer that has no number of its own.

    Warns:
        NeuroCudaWarning: nothing was changed, and why.
    """
    tuned = Network(main_function(module).body.block, weights, timesteps)
    if not tuned.changes:  # a network without layers
        return
    without = tuned.without_gradient()
    if without is not None:
        place = Problem(f"`{without.name}`", user_location(without))
        warn(f"{place} has no gradient here: layers stay as they were calibrated one by one")
        return
    epochs = min(EPOCHS, int(MOST_PRODUCTS / (3 * len(images[0]) * max(1, _products(tuned)))))
    if epochs < FEWEST_EPOCHS:
        warn("the network is too large to tune its layers together: they stay as they were calibrated one by one")
        return
    _descend(Network(main_function(exact).body.block, weights, timesteps), tuned, images, epochs)
    tuned.write()


def _products(network: Network) -> int:
    """Multiply-accumulates of one image."""
    linear = [op for op in network.ops if isinstance(op, Conv2dBase | LinearBase)]
    return sum(prod(shape_of(op.result)) * prod(dense_shape(op.weight)[1:]) for op in linear)


def _descend(exact: Network, tuned: Network, images: Sequence[Array], epochs: int) -> None:
    order, random = np.random.default_rng(0), torch.Generator().manual_seed(0)
    batches = ceil(len(images[0]) / BATCH)
    optimizer = torch.optim.Adam(tuned.changes, lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)
    for _ in range(epochs):
        for chosen in np.array_split(order.permutation(len(images[0])), batches):
            batch = [image[chosen] for image in images]
            with torch.no_grad():
                wanted = exact.said(batch)
            optimizer.zero_grad()
            loss = _loss(tuned.said(batch, Rounding(random, DROPPED)), wanted)
            loss.backward()  # pyright: ignore[reportUnknownMemberType]
            optimizer.step()  # pyright: ignore[reportUnknownMemberType]
            schedule.step()


def _loss(said: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """The squared errors of all layers, each in units of its mean square."""
    errors = [
        (one - other).square().mean() / other.square().mean().clamp_min(SMALLEST)
        for one, other in zip(said, wanted, strict=True)
    ]
    return torch.stack(errors).sum()
