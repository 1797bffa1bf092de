"""Why a network's spikes say the integer network's counts: what was proved, what was compared, and on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import LevelError
from neurocuda.ir.constraints import constraints_of
from neurocuda.ir.origin import origin_of
from neurocuda.measure.layers import TRAIN
from neurocuda.measure.lemma import defined_in, proofs_of
from neurocuda.measure.validation import Validation
from neurocuda.passes.snn.analysis.activity import activities
from neurocuda.passes.snn.analysis.bounds import BoundsAnalysis
from neurocuda.passes.snn.verify_schedule import VerifySchedulePass

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Operation

    from neurocuda.compiled import Compiled
    from neurocuda.ir.weights import WeightStore

ARGUMENTS: Mapping[str, str] = {
    "unary": (
        "every layer fires only after everything that it reads has arrived, so each neuron sends exactly its count, "
        "at the first steps of its window"
    ),
    "radix": (
        "every layer fires only after everything that it reads has arrived, and at each step of its window takes the "
        "largest of the values T + 1 - 2^(K-1), 2^(K-2), ..., 1 that still fits, so each neuron sends exactly its count"
    ),
    "latency": (
        "every layer fires only after everything that it reads has arrived; a neuron's first spike comes at the step "
        "that stands for its count, and the reset to zero silences it"
    ),
    "graded": (
        "every layer fires only after everything that it reads has arrived, and a neuron sends its count as what one "
        "spike carries"
    ),
    "signed": (
        "a neuron is at rest exactly when what it has sent is its count; until then it comes closer by one per step, "
        "and the network runs until all must be at rest"
    ),
}
"""Why a code is exact."""

INTEGERS = (
    "spike trains stand for themselves: target and interpreter do the same integer arithmetic, which rounds and "
    "saturates where the network says so, and no sum leaves 32 bits on its way"
)
FLOATS = (
    "the network is made of floats, which the target adds up in another order: spikes may differ, and validate(...) "
    "counts them"
)
"""Why a network of spike trains is kept, or why it may not be."""

HASHED = ("ann-imported", "ann-quantized", "snn-integer")
"""Levels whose text, constants by content, identifies the model, the integer network and its spikes."""


@dataclass(frozen=True)
class Obligation:
    """Something that exactness rests on. `holds` is None where it has not been checked; `how` says on what grounds."""

    name: str
    holds: bool | None
    how: tuple[str, ...]

    def __str__(self) -> str:
        mark = {True: "holds", False: "FAILS", None: "not checked"}[self.holds]
        return "\n".join([f"{self.name}: {mark}", *(f"  {line}" for line in self.how)])


@dataclass(frozen=True)
class Width:
    """Where the membranes of a layer can lie, for every input, by interval analysis, and the bits that takes."""

    layer: str
    lowest: int
    highest: int

    @property
    def bits(self) -> int:
        """The width of the two's complement integer that holds the interval."""
        return 1 + max(self.highest, -self.lowest - 1, 0).bit_length()

    def __str__(self) -> str:
        return f"{self.layer}: {self.lowest:,} ... {self.highest:,} ({self.bits} bits)"


@dataclass(frozen=True)
class Certificate:
    """What is known of a network's exactness.

    `argument` is the reason why the code is exact, or empty where it is not; `hashes` are SHA-256 of the IR of the
    levels that identify what was certified.
    """

    target: str
    code: str
    argument: str
    hashes: Mapping[str, str]
    widths: tuple[Width, ...]
    obligations: tuple[Obligation, ...]

    @property
    def exact(self) -> bool:
        """Whether the code is exact and no obligation fails."""
        return self.argument not in ("", FLOATS) and not any(
            obligation.holds is False for obligation in self.obligations
        )

    @property
    def reason(self) -> str:
        """Why the code is exact, or that it is not."""
        if self.code == TRAIN:
            return self.argument
        if self.argument:
            return f'code "{self.code}" is exact: {self.argument}'
        return f'code "{self.code}" is approximate: only residuals show whether an inference was exact'

    def __str__(self) -> str:
        lines = [self.reason]
        for obligation in self.obligations:
            lines += str(obligation).splitlines()
        if self.widths:
            lines += ["membranes, for every input:", *(f"  {width}" for width in self.widths)]
        lines += [f"{level}: sha256 {digest}" for level, digest in self.hashes.items()]
        return "\n".join([f"certificate for {self.target}", *(f"  {line}" for line in lines)])


