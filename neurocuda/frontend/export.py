"""torch.export with a symbolic batch, quietly, and its failures in one line."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import nn
from torch.export import Dim, ExportedProgram, ShapesCollection

from neurocuda.errors import InputError, ModelError

_FAILURES: Final = (
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
        except _FAILURES:
            pass
        try:
            return decomposed(torch.export.export(model, tuple(example)))
        except _FAILURES as reason:
            _require_running(model, example)
            raise ModelError(_explained(reason)) from None


def decomposed(program: ExportedProgram) -> ExportedProgram:
    """The program without in-place operations and aliases, but with whole convolutions, linears and attention."""
    with quiet():
        decomposed = program.run_decompositions({})
    decomposed.graph.eliminate_dead_code()
    return decomposed


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
    shapes = ShapesCollection()
    batch = Dim("batch")
    for pair in pairs:
        shapes[pair] = {0: batch}
    return torch.export.export(model, pairs, dynamic_shapes=shapes)


def _require_running(model: nn.Module, example: Sequence[torch.Tensor]) -> None:
    try:
        model(*example)
    except _FAILURES as reason:
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
