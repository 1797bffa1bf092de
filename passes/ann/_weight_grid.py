"""How integers may be chosen on a target: weights, and the thresholds that they are seen beside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from neurocuda.errors import OptionError
from neurocuda.ir.constraints import Constraints
from neurocuda.passes.snn.analysis.multiples import largest_multiple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class WeightGrid:
    """The integers that a target's constraints leave. `asked` is the width of weights that was asked for, if any."""

    constraints: Constraints
    asked: int | None = None

    @property
    def largest(self) -> int:
        """The largest weight."""
        return highest(self.constraints.weight_bits, self.constraints.weight_step)

    @property
    def steps(self) -> int:
        """The number of weights above zero."""
        return self.largest // self.constraints.weight_step

    @property
    def one_threshold(self) -> bool:
        """Whether the channels of a layer share one threshold."""
        return self.constraints.threshold_granularity == "layer"

    @property
    def fixes_units(self) -> bool:
        """Whether thresholds fix the units of weights: where channels share one, or where they are powers of two."""
        return self.one_threshold or self.constraints.threshold_exponent > 0

    @property
    def unlimited(self) -> WeightGrid:
        """The grid of a target without limits: with weights of 8 bits at least, or of the width that was asked for."""
        bits = max(Constraints.weight_bits, self.constraints.weight_bits) if self.asked is None else self.asked
        return WeightGrid(Constraints(weight_bits=bits, codes=self.constraints.codes), self.asked)

    def narrows(self, unit: Field, free: Field, *, fires: bool) -> bool:
        """Whether integers in a unit differ from those in the unit that there would be without limits.

        `fires` says whether there are thresholds beside the weights.
        """
        import numpy as np

        limited = self.constraints.weight_step > 1 or not np.array_equal(unit, free)
        return limited or (fires and (self.fixes_units or self.constraints.threshold_step > 1))

    @property
    def room(self) -> int:
        """The largest constant of a membrane: a sixth of the bits stay free, for what codes multiply constants by."""
        bits = self.constraints.membrane_bits
        return highest(bits - bits // 6)

    def largest_threshold(self, levels: int) -> int:
        """The largest threshold that fits its register, and of which `levels` leave the membrane room to grow.

        The register holds the largest multiple that the first of the codes compares with. In code "latency" membranes
        climb by one threshold per step until they reach it.
        """
        code = self.constraints.codes[0]
        register = highest(self.constraints.threshold_bits) // largest_multiple(code, levels)
        bits = self.constraints.membrane_bits
        room = highest(bits) // (levels + 1) if code == "latency" else self.room // levels
        step, exponent = self.constraints.threshold_step, self.constraints.threshold_exponent
        largest = max(step, min(register, room) // step * step)
        return 2 ** min(largest.bit_length() - 1, exponent) if exponent else largest

    def finest(self, top: Field) -> Field:
        """The finest unit per channel in which no weight up to `top` exceeds the largest; any where there is none."""
        import numpy as np

        return np.where(top > 0, top, 1.0) / self.largest

    def readout_unit(self, top: Field, bias: Field, least: Field | None = None) -> Field:
        """One unit per channel in which no weight up to `top` exceeds the largest, and in which the bias has room.

        No unit is finer than `least`.
        """
        import numpy as np

        unit = coarse_enough(self.finest(top), np.abs(bias), self.room)
        return unit if least is None else coarse_enough(unit, least, 1)

    def unit(
        self, top: Field, threshold: Field, levels: int, bias: Field | None = None, least: Field | None = None
    ) -> Field:
        """One unit per channel in which no weight up to `top` exceeds the largest, broadcasting like `top`.

        Channels whose weights are tiny beside their threshold or bias, dead ones, get a coarser unit. So do all that
        have to share one threshold with another, or need a power of two: then thresholds are whole units, exactly.
        No unit is finer than `least`, in which the membrane has room.
        """
        import numpy as np

        largest = self.largest_threshold(levels)
        if not (self.fixes_units and broadcasts_onto(threshold, top)):
            unit = coarse_enough(self.finest(top), threshold, largest)
            unit = unit if bias is None else coarse_enough(unit, np.abs(bias), self.room)
            return unit if least is None else coarse_enough(unit, least, 1)
        finest = top / self.largest
        if bias is not None:
            finest = coarse_enough(finest, np.abs(bias), self.room)
        if least is not None:
            finest = coarse_enough(finest, least, 1)
        fits = np.full(finest.shape, float(largest))
        np.divide(threshold, finest, out=fits, where=finest > 0)
        return np.maximum(
            finest, threshold / self._thresholds_below(fits.min() if self.one_threshold else fits, largest)
        )

    def _thresholds_below(self, fits: Field, largest: int) -> Field:
        """The largest thresholds that are at most `fits`; where there are none, the smallest."""
        import numpy as np

        step = self.constraints.threshold_step
        whole = np.clip(fits // step * step, step, largest)
        return 2 ** np.floor(np.log2(whole)) if self.constraints.threshold_exponent else whole

    def threshold(self, threshold: Field, unit: Field) -> Field:
        """Whole thresholds in a unit."""
        import numpy as np

        step, exponent = self.constraints.threshold_step, self.constraints.threshold_exponent
        if exponent:
            return 2 ** np.clip(np.rint(np.log2(threshold / unit)), np.log2(step), exponent)
        return np.maximum(np.rint(threshold / (unit * step)), 1) * step

    def weight(self, weight: Field, unit: Field) -> Field:
        """Whole weights in a unit."""
        import numpy as np

        step = self.constraints.weight_step
        return np.rint(weight / (unit * step)) * step


def weight_grid(constraints: Constraints, weight_bits: int | None, name: str) -> WeightGrid:
    """The grid that a target's constraints and a pass's own option leave.

    Raises:
        OptionError: the width is out of range.
    """
    bits = constraints.weight_bits if weight_bits is None else weight_bits
    if not 2 <= bits <= 16:
        raise OptionError(f"{name}: weight-bits must be 2 ... 16, not {bits}")
    if constraints.weight_step >= 2 ** (bits - 1):
        raise OptionError(f"{name}: {bits} bits hold no multiple of {constraints.weight_step}")
    return WeightGrid(replace(constraints, weight_bits=bits), weight_bits)


def highest(bits: int, step: int = 1) -> int:
    """The largest multiple of `step` in a signed integer of so many bits."""
    return (2 ** (bits - 1) - 1) // step * step


def broadcasts_onto(array: Field, other: Field) -> bool:
    """Whether an array has one number, or one per index, along every axis of another."""
    return array.ndim == other.ndim and all(one in (1, two) for one, two in zip(array.shape, other.shape, strict=True))


def coarse_enough(unit: Field, constant: Field, largest: float) -> Field:
    """A unit, as many as there were, in which a constant that is not negative does not exceed `largest`.

    Only channels whose weights are tiny beside their constants, dead ones, get a coarser unit, unless the target's
    registers are narrow.
    """
    import numpy as np

    from neurocuda.passes.ann._linear import full_rank

    rank = max(unit.ndim, constant.ndim)
    unit, least = full_rank(unit, rank), full_rank(constant / largest, rank)
    shared = tuple(axis for axis, extent in enumerate(unit.shape) if extent == 1)
    return np.maximum(unit, least.max(axis=shared, keepdims=True))
