"""What a compiled network of spike trains is, and what is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from neurocuda.ir.attributes import written_shape
from neurocuda.ir.constraints import constraints_of
from neurocuda.measure.report import evaluation_figures, known, parameters_of, readings_of, told_cost
from neurocuda.measure.words import counted

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled
    from neurocuda.measure.report import Plain


def train_report(compiled: Compiled) -> str:
    """What was compiled, layer by layer; figures say whether they are measured or estimated."""
    sections = (_header(compiled), _layers(compiled), told_cost(compiled), known(compiled))
    return "\n\n".join("\n".join(lines) for section in sections if (lines := list(section)))


def _header(compiled: Compiled) -> Iterator[str]:
    count, size = parameters_of(compiled.levels[compiled.source], compiled.weights)
    yield f"{compiled.name} for {compiled.target}"
    yield f'code "train": spike trains of any length, in {_numbers(compiled)}'
    yield f"takes recordings of {', '.join(map(written_shape, compiled.inputs.shapes))}"
    yield (
        f"{counted(compiled.neurons, 'neuron')} in {counted(len(compiled.layers), 'layer')}, "
        f"{counted(count, 'weight')} in {counted(size, 'byte')}"
    )
    yield f"levels {' -> '.join(compiled.levels)}"


def _numbers(compiled: Compiled) -> str:
    if compiled.source == "snn":
        return "floats"
    bits = compiled.conversion.weight_bits or constraints_of(compiled.levels[compiled.source]).weight_bits
    return f"integers, weights of {bits} bits"


def _layers(compiled: Compiled) -> Iterator[str]:
    """One line per layer of neurons; a readout sends no spikes."""
    width = max((len(layer.name) for layer in compiled.layers), default=5)
    yield f"{'layer':{width}} {'neurons':>9} {'per step':>9} {'inputs':>7} {'MACs a step':>12}  from"
    for layer in compiled.layers:
        sends = str(layer.levels) if layer.levels else "readout"
        yield (
            f"{layer.name:{width}} {layer.neurons:9,} {sends:>9} {layer.synapses:7} {layer.operations:12,}  "
            f"{layer.where}"
        )


def train_figures(compiled: Compiled) -> dict[str, Plain]:
    """Everything that the text says, as plain values."""
    count, size = parameters_of(compiled.levels[compiled.source], compiled.weights)
    validation = compiled.validation
    return {
        "name": compiled.name,
        "target": compiled.target,
        "code": compiled.code,
        "numbers": _numbers(compiled),
        "inputs": {
            name: ["time" if size < 0 else size for size in shape]
            for name, shape in zip(compiled.inputs.names, compiled.inputs.shapes, strict=True)
        },
        "levels": list(compiled.levels),
        "neurons": compiled.neurons,
        "weights": {"number": count, "bytes": size},
        "layers": [asdict(layer) | {"neurons": layer.neurons} for layer in compiled.layers],
        "cost": [asdict(reading) for reading in readings_of(compiled)],
        "accuracy": {what: evaluation_figures(found) for what, found in compiled.evaluations.items()},
        "mismatches": None if validation is None else validation.mismatches,
        "counts compared": None if validation is None else validation.counts,
        "facts": dict(compiled.facts),
    }
