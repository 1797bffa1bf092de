"""A bias that matches the mean of the charge."""

from __future__ import annotations

from dataclasses import dataclass

from neurocuda.passes.ann.calibration.layer import Layer


@dataclass(frozen=True)
class Bias:
    name = "bias"

    def apply(self, layer: Layer) -> Layer:
        return layer.with_bias(layer.bias + layer.mean(layer.target - layer.charge))
