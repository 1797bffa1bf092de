"""The text report of a compiled network."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from neurocuda.ir.attributes import shape_of
from neurocuda.ir.origin import origin_of, user_location

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled


def report(compiled: Compiled) -> str:
    """What was compiled, layer by layer; figures say whether they are measured or estimated."""
    return "\n".join([*_header(compiled), "", *_layers(compiled), "", *_cost(compiled), *_facts(compiled)])


def _header(compiled: Compiled) -> Iterator[str]:
    yield f"{compiled.name} for {compiled.target}"
    yield f'code "{compiled.code}", T = {compiled.conversion.timesteps}, calibration {compiled.conversion.calibration}'
    takes = "uint8 images" if compiled.preprocessing is not None else "float32 images"
    yield f"takes {takes}; levels {' -> '.join(compiled.levels)}"


def _layers(compiled: Compiled) -> Iterator[str]:
    """One line per neuron layer at level ann-quantized."""
    yield f"{'neuron layer':32} {'neurons':>9} {'T':>5} {'synapses':>9}  from"
    for op in compiled.levels["ann-quantized"].walk():
        if "threshold" not in op.properties or not op.results:
            continue
        levels = op.properties["levels"]
        count = getattr(getattr(levels, "value", None), "data", 0)
        neurons = prod(shape_of(op.results[0]))
        yield f"{origin_of(op) or op.name:32.32} {neurons:9d} {count:5d} {len(op.operands):9d}  {user_location(op)}"


def _cost(compiled: Compiled) -> Iterator[str]:
    module = compiled.levels[compiled.backend.level]
    for reading in compiled.backend.cost(module, compiled.weights, None):
        yield f"{reading.name}: {reading.value:.6g} {reading.unit} ({reading.kind})"


def _facts(compiled: Compiled) -> Iterator[str]:
    for name, value in compiled.facts.items():
        yield f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}"
