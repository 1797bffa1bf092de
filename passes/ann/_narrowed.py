"""Which layers have other integers than they would have on a target without limits: noted in the module."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.ir import Operation

from neurocuda.ir.origin import origin_of, user_location

NARROWED = "nc.narrowed"
"""The module attribute that names these layers, in order; there is none where limits have bound no layer."""


def layer_name(op: Operation) -> str:
    """The name of a layer of neurons, or of a readout."""
    return origin_of(op) or user_location(op).partition(",")[0] or op.name


def note_narrowed(module: ModuleOp, names: Iterable[str]) -> None:
    """Adds layers to those that are noted."""
    known = dict.fromkeys((*narrowed_layers(module), *names))
    if known:
        module.attributes[NARROWED] = ArrayAttr(list(map(StringAttr, known)))


def narrowed_layers(module: ModuleOp) -> tuple[str, ...]:
    """The layers that are noted."""
    attribute = module.attributes.get(NARROWED)
    names = attribute.data if isinstance(attribute, ArrayAttr) else ()
    return tuple(name.data for name in names if isinstance(name, StringAttr))
