"""What a compiled network of spike trains is, and what is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.errors import InputError
from neurocuda.ir.attributes import element_type, written_shape
from neurocuda.ir.constraints import constraints_of
from neurocuda.measure.placement import chip_figures, layout_figures
from neurocuda.measure.report import (
    evaluation_figures,
    known,
    parameters_of,
    readings_of,
    told,
    told_names,
    told_target,
)
from neurocuda.measure.words import counted
from neurocuda.reference.interpreter import main_function

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import SSAValue

    from neurocuda.compiled import Compiled
    from neurocuda.images import Array
    from neurocuda.ir.weights import WeightStore
    from neurocuda.measure.report import Plain


@dataclass(frozen=True)
class CountRange:
    """What an input of a network of integers takes: whole multiples of a step, from `low` to `high` of them."""

    low: int
    high: int
    step: float

    def require(self, array: Array, row: str) -> None:
        """Nothing that such an input is given is rounded or clipped in silence. `row` is what its first axis counts.

        Raises:
            InputError: a value is no whole multiple of the step, or outside the range.
        """
        counts = array if self.step == 1 else array / np.float32(self.step)
        if _are_within(counts, self.low, self.high):
            return
        strange = (counts != np.trunc(counts)) | (counts < self.low) | (counts > self.high)
        unit = " numbers" if self.step == 1 else f" multiples of {self.step:g},"
        found = f"{array[strange][0]:g} in {row} {int(np.argwhere(strange)[0][0])}"
        raise InputError(
            f"this network of integers takes whole{unit} {self.low} ... {self.high}, found {found}; "
            "compile without weight_bits to keep floats"
        )


def count_ranges(module: ModuleOp, weights: WeightStore) -> Mapping[int, CountRange]:
    """What the inputs that become integers take, by their place."""
    arguments: list[SSAValue] = [*main_function(module).body.block.args]
    found: dict[int, CountRange] = {}
    for op in module.walk():
        if isinstance(op, host.QuantizeOp) and op.input in arguments:
            element = element_type(op.result)
            assert isinstance(element, RangeType)
            step = float(weights.array(op.step).max())
            found[arguments.index(op.input)] = CountRange(*element.bounds, step)
    return found


def _are_within(counts: Array, low: int, high: int) -> bool:
    """Whether these are whole numbers of 16 bits within a range: a quick look."""
    if not counts.size:
        return True
    with np.errstate(invalid="ignore"):
        whole = counts.astype(np.int16)
    return int(whole.min()) >= low and int(whole.max()) <= high and bool(np.equal(whole, counts).all())


def train_report(compiled: Compiled) -> str:
    """What was compiled, layer by layer; figures say whether they are measured or estimated."""
    return told(_header(compiled), _layers(compiled), *told_target(compiled), known(compiled))


def _header(compiled: Compiled) -> Iterator[str]:
    count, size = parameters_of(compiled.levels[compiled.source], compiled.weights)
    yield from told_names(compiled)
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
        "chip": chip_figures(compiled),
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
        "layout": layout_figures(compiled),
        "cost": [asdict(reading) for reading in readings_of(compiled)],
        "accuracy": {what: evaluation_figures(found) for what, found in compiled.evaluations.items()},
        "mismatches": None if validation is None else validation.mismatches,
        "counts compared": None if validation is None else validation.counts,
        "facts": dict(compiled.facts),
    }
