"""Everything NeuroCUDA adds to xDSL, found by place: the entry point that makes plain `xdsl-opt` see it."""

from xdsl.universe import Universe

from neurocuda.registry import dialect_factories, pass_factories, target_factories

NEUROCUDA_UNIVERSE = Universe(
    all_dialects=dialect_factories(),
    all_passes=pass_factories(),
    all_targets=target_factories(),
)
