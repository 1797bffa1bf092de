"""What is known of a compiled network, as plain values that can be written as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled


def summary_of(compiled: Compiled) -> dict[str, object]:
    """Target, options and facts."""
    return {
        "name": compiled.name,
        "target": compiled.target,
        "code": compiled.code,
        "timesteps": compiled.conversion.timesteps,
        "conversion": asdict(compiled.conversion),
        "preprocessing": None if compiled.preprocessing is None else asdict(compiled.preprocessing),
        "levels": list(compiled.levels),
        "facts": dict(compiled.facts),
        "validation": None if compiled.validation is None else asdict(compiled.validation),
    }


def report_of(compiled: Compiled) -> dict[str, object]:
    """The summary, every neuron layer, and the readings of the target's cost model."""
    from neurocuda.measure.layers import layers_of

    module = compiled.levels[compiled.backend.level]
    layers = [asdict(layer) | {"neurons": layer.neurons} for layer in layers_of(compiled.levels["ann-quantized"])]
    readings = [asdict(reading) for reading in compiled.backend.cost(module, compiled.weights)]
    return {**summary_of(compiled), "layers": layers, "cost": readings}