def certificate(compiled: Compiled) -> Certificate:
    """What is known of a compiled network's exactness so far; proofs are made now, images are those of `validate`."""
    network = compiled.levels[compiled.source]
    levels = [level for level in (*HASHED, "snn", compiled.backend.level) if level in tuple(compiled.levels)]
    if compiled.trains:
        return _of_trains(compiled, network, levels)
    widths = widths_of(network, compiled.weights)
    argument = ARGUMENTS.get(compiled.code, "")
    static = [_membranes(network, widths), _schedule(compiled)]
    if argument:
        static.append(_neurons(network, compiled.weights))
    return Certificate(
        compiled.target,
        compiled.code,
        argument,
        {level: sha256(compiled.ir(level).encode()).hexdigest() for level in levels},
        widths,
        (*static, _images(compiled.validation)),
    )


def _of_trains(compiled: Compiled, network: ModuleOp, levels: Sequence[str]) -> Certificate:
    """Integers saturate where the network says so, and the target does the same arithmetic; floats are compared."""
    integers = compiled.source == "snn-integer"
    widths = widths_of(network, compiled.weights)
    obligations = (*([_membranes(network, widths)] if integers else []), _images(compiled.validation))
    return Certificate(
        compiled.target,
        compiled.code,
        INTEGERS if integers else FLOATS,
        {level: sha256(compiled.ir(level).encode()).hexdigest() for level in levels},
        widths,
        obligations,
    )


def widths_of(module: ModuleOp, weights: WeightStore) -> tuple[Width, ...]:
    """Where the membranes of every layer of integers can lie."""
    found: list[Width] = []
    for network in module.walk():
        if isinstance(network, snn.NetworkOp):
            bounds = BoundsAnalysis(network, weights, activities(network)).membranes
            found += [Width(_name(op), *interval.integers) for op, interval in bounds.items()]
    return tuple(found)


def _name(op: Operation) -> str:
    return origin_of(op) or ("readout" if isinstance(op, snn.AccumulateOp) else op.name)


def _membranes(module: ModuleOp, widths: Sequence[Width]) -> Obligation:
    available = constraints_of(module).membrane_bits
    wide = [width for width in widths if width.bits > available]
    most = max((width.bits for width in widths), default=0)
    how = [f"interval analysis over all inputs: at most {most} of the target's {available} bits are used"]
    return Obligation("no membrane overflows", not wide, (*how, *map(str, wide)))


def _schedule(compiled: Compiled) -> Obligation:
    """What the firing windows have to keep is checked from the text of the network, not believed of the encoding."""
    name = "what a layer reads has arrived before it fires, and the next image comes late enough"
    try:
        VerifySchedulePass().apply(compiled.context, compiled.levels["snn-integer"])
    except LevelError as refusal:
        return Obligation(name, False, tuple(map(str, refusal.problems)))
    return Obligation(
        name, True, ("windows, delays, products, poolings and the interval between images: pass verify-schedule",)
    )


def _neurons(module: ModuleOp, weights: WeightStore) -> Obligation:
    proofs, defined = proofs_of(module, weights), defined_in(module)
    how = ("proved by running the meaning of the neuron in every case:", *(f"  {proof}" for proof in proofs))
    if defined:
        how += ("compared on images only, as neurons share a row:", *(f"  {line}" for line in defined))
    return Obligation("every neuron sends the count of its charge", not any(p.counterexample for p in proofs), how)


def _images(validation: Validation | None) -> Obligation:
    name = "the counts of every stage are equal"
    if validation is None:
        return Obligation(name, None, ("nothing was compared on images yet: validate(images)",))
    compared = validation.passed if validation.exact or validation.divergences else None
    return Obligation(name, compared, tuple(_lines(validation)))


def _lines(validation: Validation) -> Iterator[str]:
    yield from str(validation).splitlines()
