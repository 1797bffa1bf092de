"""What an importer of one ATen operation receives and returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.attributes import Dense
from neurocuda.ir.weights import WeightStore

Shape: TypeAlias = tuple[int, ...]


class Refusal(Exception):
    """An operation cannot be imported: why, and what to do. Becomes one problem in the list of all."""

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.remedy = f"{remedy[:1].upper()}{remedy[1:]}." if remedy else ""


class BatchSize(int):
    """A number that depends on how many images there are; holds its value for `batch_axis.MANY` of them."""


@dataclass(frozen=True)
class Constant:
    """A parameter, a buffer, or what follows from them alone; `name` is how the user's model calls it."""

    tensor: torch.Tensor
    name: str


Operand: TypeAlias = SSAValue | Constant
"""A tensor argument as an importer sees it."""

Imported: TypeAlias = Operation | SSAValue | Sequence[SSAValue | None]
"""What an importer returns: the last operation, not yet inserted; a value that exists already; or several values, None
for those that the IR does not have."""


class Builder:
    """Collects the operations that stand for one ATen operation."""

    def __init__(self, weights: WeightStore) -> None:
        self.weights = weights
        self.ops: list[Operation] = []

    def add(self, op: Operation) -> SSAValue:
        """Inserts an operation and returns its first result."""
        self.ops.append(op)
        return op.results[0]

    def reshape(self, x: SSAValue, shape: Sequence[int]) -> SSAValue:
        """`x` under another shape."""
        return self.add(ann.ReshapeOp(x, shape))

    def value(self, operand: Operand) -> SSAValue:
        """The operand as an IR value; constants become `ann.constant`."""
        if isinstance(operand, Constant):
            return self.add(ann.ConstantOp(self.dense(operand)))
        return operand

    def dense(self, operand: Operand, *, what: str = "weight") -> Dense:
        """The operand as a constant attribute of float32.

        Raises:
            Refusal: it depends on the input, or holds NaN or infinity.
        """
        if not isinstance(operand, Constant):
            raise Refusal(f"its {what} depends on the input", f"make the {what} a parameter or a buffer")
        tensor = operand.tensor.detach().to("cpu", torch.float32)
        if not bool(torch.isfinite(tensor).all()):
            raise Refusal(f"its {what} '{operand.name}' holds NaN or infinity")
        return self.numbers(tensor, operand.name)

    def optional(self, operand: Operand | None, *, what: str = "bias") -> Dense | None:
        """As `dense`; None stays."""
        return None if operand is None else self.dense(operand, what=what)

    def numbers(self, tensor: torch.Tensor, name: str) -> Dense:
        """Any float32 tensor as a constant attribute, infinity allowed."""
        return self.weights.add(tensor.detach().contiguous().numpy(), name)
