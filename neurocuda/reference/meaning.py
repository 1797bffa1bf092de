"""How a dialect says what its operations mean, and how the meaning of an operation is found: by its place.

A dialect's `semantics.py` stands beside its `ops.py`; there a function marked `@means(SomeOp)` takes the operation,
the run and one array per operand, all with a leading batch axis, and returns one array per result.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from numpy.typing import NDArray
from xdsl.ir import Operation

from neurocuda.errors import NeuroCudaError

if TYPE_CHECKING:
    from neurocuda.reference.interpreter import Run

Array: TypeAlias = NDArray[Any]
"""Numbers of any element type. Not `NDArray[np.generic]`, for which NumPy's annotations know no arithmetic."""
OpT = TypeVar("OpT", bound=Operation)
ScaleRule: TypeAlias = Callable[..., Array]


class Meaning(Protocol):
    """From an operation, a run and operand arrays to a result array, or a tuple of them."""

    def __call__(self, op: Operation, run: Run, /, *operands: Array) -> Array | tuple[Array, ...]: ...


@dataclass(frozen=True)
class Mark:
    """What `means` notes on a function: for which operations it speaks and how it acts on scales."""

    operations: tuple[type[Operation], ...]
    moves: bool
    stateful: bool


def means(
    *operations: type[Operation], moves: bool = False, stateful: bool = False
) -> Callable[[Callable[..., Array | tuple[Array, ...]]], Callable[..., Array | tuple[Array, ...]]]:
    """Marks a function as the meaning of some operations.

    `moves`: the operation acts on the scales of counts as on the counts (index maps, pooling).
    `stateful`: inside a clocked network it runs at every step, even when nothing arrives.
    """

    def mark(function: Callable[..., Array | tuple[Array, ...]]) -> Callable[..., Array | tuple[Array, ...]]:
        setattr(function, "__meaning__", Mark(operations, moves, stateful))  # noqa: B010
        return function

    return mark


@dataclass(frozen=True)
class Found:
    """The meaning of one operation class."""

    function: Meaning
    moves: bool
    stateful: bool


@cache
def _meanings_in(package: str) -> dict[type[Operation], Found]:
    module = importlib.import_module(f"{package}.semantics")
    found: dict[type[Operation], Found] = {}
    for function in vars(module).values():
        mark = getattr(function, "__meaning__", None)
        if isinstance(mark, Mark):
            found |= {operation: Found(function, mark.moves, mark.stateful) for operation in mark.operations}
    return found


@cache
def meaning_of(operation: type[Operation]) -> Found:
    """The meaning of an operation class, from the `semantics.py` beside the file that defines it.

    Raises:
        NeuroCudaError: the dialect gives it no meaning.
    """
    package = operation.__module__.rpartition(".")[0]
    try:
        found = _meanings_in(package).get(operation)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise NeuroCudaError(f"`{operation.name}` has no meaning: {package}.semantics does not define one")
    return found
