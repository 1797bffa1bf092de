"""A bias that matches the mean of what a quantised layer says."""

from __future__ import annotations

from neurocuda.passes.ann.calibration.layer import Layer

FREE_ROUNDS = 3


def output_mean(layer: Layer) -> Layer:
    """The bias moves by what the mean activation per channel lacks (bias correction, Li et al. 2021).

    A readout says its charge, which `bias` corrects. Free-running layers answer less directly and get several rounds.
    """
    if layer.clip is None:
        return layer
    for _ in range(FREE_ROUNDS if layer.free else 1):
        layer = layer.with_bias(layer.bias + layer.mean(layer.wanted - layer.activation))
    return layer
