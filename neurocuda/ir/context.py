"""The context: which dialects exist, and the weight store they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.ir import Dialect

from neurocuda.errors import WeightsError
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from xdsl.universe import Universe


def create_context(plugins: Sequence[Path] = (), *, universe: Universe | None = None) -> Context:
    """A context with every dialect of xDSL, NeuroCUDA, the installed plug-ins and the plug-in files named.

    Dialects are imported when their first operation is met. Each context has a weight store of its own. `universe`
    stands for all dialects where the caller has merged them already.

    Raises:
        OptionError: a plug-in file cannot be loaded.
    """
    from neurocuda.registry import merged_universe

    context = Context()
    context.register_dialect("builtin", _builtin_with(WeightStore()))
    for name, factory in (universe or merged_universe(plugins)).all_dialects.items():
        if name != "builtin":
            context.register_dialect(name, factory)
    context.load_registered_dialect("builtin")
    return context


def weights_of(ctx: Context) -> WeightStore:
    """The weight store of a context.

    Raises:
        WeightsError: the context was not made by `create_context`.
    """
    builtin = ctx.get_optional_dialect("builtin")
    store = builtin.get_interface(WeightStore) if builtin is not None else None
    if store is None:
        raise WeightsError("the context has no weight store; make it with neurocuda.ir.context.create_context")
    return store


def _builtin_with(store: WeightStore) -> Callable[[], Dialect]:
    """xDSL's builtin dialect, with a store of its own instead of the one that all contexts of the process share."""
    dialect = Dialect("builtin", list(Builtin.operations), list(Builtin.attributes), [store])
    return lambda: dialect
