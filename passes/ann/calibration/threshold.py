"""Clip ranges that lose least on what a layer receives in the quantised network."""

from __future__ import annotations

import numpy as np

from neurocuda.passes.ann._statistics import by_channel
from neurocuda.passes.ann.calibration.layer import Field, Floats, Layer, staircase
from neurocuda.reference.meaning import Array

PLACES = 20_000
"""Activations of a channel that are looked at."""

SHARES = np.linspace(0.05, 1.2, 70)
"""Clip ranges tried, in units of the largest activation."""


def threshold(layer: Layer) -> Layer:
    """Each channel's clip range with the least mean square error towards what the float network says there.

    Channels that are silent in the float network keep theirs; a clamp in the model bounds every range.
    """
    if layer.clip is None:
        return layer
    errors, clips = clip_errors(layer)
    best = errors.argmin(axis=0)
    clip = np.take_along_axis(clips, best[None], axis=0)[0]
    return layer.with_clip(np.where(clips[-1] > 0, clip, layer.clip))


def clip_errors(layer: Layer) -> tuple[Field, Field]:
    """(candidates, channels): the mean square error of each candidate, and the candidates, in rising order."""
    charge, wanted = (_sampled(by_channel(values)) for values in (layer.charge, layer.wanted))
    unit = layer.unit.reshape(-1, 1)
    top = wanted.max(axis=1, keepdims=True).astype(np.float64)
    clips = [np.minimum(top * share, np.inf if layer.maximum is None else layer.maximum) for share in SHARES]
    errors: list[Field] = []
    for clip in clips:
        whole = np.maximum(np.rint(clip / layer.levels / unit), 1)
        said = staircase(charge, unit, whole, layer.levels)
        errors.append(np.square(said - wanted).mean(axis=1, dtype=np.float64))
    return np.array(errors), np.array(clips)[..., 0]


def _sampled(rows: Array) -> Floats:
    """At most so many places of every channel, the same for all arrays of a layer."""
    places = rows.shape[1]
    if places <= PLACES:
        return rows
    return rows[:, np.sort(np.random.default_rng(0).choice(places, PLACES, replace=False))]
