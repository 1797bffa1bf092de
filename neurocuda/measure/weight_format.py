"""What the integers of a target lose against integers without limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects.builtin import ModuleOp

from neurocuda.images import Array
from neurocuda.ir.constraints import Constraints, constraints_of, set_constraints
from neurocuda.ir.context import weights_of
from neurocuda.ir.weights import WeightStore
from neurocuda.measure.agreement import answers
from neurocuda.options import Conversion
from neurocuda.passes.ann._narrowed import narrowed_layers
from neurocuda.passes.ann._weight_grid import weight_grid
from neurocuda.pipeline import Line, integer_stages

FACT = "weight format"
"""The name of the fact among those of a compiled network."""


def has_limits(constraints: Constraints) -> bool:
    """Whether integers may have to differ from those of a target without limits."""
    free = Constraints()
    behaviour = replace(free, codes=constraints.codes, resets=constraints.resets, comparisons=constraints.comparisons)
    return replace(constraints, graded_bits=free.graded_bits) != behaviour


def told_weight_format(
    quantized: Line, calibrated: Line, conversion: Conversion, images: Sequence[Array] | None
) -> str:
    """What the target's limits have changed, and what that costs.

    The passes that choose integers note which layers the limits bound. Where there are any, the network is quantised
    once more, for a target without limits, and both are compared with the float network on the calibration images.

    Args:
        quantized: the network at level `ann-quantized`.
        calibrated: the same network at level `ann-convertible`, as it was before.
        images: the calibration images, one array per input.
    """
    constraints = constraints_of(quantized.module)
    free = weight_grid(constraints, conversion.weight_bits, FACT).unlimited.constraints
    width, names = f"int{free.weight_bits}", narrowed_layers(quantized.module)
    if not names:
        return f"the integers are those of unconstrained {width}"
    narrowed = f"the target's limits bind in {', '.join(names)}"
    if images is None:
        return f"{narrowed}; without calibration images their cost is not known"
    other = calibrated.branch()
    set_constraints(other.module, replace(free, codes=constraints.codes))
    other.run(integer_stages(conversion, images=True)[0])
    weights = weights_of(quantized.context)
    exact = calibrated.levels["ann-convertible"]
    lost, least = (_changed(exact, line.levels["ann-quantized"], weights, images) for line in (quantized, other))
    return (
        f"{lost:.2f} % of {len(images[0])} calibration images change their class against the float network, "
        f"{least:.2f} % with unconstrained {width}; {narrowed}"
    )


def _changed(exact: ModuleOp, module: ModuleOp, weights: WeightStore, images: Sequence[Array]) -> float:
    """The percentage of images whose class is another one."""
    return 100 * float((answers(module, weights, images) != answers(exact, weights, images)).mean())
