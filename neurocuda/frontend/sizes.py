"""Symbolic sizes as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Protocol, cast

import torch
from torch.export import ExportedProgram

from neurocuda.errors import ModelError
from neurocuda.frontend.batch_axis import MANY
from neurocuda.frontend.graph import nodes_of
from neurocuda.frontend.operands import BatchSize, Refusal, Shape


class _Expression(Protocol):
    """What is used of a SymPy expression."""

    free_symbols: Set[object]
    is_Boolean: bool
    is_integer: bool

    def subs(self, old: object, new: int) -> _Expression: ...


def _expression(size: torch.SymInt | torch.SymFloat | torch.SymBool) -> _Expression:
    return cast(_Expression, getattr(cast(object, size.node), "expr"))  # noqa: B009


class Sizes:
    """Evaluates sizes for one program: its batch is a symbol, which stands for `MANY` images, or a fixed number.

    Raises:
        ModelError: no input has a batch axis, or another axis than the batch is symbolic.
    """

    def __init__(self, program: ExportedProgram) -> None:
        inputs = input_shapes(program)
        size = next(iter(inputs.values()))[0]
        self._symbol = _expression(size) if isinstance(size, torch.SymInt) else None
        self.batch = int(size) if self._symbol is None else MANY
        for name, shape in inputs.items():
            _require_fixed(name, shape)

    def evaluate(self, size: object) -> int | float | bool:
        """A size, or a number computed from sizes.

        Raises:
            Refusal: it depends on the data, or is a fraction of the batch.
        """
        if not isinstance(size, torch.SymInt | torch.SymFloat | torch.SymBool):
            return cast(int, size)
        expression = _expression(size)
        if self._symbol is None or self._symbol not in expression.free_symbols:
            return _number(expression)
        number = _number(expression.subs(self._symbol, self.batch))
        if isinstance(number, float):
            raise Refusal("it computes with the number of images", "every image must be computed on its own")
        return number if isinstance(number, bool) else BatchSize(number)

    def shape(self, tensor: object) -> Shape:
        """The shape of a fake tensor."""
        return tuple(int(self.evaluate(size)) for size in cast(torch.Tensor, tensor).shape)

    def depends_on_batch(self, shape: Shape) -> bool:
        """Whether the symbolic batch is a factor of an axis."""
        return self._symbol is not None and any(size and size % MANY == 0 for size in shape)


def _number(expression: _Expression) -> int | float | bool:
    if expression.free_symbols:
        raise Refusal("a size depends on the data", "compute with tensors of fixed shapes")
    if expression.is_Boolean:
        return str(expression) == "True"
    return int(str(expression)) if expression.is_integer else float(str(expression))


def input_shapes(program: ExportedProgram) -> Mapping[str, Sequence[int | torch.SymInt]]:
    """Name to shape with a batch axis of every tensor that the program takes.

    Raises:
        ModelError: there is none.
    """
    names = set(program.graph_signature.user_inputs)
    nodes = (node for node in nodes_of(program) if node.name in names)
    values = {node.name: node.meta.get("val") for node in nodes}
    shapes = {name: value.shape for name, value in values.items() if isinstance(value, torch.Tensor) and value.dim()}
    if not shapes:
        raise ModelError("the model takes no tensor with a batch axis")
    return shapes


def _require_fixed(name: str, shape: Sequence[int | torch.SymInt]) -> None:
    dynamic = [axis for axis, size in enumerate(shape) if axis and isinstance(size, torch.SymInt)]
    if dynamic:
        raise ModelError(
            f"input '{name}' has dynamic axes {dynamic} besides the batch; export it with fixed sizes in all other axes"
        )
