"""Sees what a network computes while it runs, and can put something else in the place of its rectifiers and weights.

Users call rectifiers as modules, functions and methods, in place or not. All of these arrive here as calls of torch's
functions, in the order in which the network makes them, so nothing of the user's code is rewritten or traced.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Function: TypeAlias = Callable[..., object]
Arguments: TypeAlias = Sequence[object]
NamedArguments: TypeAlias = Mapping[str, object]

_RELU: Final = frozenset[Function]({F.relu, torch.relu, Tensor.relu, torch.relu_, Tensor.relu_})
_RELU6: Final = frozenset[Function]({F.relu6})
_HARDTANH: Final = frozenset[Function]({F.hardtanh})
_CLAMP: Final = frozenset[Function](
    {torch.clamp, torch.clip, Tensor.clamp, Tensor.clip, torch.clamp_, torch.clip_, Tensor.clamp_, Tensor.clip_}
)
_CLAMP_MIN: Final = frozenset[Function]({torch.clamp_min, Tensor.clamp_min, torch.clamp_min_, Tensor.clamp_min_})


@dataclass(frozen=True)
class Rectifier:
    """One call of a rectifier: min(max(input, 0), maximum), perhaps in place."""

    input: Tensor
    maximum: float
    in_place: bool

    def replaced(self, result: Tensor) -> Tensor:
        """What the call returns when something else was computed in its place."""
        return self.input.copy_(result) if self.in_place else result


def rectifier(function: Function, args: Arguments, kwargs: NamedArguments) -> Rectifier | None:
    """The call as a rectifier, or None where it is none."""
    bounds = _bounds(function, [*args[1:], None, None], kwargs)
    given = args[0] if args else kwargs.get("input")
    if bounds is None or not isinstance(given, Tensor):
        return None
    lowest, highest = bounds
    if not isinstance(lowest, int | float) or not isinstance(highest, int | float) or lowest != 0 or highest <= 0:
        return None
    named = getattr(function, "__name__", "").endswith("_")
    return Rectifier(given, float(highest), named or _asks_in_place(function, args, kwargs))


def _bounds(function: Function, others: Arguments, kwargs: NamedArguments) -> tuple[object, object] | None:
    """(lowest, highest) value that passes. `others` are the arguments behind the input."""
    if function in _RELU:
        return 0, inf
    if function in _RELU6:
        return 0, 6
    if function in _CLAMP_MIN:
        return kwargs.get("min", others[0]), inf
    if function in _CLAMP:
        highest = kwargs.get("max", others[1])
        return kwargs.get("min", others[0]), inf if highest is None else highest
    if function in _HARDTANH:
        lowest, highest = kwargs.get("min_val", others[0]), kwargs.get("max_val", others[1])
        return -1 if lowest is None else lowest, 1 if highest is None else highest
    return None


def _asks_in_place(function: Function, args: Arguments, kwargs: NamedArguments) -> bool:
    position = 3 if function in _HARDTANH else 1
    last = args[position] if function in _RELU | _RELU6 | _HARDTANH and len(args) > position else False
    return bool(kwargs.get("inplace", last))


class Interception(TorchFunctionMode, ABC):
    """While it is entered, rectifiers go to `activate`, all other calls to `compute`. Counts the rectifiers."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    @abstractmethod
    def activate(self, index: int, call: Rectifier) -> Tensor:
        """What the rectifier that is called as number `index` returns."""

    def compute(self, function: Function, args: Arguments, kwargs: NamedArguments) -> object:
        """The result of any other call."""
        return function(*args, **kwargs)

    def __torch_function__(
        self, func: Function, types: object, args: Arguments = (), kwargs: NamedArguments | None = None
    ) -> object:
        call = rectifier(func, args, kwargs or {})
        if call is None:
            return self.compute(func, args, kwargs or {})
        self.calls += 1
        return self.activate(self.calls - 1, call)
