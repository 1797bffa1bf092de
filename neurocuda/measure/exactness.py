"""Whether spiking neurons sent exactly the counts of the integer network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import IntegerAttr, ModuleOp
from xdsl.ir import Operation

from neurocuda.dialects.shared.tables import TableLayerOp
from neurocuda.ir.attributes import element_type
from neurocuda.ir.origin import origin_of
from neurocuda.ir.weights import WeightStore
from neurocuda.measure.words import counted
from neurocuda.reference.interpreter import interpret
from neurocuda.reference.scales import Ranged

Array = NDArray[Any]
Integers = NDArray[np.int64]
Counts = Mapping[str, Array]


@dataclass(frozen=True)
class Comparison:
    """Counts of every neuron, and the outputs, compared between two stages.

    `differing` lists the layers that differ, in order; `missing` those that only the first stage knows; `first` says
    which neuron of which image differs first, and how.
    """

    before: str
    after: str
    layers: int
    counts: int
    mismatches: int
    differing: tuple[str, ...]
    missing: tuple[str, ...] = ()
    first: str = ""

    @property
    def exact(self) -> bool:
        """Whether nothing differs and nothing is missing."""
        return not self.mismatches and not self.missing

    def joined(self, other: Comparison) -> Comparison:
        """The same comparison on further images."""
        return replace(
            self,
            counts=self.counts + other.counts,
            mismatches=self.mismatches + other.mismatches,
            differing=tuple(dict.fromkeys(self.differing + other.differing)),
            first=self.first or other.first,
        )

    def __str__(self) -> str:
        text = f"{self.before} -> {self.after}: {self.mismatches:,} of {self.counts:,} counts differ"
        if self.missing:
            text += f", and {self.after} does not count {', '.join(self.missing)}"
        return text + (
            f"; first {self.first}" if self.first else f" ({counted(self.layers, 'layer')}, outputs included)"
        )


def counts_of(module: ModuleOp, weights: WeightStore, inputs: Sequence[Array]) -> dict[str, Array]:
    """How often every neuron fired (its integer count), by the origin of its layer; outputs as "output 0", ..."""
    found: dict[str, Array] = {}

    def note(op: Operation, values: Array) -> None:
        origin = origin_of(op)
        sends = isinstance(op, TableLayerOp) or "threshold" in op.properties
        if origin is not None and sends and isinstance(element_type(op.results[0]), Ranged):
            found[origin] = values

    outputs = interpret(module, weights, inputs, note)
    return found | {f"output {index}": output for index, output in enumerate(outputs)}


def compare(before: str, after: str, expected: Counts, found: Counts) -> Comparison:
    """Compares what the first stage knows with what the second says of it."""
    shared = [name for name in expected if name in found]
    differing = {name: count for name in shared if (count := _differing(expected[name], found[name]))}
    worst = next(iter(differing), None)
    return Comparison(
        before,
        after,
        len(shared),
        sum(expected[name].size for name in shared),
        sum(differing.values()),
        tuple(differing),
        tuple(name for name in expected if name not in found),
        "" if worst is None else _first(worst, expected[worst], found[worst]),
    )


def _differing(expected: Array, found: Array) -> int:
    if expected.shape != found.shape:
        return expected.size
    return int((expected != found).sum())


def _first(name: str, expected: Array, found: Array) -> str:
    """`layer1.relu: image 0, element [1, 2, 3] is 7 and becomes 8`."""
    if expected.shape != found.shape:
        return f"{name}: shape {expected.shape[1:]} becomes {found.shape[1:]}"
    place = tuple(int(index) for index in np.argwhere(expected != found)[0])
    element = ", ".join(map(str, place[1:]))
    return f"{name}: image {place[0]}, element [{element}] is {expected[place]} and becomes {found[place]}"


@dataclass(frozen=True)
class Residual:
    """Neurons of one layer whose final membrane shows that they did not send the count of what they received."""

    layer: str
    neurons: int
    off: int
    largest: int

    def joined(self, other: Residual) -> Residual:
        """The same layer on further images."""
        neurons, off = self.neurons + other.neurons, self.off + other.off
        return Residual(self.layer, neurons, off, max(self.largest, other.largest))

    def __str__(self) -> str:
        return f"{self.layer}: {self.off} of {self.neurons} neurons off, by at most {self.largest}"


def residuals_of(module: ModuleOp, weights: WeightStore, inputs: Sequence[Array]) -> list[Residual]:
    """The residual certificate of a free-running network (lemma 2 of the conversion notes), layer by layer.

    After a window of T steps with at most one spike each, a neuron with membrane v, threshold θ and N spikes has sent
    the count of the input it received (after the window, too) iff 0 <= v < θ, or v >= θ and N = T, or v < 0 and N = 0.
    If every neuron has, the inference equals the integer network. Otherwise it is off by ceil(-v / θ), or by
    min(floor(v / θ), T - N).
    """
    found: list[Residual] = []

    def note(op: Operation, state: Mapping[str, Array]) -> None:
        if "v" not in state or "fired" not in state or "threshold" not in op.properties:
            return
        arrays = (state["v"], state["fired"], weights.array(op.properties["threshold"]))
        levels = op.properties.get("levels")
        assert isinstance(levels, IntegerAttr)
        off = residual_counts(*(array.astype(np.int64) for array in arrays), levels=levels.value.data)
        found.append(Residual(origin_of(op) or op.name, off.size, int((off > 0).sum()), int(off.max(initial=0))))

    interpret(module, weights, inputs, on_state=note)
    return found


def residual_counts(membrane: Integers, spikes: Integers, threshold: Integers, levels: int) -> Integers:
    """By how many spikes each neuron is off; zero where it sent the count of what it received."""
    over = np.where((membrane < 0) & (spikes > 0), np.minimum(-(membrane // threshold), spikes), 0)
    under = np.where(membrane >= threshold, np.minimum(membrane // threshold, levels - spikes), 0)
    return (over + under).astype(np.int64)
