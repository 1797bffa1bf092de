"""A bias that matches the mean charge."""

from __future__ import annotations

from neurocuda.passes.ann.calibration.layer import Layer


def bias(layer: Layer) -> Layer:
    """The mean charge per channel becomes the float network's."""
    return layer.with_bias(layer.bias + layer.mean(layer.target - layer.charge))
