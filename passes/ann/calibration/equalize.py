"""Clip ranges that let all channels of a layer share one integer threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase
from neurocuda.passes.ann.calibration.layer import Branch, Field, Layer, batches
from neurocuda.passes.ann.calibration.threshold import clip_errors

CEILINGS = np.geomspace(1 / 32, 1, 26)
"""Limits tried for the largest weight per threshold, in units of the layer's largest."""


def equalize(layer: Layer) -> Layer:
    """Raises the clip ranges of channels whose weights are large beside their threshold.

    With one integer threshold for all, a channel's weights are rounded in steps of (its threshold) x (the layer's
    largest weight per threshold) / 127: one channel with large weights costs all others resolution. A limit on weight
    per threshold is chosen such that the mean square error of rounding activations (which grows for the channels that
    are raised) and of rounding weights (which shrinks for all) is least in sum.
    """
    if layer.clip is None:
        return layer
    errors, clips = clip_errors(layer)
    top = np.broadcast_to(layer.top.ravel(), layer.clip.shape) * layer.levels
    squares = sum(_sum_of_squares(branch) for branch in layer.branches)
    ratio: Field = np.where(top > 0, top / layer.clip, 0)
    best, cost = layer.clip, np.inf
    for limit in CEILINGS * ratio.max():
        clip = np.maximum(layer.clip, top / limit)
        step = clip / layer.levels * limit / layer.grid.largest
        found = float((_at(errors, clips, clip) + np.square(step) / 12 * squares).sum())
        if found < cost:
            best, cost = clip, found
    return layer.with_clip(best if layer.maximum is None else np.minimum(best, layer.maximum))


def _at(errors: Field, clips: Field, clip: Field) -> Field:
    """The error per channel at a clip range, between and beyond the candidates."""
    beyond = np.square(np.maximum(clip / np.maximum(clips[-1], 1e-30), 1))
    found = np.empty_like(clip)
    for channel in range(len(clip)):
        found[channel] = np.interp(clip[channel], clips[:, channel], errors[:, channel])
    return found * beyond


def _sum_of_squares(branch: Branch) -> float:
    """The mean sum of squared counts that an output reads: what an error of one in every weight would amount to."""
    scale = np.where(branch.scale > 0, branch.scale, np.inf).astype(np.float32)
    if not isinstance(branch.op, Conv2dBase | LinearBase):
        return float(np.square(branch.values / scale).mean())
    counted = replace(branch, values=branch.values / scale)
    total, places = 0.0, 0
    for batch in batches(len(branch.values)):
        patches = counted.patches(batch)
        total += float(np.square(patches).sum(dtype=np.float64)) / patches.shape[0]
        places += patches.shape[2]
    return total / places
