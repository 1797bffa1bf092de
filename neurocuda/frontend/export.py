"""torch.export with a symbolic batch, quietly, and its failures in one line."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import nn
from torch._ops import OperatorBase, OpOverload
from torch.export import Dim, ExportedProgram, ShapesCollection

from neurocuda.errors import InputError, ModelError
from neurocuda.frontend.sizes import nodes_of
from neurocuda.frontend.table import importers

FAILURES: Final = (
    RuntimeError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    KeyError,
    IndexError,
    NotImplementedError,
)
"""What torch.export and a model that is called wrongly raise."""

_DATA_DEPENDENT: Final = ("data-dependent", "GuardOnDataDependent", "Dynamic control flow")


def export(model: nn.Module, example: Sequence[torch.Tensor]) -> ExportedProgram:
    """The model as a graph of ATen operations without in-place ones; the batch is symbolic where the model allows it.

    Raises:
        InputError: the model does not run on the example.
        ModelError: its control flow depends on the data, or torch cannot export it.
    """
    with quiet():
        try:
            return decomposed(_export_symbolic(model, example))
        except FAILURES as reason:
            symbolic = reason
        for given in (tuple(example), tuple(tensor[:1] for tensor in example)):
            try:
                return decomposed(torch.export.export(model, given))
            except FAILURES:
                continue
        _require_running(model, example)
        raise ModelError(_explained(symbolic))


def decomposed(program: ExportedProgram) -> ExportedProgram:
    """The program without in-place operations and aliases, but with whole convolutions, linears and attention."""
    with quiet():
        decomposed = program.run_decompositions({})
        decomposed.graph.eliminate_dead_code()
        return _simplified(decomposed)


def _simplified(program: ExportedProgram) -> ExportedProgram:
    """The program with operations that have no importer taken apart, where that leaves none without one."""
    unknown = _unknown(program)
    if not unknown:
        return program
    known_parts = torch.export.default_decompositions()
    parts: dict[OperatorBase, Callable[..., object]] = {
        target: known_parts[target] for target in unknown if target in known_parts
    }
    simpler = program.run_decompositions(parts) if parts else program
    simpler.graph.eliminate_dead_code()
    return program if _unknown(simpler) else simpler


def _unknown(program: ExportedProgram) -> set[OpOverload]:
    """The operations on what depends on the input that have no importer."""
    dependent = set(program.graph_signature.user_inputs)
    unknown: set[OpOverload] = set()
    for node in nodes_of(program):
        if any(source.name in dependent for source in node.all_input_nodes):
            dependent.add(node.name)
            if isinstance(node.target, OpOverload) and str(node.target) not in importers():
                unknown.add(node.target)
    return unknown


@contextmanager
def quiet() -> Iterator[None]:
    """Silences torch's warnings and logs, and computes no gradients."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), torch.no_grad():
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
    return torch.export.export(model, pairs, dynamic_shapes=symbolic.dynamic_shapes(model, pairs))


def _require_running(model: nn.Module, example: Sequence[torch.Tensor]) -> None:
    try:
        model(*example)
    except FAILURES as reason:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in example)
        raise InputError(f"the model does not run on inputs of shape {shapes}: {first_line(reason)}") from None


def _explained(reason: BaseException) -> str:
    text = str(reason)
    where = _caused_by(text)
    if any(word in text or word in type(reason).__name__ for word in _DATA_DEPENDENT):
        return f"the model's control flow depends on the data{where}; compute with tensors only, e.g. torch.where"
    return f"torch cannot export the model{where}: {first_line(reason)}"


def _caused_by(text: str) -> str:
    """The place that torch names in its message, e.g. ` (model.py:31 in forward)`."""
    _, _, rest = text.partition("Caused by: (")
    return f" ({rest.partition(')')[0]})" if rest else ""


def first_line(reason: BaseException) -> str:
    """The first line of a message that may have hundreds."""
    return str(reason).strip().partition("\n")[0] or type(reason).__name__
