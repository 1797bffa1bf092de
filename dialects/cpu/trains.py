"""What stands around layers of spikes: trains of a constant current, pooled trains, and trains counted."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import BoolAttr, IntegerAttr, MemRefType, i64
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.cpu.bases import (
    LoopOp,
    NeuronsOp,
    PoolOp,
    buffer_element,
    buffer_shape,
    element_bytes,
    is_float,
    memref_of,
    windows_of,
)
from neurocuda.dialects.cpu.layers import WORD
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.shapes import Shape
from neurocuda.ir.attributes import Dense, dense_shape, values_of


def train_neurons(train: SSAValue, channels: int) -> Shape:
    """The shape of the neurons of a train; channels, or features, last."""
    return (*buffer_shape(train)[:-2], channels)


def train_steps(train: SSAValue) -> int:
    """T: the time steps that a train covers."""
    return buffer_shape(train)[-2]


def _require_train(op: LoopOp, train: SSAValue, channels: int) -> None:
    """Raises VerifyException where a buffer is no train of so many channels."""
    is_train = memref_of(train).get_element_type() == i64 and len(buffer_shape(train)) >= 2
    op.require(is_train, "expected a train of i64")
    words = buffer_shape(train)[-1]
    op.require(channels > 0 and words == -(-channels // WORD), f"{channels} channels do not fit its words")


@irdl_op_definition
class CurrentLayerOp(NeuronsOp):
    """A layer of integrate-and-fire neurons over one current that flows at every step: all T steps at once.

    The membrane begins as `initial`, and moves as in `cpu.spike_layer`, with the current in place of what synapses
    bring: it flows at every step, or, with `gated`, once, before the first.

    (C2) The target is a train of `channels` channels, the current has the neurons' shape and holds i32.
    (C4) The constants broadcast.
    """

    name = "cpu.current_layer"
    # Once more: operands of a base come last.
    current = operand_def(MemRefType)
    spikes = operand_def(MemRefType)
    threshold = prop_def(Dense)
    bias = opt_prop_def(Dense)
    initial = opt_prop_def(Dense)
    reset_value = opt_prop_def(Dense)
    strict = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    gated = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    channels = prop_def(IntegerAttr.constr(i64))
    assembly_format = (
        "$current `->` $spikes `threshold` `(` $threshold `)` (`bias` `(` $bias^ `)`)? (`initial` `(` $initial^ `)`)? "
        "(`reset_value` `(` $reset_value^ `)`)? (`strict` $strict^)? (`gated` $gated^)? `channels` $channels "
        "(`scale` `(` $scale^ `)`)? `layout` $layout (`steps` $steps^)? attr-dict `:` type($current) `->` type($spikes)"
    )

    @property
    def neurons(self) -> Shape:
        return train_neurons(self.spikes, self.channels.value.data)

    @property
    def timesteps(self) -> int:
        """T."""
        return train_steps(self.spikes)

    @property
    def sent(self) -> tuple[int, int]:
        return 0, self.timesteps

    def constants(self) -> Mapping[str, Dense]:
        given = {name: getattr(self, name) for name in ("threshold", "bias", "initial", "reset_value")}
        return {name: constant for name, constant in given.items() if constant is not None}

    def verify_(self) -> None:
        super().verify_()
        _require_train(self, self.spikes, self.channels.value.data)  # C2
        element = buffer_element(self.current)
        held = not is_float(element) and element_bytes(element) == 4
        self.require(held and buffer_shape(self.current) == self.neurons, "a current has the neurons' shape, of i32")
        for constant in self.constants().values():  # C4
            self.require(shapes.broadcastable(dense_shape(constant), self.neurons), "the constants do not broadcast")


@irdl_op_definition
class MaxPoolTrainOp(PoolOp):
    """target <- where, at each step, something in a window of the source fires.

    With `counted` the window fires when its largest count grows: the target has fired as often, at every step, as that
    neuron of the window that has fired most.

    (C2) Both are trains of `channels` channels and as many steps; the windows agree.
    """

    name = "cpu.max_pool_train"
    source = operand_def(MemRefType)
    target = operand_def(MemRefType)
    channels = prop_def(IntegerAttr.constr(i64))
    counted = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    assembly_format = (
        "$source `->` $target (`counted` $counted^)? `channels` $channels `kernel` $kernel `stride` $stride `padding` "
        "$padding `dilation` $dilation (`steps` $steps^)? attr-dict `:` type($source) `->` type($target)"
    )

    def verify_(self) -> None:
        super().verify_()
        channels = self.channels.value.data
        for train in (self.source, self.target):
            _require_train(self, train, channels)
        source = train_neurons(self.source, channels)
        self.require(len(source) == 3, "expected height, width and channels")
        windows = windows_of(self, source, values_of(self.kernel))
        self.require(train_neurons(self.target, channels) == (*windows, channels), f"expected {windows} windows")
        self.require(train_steps(self.source) == train_steps(self.target), "the trains differ in their steps")


@irdl_op_definition
class CountTrainOp(LoopOp):
    """counts <- how often each neuron of a train of `channels` channels fires in all.

    (C2) The shapes agree. (C3) Counts are integers that hold as many steps as there are.
    """

    name = "cpu.count_train"
    train = operand_def(MemRefType)
    counts = operand_def(MemRefType)
    channels = prop_def(IntegerAttr.constr(i64))
    assembly_format = (
        "$train `->` $counts `channels` $channels (`steps` $steps^)? attr-dict `:` type($train) `->` type($counts)"
    )

    def verify_(self) -> None:
        super().verify_()
        channels = self.channels.value.data
        _require_train(self, self.train, channels)
        self.require(buffer_shape(self.counts) == train_neurons(self.train, channels), "expected a count per neuron")
        element = buffer_element(self.counts)
        if is_float(element) or train_steps(self.train) >= 2 ** (8 * element_bytes(element)):  # C3
            raise VerifyException(f"{self.name}: {element} does not hold {train_steps(self.train)}")
