"""A bias that matches the mean of what the quantised layer says."""

from __future__ import annotations

from dataclasses import dataclass

from neurocuda.passes.ann.calibration.layer import Layer

ROUNDS = 1


@dataclass(frozen=True)
class OutputMean:
    name = "output-mean"

    def apply(self, layer: Layer) -> Layer:
        if layer.clip is None:
            return layer
        for _ in range(ROUNDS):
            layer = layer.with_bias(layer.bias + layer.mean(layer.wanted - layer.activation))
        return layer
