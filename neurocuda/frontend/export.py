"""torch.export with a symbolic batch, quietly, and its failures in one line."""

from __future__ import annotations

import io
import logging
import traceback
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Final, TypeVar, cast

import torch
from torch import nn
from torch.export import Dim, ExportedProgram, ShapesCollection
from torch.fx import Node

from neurocuda.errors import InputError, ModelError
from neurocuda.frontend.example import keyword_inputs
from neurocuda.frontend.graph import Overload, nodes_of, overload_of, target_name
from neurocuda.frontend.naming import innermost_user_line
from neurocuda.frontend.table import importers, reason_for

FAILURES: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What torch raises for a program that is malformed."""

_Result = TypeVar("_Result")

_DATA_DEPENDENT: Final = ("data-dependent", "GuardOnDataDependent", "Dynamic control flow")


def export(model: nn.Module, example: Sequence[torch.Tensor]) -> ExportedProgram:
    """The model as a graph of ATen operations without in-place ones; the batch is symbolic where the model allows it.

    Raises:
        InputError: the model does not run on the example.
        ModelError: its control flow depends on the data, or torch cannot export it.
    """
    with quiet():
        symbolic = _attempted(lambda: decomposed(_export_symbolic(model, example)))
        if not isinstance(symbolic, BaseException):
            return symbolic
        for given in (tuple(example), tuple(tensor[:1] for tensor in example)):
            found = _attempted(lambda given=given: decomposed(torch.export.export(model, *_called_with(model, given))))
            if not isinstance(found, BaseException):
                return found
        args, kwargs = _called_with(model, example)
        failure = _attempted(lambda: cast(object, model(*args, **kwargs)))
        if isinstance(failure, BaseException):
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in example)
            hint = "; is the first axis, the batch, missing?" if any(tensor.dim() == 3 for tensor in example) else ""
            reason = f"{first_line(failure)}{hint}"
            raise InputError(f"the model does not run on inputs of shape {shapes}: {reason}") from failure
        raise ModelError(_explained(symbolic))


def _attempted(run: Callable[[], _Result]) -> _Result | BaseException:
    """What a call gives or raises: the user's code runs in it, which can raise anything."""
    try:
        return run()
    except (Exception, SystemExit) as reason:  # noqa: BLE001
        return reason


def decomposed(program: ExportedProgram) -> ExportedProgram:
    """The program without in-place operations and aliases, but with whole convolutions, linears and attention."""
    with quiet():
        return _simplified(_taken_apart(program, {}))


def _simplified(program: ExportedProgram) -> ExportedProgram:
    """The program with operations that have no importer taken apart, where that leaves none without one."""
    unknown = _unknown(program)
    if not unknown or any(reason_for(node) for node in unknown):
        return program
    known_parts = cast(Mapping[Overload, Callable[..., object]], torch.export.default_decompositions())
    overloads = {overload for node in unknown if (overload := overload_of(node)) is not None}
    simpler = _taken_apart(program, {overload: known_parts[overload] for overload in overloads & known_parts.keys()})
    return program if _unknown(simpler) else simpler


def _taken_apart(program: ExportedProgram, parts: Mapping[Overload, Callable[..., object]]) -> ExportedProgram:
    """A new program without in-place operations, in which `parts` stand for the operations they are the parts of."""
    decompose = cast(Callable[[object], ExportedProgram], program.run_decompositions)  # torch leaves it half untyped
    decomposed = decompose(dict(parts))
    decomposed.graph.eliminate_dead_code()
    return decomposed


def _unknown(program: ExportedProgram) -> list[Node]:
    """What computes tensors from what depends on the input, and has no importer."""
    dependent = set(program.graph_signature.user_inputs)
    unknown: list[Node] = []
    for node in nodes_of(program):
        if any(source.name in dependent for source in node.all_input_nodes) and _computes_tensors(node):
            dependent.add(node.name)
            if overload_of(node) is not None and target_name(node) not in importers():
                unknown.append(node)
    return unknown


def _computes_tensors(node: Node) -> bool:
    return isinstance(node.meta.get("val"), torch.Tensor | list | tuple)


@contextmanager
def quiet() -> Generator[None]:
    """Silences torch's warnings, logs and what it writes to stderr, and computes no gradients."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _export_symbolic(model: nn.Module, example: Sequence[torch.Tensor]) -> ExportedProgram:
    """Two images, so that torch does not take the batch for a constant one."""
    pairs = tuple(torch.cat([tensor[:1], tensor[:1]]) for tensor in example)
    symbolic = ShapesCollection()
    for pair in pairs:
        symbolic[pair] = {0: Dim("batch")}
    shapes = cast(Callable[..., dict[str, object]], symbolic.dynamic_shapes)  # torch leaves it untyped
    args, kwargs = _called_with(model, pairs)
    return torch.export.export(model, args, kwargs, dynamic_shapes=shapes(model, args, kwargs))


def _called_with(
    model: nn.Module, inputs: Sequence[torch.Tensor]
) -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
    """The inputs by place, and those that `forward` takes by name only."""
    names = keyword_inputs(model)
    split = len(inputs) - len(names)
    return tuple(inputs[:split]), dict(zip(names, inputs[split:], strict=True))


def _explained(reason: BaseException) -> str:
    text = str(reason)
    line = innermost_user_line(
        (frame.filename, frame.lineno or 0) for frame in traceback.extract_tb(reason.__traceback__)
    )
    where = "" if line is None or line[0] == Path(__file__).name else f" ({line[0]}:{line[1]})"
    if any(word in text or word in type(reason).__name__ for word in _DATA_DEPENDENT):
        return f"the model's control flow depends on the data{where}; compute the same for every input"
    return f"torch cannot export the model{where}: {first_line(reason)}"


def first_line(reason: BaseException) -> str:
    """The first line of a message that may have hundreds."""
    return str(reason).strip().partition("\n")[0] or type(reason).__name__
