"""Why a network's spikes say the integer network's counts, and what of that was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from neurocuda.measure.validation import Validation

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled

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


@dataclass(frozen=True)
class Certificate:
    """What is known of a network's exactness.

    `argument` is the reason why the code is exact, or empty where it is not; `hashes` are SHA-256 of the IR of the
    levels compared; `validation` is what was compared so far, or None.
    """

    target: str
    code: str
    argument: str
    hashes: Mapping[str, str]
    validation: Validation | None

    @property
    def exact(self) -> bool:
        """Whether the code is exact and no comparison has found a difference."""
        return bool(self.argument) and (self.validation is None or self.validation.passed)

    def __str__(self) -> str:
        if self.argument:
            lines = [f'code "{self.code}" is exact: {self.argument}']
        else:
            lines = [f'code "{self.code}" is approximate: only residuals show whether an inference was exact']
        lines.append("level contracts and the widths of accumulators were checked for every input while compiling")
        lines += [f"{level}: sha256 {digest}" for level, digest in self.hashes.items()]
        lines.append("nothing was compared on images yet" if self.validation is None else str(self.validation))
        return "\n".join([f"certificate for {self.target}", *(f"  {line}" for line in lines)])


def certificate(compiled: Compiled) -> Certificate:
    """What is known of a compiled network's exactness so far."""
    hashes = {
        level: sha256(compiled.ir(level).encode()).hexdigest()
        for level in ("ann-quantized", "snn-integer", compiled.backend.level)
    }
    return Certificate(compiled.target, compiled.code, ARGUMENTS.get(compiled.code, ""), hashes, compiled.validation)
