"""A clip range that loses least on what the layer really receives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurocuda.passes.ann._statistics import by_channel
from neurocuda.passes.ann.calibration.layer import Floats, Layer, staircase

SAMPLES = 20_000
CANDIDATES = 70


@dataclass(frozen=True)
class Threshold:
    name = "threshold"

    def apply(self, layer: Layer) -> Layer:
        if layer.clip is None:
            return layer
        charge, wanted = _sampled(by_channel(layer.charge), by_channel(layer.wanted))
        unit = np.broadcast_to(layer.unit.reshape(-1, 1), (len(layer.clip), 1))
        top = wanted.max(axis=1).astype(np.float64)[:, None]
        best = np.full(len(top), np.inf)
        clip = layer.clip.copy()
        for share in np.linspace(0.05, 1.2, CANDIDATES):
            threshold = np.maximum(np.rint(top * share / layer.levels / unit), 1)
            error = np.square(staircase(charge, unit, threshold, layer.levels) - wanted).mean(axis=1)
            better = (error < best) & (top[:, 0] > 0)
            best[better] = error[better]
            clip[better] = (threshold * unit * layer.levels)[better, 0]
        return layer.with_clip(clip if layer.maximum is None else np.minimum(clip, layer.maximum))


def _sampled(*rows: Floats) -> list[Floats]:
    places = rows[0].shape[1]
    if places <= SAMPLES:
        return list(rows)
    chosen = np.sort(np.random.default_rng(0).choice(places, SAMPLES, replace=False))
    return [row[:, chosen] for row in rows]
