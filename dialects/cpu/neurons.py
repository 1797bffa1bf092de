"""Loops that keep the state of neurons: leak, charge, clamp, fire; delays and counting pools."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import BoolAttr, DenseArrayBase, IntegerAttr, MemRefType, i64
from xdsl.irdl import (
    AttrSizedOperandSegments,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.cpu.bases import LoopOp, MembraneOp, PoolOp, buffer_element, buffer_shape, is_float
from neurocuda.dialects.shared import shapes
from neurocuda.ir.attributes import Dense, dense_shape, integer, values_of


@irdl_op_definition
class LeakOp(LoopOp):
    """membrane <- membrane * decay; with `bits`, membrane * decay / 2^bits rounded toward zero, in 64 bits.

    (C2) The decay broadcasts. (C3) Integers have `bits`, floats have none.
    """

    name = "cpu.leak"
    membrane = operand_def(MemRefType)
    decay = prop_def(Dense)
    bits = opt_prop_def(IntegerAttr.constr(i64))
    assembly_format = (
        "$membrane `decay` `(` $decay `)` (`bits` $bits^)? (`steps` $steps^)? attr-dict `:` type($membrane)"
    )

    def constants(self) -> Mapping[str, Dense]:
        return {"decay": self.decay}

    def verify_(self) -> None:
        super().verify_()
        self.require_one_shape()  # C2
        self.require(is_float(buffer_element(self.membrane)) == (self.bits is None), "integers need bits")  # C3


@irdl_op_definition
class ChargeOp(LoopOp):
    """membrane <- membrane + value: a constant current.

    (C2) The value broadcasts.
    """

    name = "cpu.charge"
    membrane = operand_def(MemRefType)
    value = prop_def(Dense)
    assembly_format = "$membrane `value` `(` $value `)` (`steps` $steps^)? attr-dict `:` type($membrane)"

    def constants(self) -> Mapping[str, Dense]:
        return {"value": self.value}

    def verify_(self) -> None:
        super().verify_()
        self.require_one_shape()  # C2


@irdl_op_definition
class AddOp(LoopOp):
    """membrane <- membrane + source.

    (C2) One shape.
    """

    name = "cpu.add"
    source = operand_def(MemRefType)
    membrane = operand_def(MemRefType)
    assembly_format = "$source `->` $membrane (`steps` $steps^)? attr-dict `:` type($source) `->` type($membrane)"

    def verify_(self) -> None:
        super().verify_()
        self.require_one_shape()  # C2


@irdl_op_definition
class ClampOp(LoopOp):
    """membrane <- max(membrane, lowest), then, where there is a `highest`, min(membrane, highest).

    (C2) The bounds broadcast.
    """

    name = "cpu.clamp"
    membrane = operand_def(MemRefType)
    lowest = prop_def(Dense)
    highest = opt_prop_def(Dense)
    assembly_format = (
        "$membrane `lowest` `(` $lowest `)` (`highest` `(` $highest^ `)`)? (`steps` $steps^)? attr-dict `:` "
        "type($membrane)"
    )

    def constants(self) -> Mapping[str, Dense]:
        optional = {} if self.highest is None else {"highest": self.highest}
        return {"lowest": self.lowest, **optional}

    def verify_(self) -> None:
        super().verify_()
        self.require_one_shape()  # C2


@irdl_op_definition
class FireOp(MembraneOp):
    """Writes the spikes s of a layer and resets its membrane v.

        s <- 1 where v >= threshold (v > threshold with `strict`), else 0; with `spikes_per_step` k > 1 instead of 1
             as often as the threshold fits, at least once and at most k times; with `values`, at the j-th of the steps
             values[j] where v >= values[j] threshold
        s <- -1 where v < 0 and fired > 0, with `signed`
        s <- min(s, levels - fired), with a buffer of the spikes so far;  fired <- fired + s
        s <- 0 before step `ready`, with a buffer of such steps;  ready <- step + 1 + refractory where s > 0
        v <- v - threshold s, or `reset_value` where s > 0

    With spikes_per_step > 1 thresholds divide; the conversion sees to it that none is zero.

    (C4) `levels` and `fired`, and `refractory` and `ready`, go together; `signed` needs the former; all have one shape.
    (C5) There is one of `values` for every step.
    """

    name = "cpu.fire"
    # Once more: operands of a base come last.
    membrane = operand_def(MemRefType)
    spikes = operand_def(MemRefType)
    fired = opt_operand_def(MemRefType)
    ready = opt_operand_def(MemRefType)
    threshold = prop_def(Dense)
    reset_value = opt_prop_def(Dense)
    strict = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    spikes_per_step = prop_def(IntegerAttr.constr(i64), default_value=integer(1))
    levels = opt_prop_def(IntegerAttr.constr(i64))
    refractory = opt_prop_def(IntegerAttr.constr(i64))
    values = opt_prop_def(DenseArrayBase.constr(i64))
    signed = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    assembly_format = (
        "$membrane `->` $spikes `threshold` `(` $threshold `)` (`fired` $fired^ `:` type($fired))? "
        "(`ready` $ready^ `:` type($ready))? (`reset_value` `(` $reset_value^ `)`)? (`strict` $strict^)? "
        "(`spikes_per_step` $spikes_per_step^)? (`levels` $levels^)? (`refractory` $refractory^)? "
        "(`values` $values^)? (`signed` $signed^)? (`scale` `(` $scale^ `)`)? `layout` $layout (`steps` $steps^)? "
        "attr-dict `:` type($membrane) `->` type($spikes)"
    )

    def constants(self) -> Mapping[str, Dense]:
        optional = {} if self.reset_value is None else {"reset_value": self.reset_value}
        return {"threshold": self.threshold, **optional}

    @property
    def sent(self) -> tuple[int, int]:
        start, stop = self.window
        most = sum(values_of(self.values)) if self.values else (stop - start) * self.spikes_per_step.value.data
        return 0, most if self.levels is None else min(most, self.levels.value.data)

    def verify_(self) -> None:
        super().verify_()
        self.require_one_shape()  # C4
        if (self.levels is None) != (self.fired is None) or (self.refractory is None) != (self.ready is None):  # C4
            raise VerifyException(f"{self.name}: a limit and the buffer that keeps it go together")
        if self.signed.value.data and self.levels is None:  # C4
            raise VerifyException(f"{self.name}: signed neurons need levels")
        if self.values is not None and len(values_of(self.values)) != self.window[1] - self.window[0]:  # C5
            raise VerifyException(
                f"{self.name}: {len(values_of(self.values))} values for {self.window[1] - self.window[0]} steps"
            )


@irdl_op_definition
class RecallOp(LoopOp):
    """target <- what was remembered in a ring of slots as many steps ago as it has: slot step mod slots.

    With `delays` every element comes from its own number of steps ago, at most as many as there are slots.

    (C2) The target has the shape of a slot. (C3) The delays broadcast onto it.
    """

    name = "cpu.recall"
    line = operand_def(MemRefType)
    target = operand_def(MemRefType)
    delays = opt_prop_def(Dense)
    assembly_format = (
        "$line `->` $target (`delays` `(` $delays^ `)`)? (`steps` $steps^)? attr-dict `:` type($line) `->` "
        "type($target)"
    )

    def constants(self) -> Mapping[str, Dense]:
        return {} if self.delays is None else {"delays": self.delays}

    def verify_(self) -> None:
        super().verify_()
        shape = buffer_shape(self.target)
        self.require(shape == buffer_shape(self.line)[1:], "the target is no slot of the line")  # C2
        fits = self.delays is None or shapes.broadcastable(dense_shape(self.delays), shape)
        self.require(fits, "the delays do not broadcast")  # C3


@irdl_op_definition
class RememberOp(LoopOp):
    """line <- source, in slot step mod slots.

    (C2) The source has the shape of a slot.
    """

    name = "cpu.remember"
    source = operand_def(MemRefType)
    line = operand_def(MemRefType)
    assembly_format = "$source `->` $line (`steps` $steps^)? attr-dict `:` type($source) `->` type($line)"

    def verify_(self) -> None:
        super().verify_()
        self.require(buffer_shape(self.source) == buffer_shape(self.line)[1:], "the source is no slot of the line")


@irdl_op_definition
class RunningMaxPool2dOp(PoolOp):
    """counts <- counts + source;  target <- the growth of the largest count in every window; highest keeps it.

    (C3) `counts` has the source's shape, `highest` the target's.
    """

    name = "cpu.running_max_pool2d"
    source = operand_def(MemRefType)
    target = operand_def(MemRefType)
    counts = operand_def(MemRefType)
    highest = operand_def(MemRefType)
    assembly_format = (
        "$source `->` $target `counts` $counts `highest` $highest `kernel` $kernel `stride` $stride `padding` $padding "
        "`dilation` $dilation (`steps` $steps^)? attr-dict `:` type($source) `->` type($target) `,` type($counts) `,` "
        "type($highest)"
    )

    def verify_(self) -> None:
        super().verify_()
        self.require_windows(self.source, self.target)
        same = buffer_shape(self.counts) == buffer_shape(self.source)
        self.require(same and buffer_shape(self.highest) == buffer_shape(self.target), "counts need their shapes")  # C3
