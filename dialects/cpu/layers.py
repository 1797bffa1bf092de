"""Whole layers of neurons as one operation: synapses, neurons and nothing stored between them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from xdsl.dialects.builtin import ArrayAttr, BoolAttr, DenseArrayBase, IntegerAttr, MemRefType, StringAttr, i64
from xdsl.ir import Attribute, ParametrizedAttribute, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    ParsePropInAttrDict,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
    var_operand_def,
)
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.cpu.bases import NeuronsOp, buffer_element, buffer_shape, element_bytes, is_float, memref_of
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.shapes import Shape
from neurocuda.ir.attributes import Dense, dense_shape, integers, values_of
from neurocuda.ir.resources import ResourceUser

WORD = 64
"""Spikes of so many channels lie in one word of a train."""

KINDS = ("conv2d", "depthwise_conv2d", "linear", "diagonal")
"""What a synapse can be, as the operations of these names."""

ONES, NONE = (1, 1), (0, 0, 0, 0)


@irdl_attr_definition
class SynapseAttr(ParametrizedAttribute):
    """How a source of a layer reaches its neurons: `#cpu.synapse<conv2d stride [2, 2] padding [1, 1, 1, 1]>`.

    The kinds, and their weights, are those of the operations `cpu.conv2d`, `cpu.depthwise_conv2d`, `cpu.linear` and
    `cpu.diagonal`. `pool` sums windows of so many rows and columns, side by side, of the source beforehand. What is not
    said is stride, dilation and pool 1, padding 0.
    """

    name = "cpu.synapse"
    kind: StringAttr
    stride: DenseArrayBase
    padding: DenseArrayBase
    dilation: DenseArrayBase
    pool: DenseArrayBase

    @staticmethod
    def of(
        kind: str,
        stride: Sequence[int] = ONES,
        padding: Sequence[int] = NONE,
        dilation: Sequence[int] = ONES,
        pool: Sequence[int] = ONES,
    ) -> SynapseAttr:
        """From plain numbers."""
        return SynapseAttr(StringAttr(kind), *(integers(each) for each in (stride, padding, dilation, pool)))

    @property
    def is_windowed(self) -> bool:
        """Whether it moves a window over an image."""
        return self.kind.data in ("conv2d", "depthwise_conv2d")

    def verify(self) -> None:
        if self.kind.data not in KINDS:
            raise VerifyException(f"cpu.synapse: '{self.kind.data}' is none of {', '.join(KINDS)}")
        lengths = tuple(len(values_of(each)) for each in (self.stride, self.padding, self.dilation, self.pool))
        if lengths != (2, 4, 2, 2):
            raise VerifyException("cpu.synapse: expected 2 strides, 4 paddings, 2 dilations and 2 sides of a pool")
        moved = (values_of(self.stride), values_of(self.padding), values_of(self.dilation)) != (ONES, NONE, ONES)
        if not self.is_windowed and (moved or values_of(self.pool) != ONES):
            raise VerifyException(f"cpu.synapse: a {self.kind.data} synapse has no window")

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(self.kind.data)
            for name, default in (("stride", ONES), ("padding", NONE), ("dilation", ONES), ("pool", ONES)):
                values = values_of(getattr(self, name))
                if values != default:
                    printer.print_string(f" {name} [{', '.join(map(str, values))}]")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        given: dict[str, list[int]] = {}
        with parser.in_angle_brackets():
            kind = parser.parse_identifier("a kind of synapse")
            for name in ("stride", "padding", "dilation", "pool"):
                if parser.parse_optional_keyword(name) is not None:
                    given[name] = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
        return SynapseAttr.of(kind, **given).parameters


@dataclass(frozen=True)
class Synapse:
    """One synapse of a layer: its source, what it is and its weight."""

    source: SSAValue
    how: SynapseAttr
    weight: Dense


class LayerOp(NeuronsOp, ResourceUser, ABC):
    """One layer of neurons: for each of the sources a synapse and a weight, all onto one membrane that is not stored.

    `bias` is a constant charge, `initial` the membrane's first value; with `threshold` they are integers that broadcast
    onto the neurons. `kernel` says how it is computed, `choose-kernels` writes it; without it, a final lowering takes
    what always works.

    (C1) There is one synapse and one weight for every source. (C2) The shapes agree. (C3) The constants broadcast.
    (C4) Weights are integers, sources and target hold what the kind of layer reads and writes.
    """

    sources = var_operand_def(MemRefType)
    spikes = operand_def(MemRefType)
    synapses = prop_def(ArrayAttr[SynapseAttr])
    weights = prop_def(ArrayAttr[Dense])
    threshold = prop_def(Dense)
    bias = opt_prop_def(Dense)
    initial = opt_prop_def(Dense)
    kernel = opt_prop_def(StringAttr)

    @property
    def neurons(self) -> Shape:
        return self.neurons_of(self.spikes)

    @abstractmethod
    def neurons_of(self, buffer: SSAValue) -> Shape:
        """The shape of the neurons whose signals a buffer holds; channels, or features, last."""

    def connections(self) -> Sequence[Synapse]:
        """The synapses with what they read."""
        return [Synapse(*each) for each in zip(self.sources, self.synapses.data, self.weights.data, strict=True)]

    def constants(self) -> Mapping[str, Dense]:
        given = {"threshold": self.threshold, "bias": self.bias, "initial": self.initial}
        return {name: constant for name, constant in given.items() if constant is not None}

    def uses(self) -> Mapping[str, float]:
        from neurocuda.ir.attributes import dense_type

        sizes = [8 * element_bytes(dense_type(weight).element_type) for weight in self.weights.data]
        return {"weight_bits": max(sizes, default=0)}

    def verify_(self) -> None:
        super().verify_()
        if not len(self.sources) == len(self.synapses.data) == len(self.weights.data):  # C1
            raise VerifyException(f"{self.name}: expected one synapse and one weight for every source")
        onto = self.neurons_of(self.spikes)
        for synapse in self.connections():
            reached = _reached(synapse, self.neurons_of(synapse.source))
            self.require(reached == onto, f"a {synapse.how.kind.data} synapse reaches {reached}, not {onto}")  # C2
        for constant in self.constants().values():
            self.require(shapes.broadcastable(dense_shape(constant), onto), "the constants do not broadcast")  # C3
        if any(is_float(buffer_element(value)) for value in self.operands):  # C4
            raise VerifyException(f"{self.name}: whole layers are made of integers")


def _reached(synapse: Synapse, source: Shape) -> Shape:
    """The neurons that a synapse reaches.

    Raises:
        VerifyException: it does not fit its source.
    """
    how, weight = synapse.how, dense_shape(synapse.weight)
    wrong = VerifyException(f"a weight {weight} does not fit a {how.kind.data} synapse of a source {source}")
    if how.kind.data == "diagonal":
        if not shapes.broadcastable(weight, source):
            raise wrong
        return source
    if how.kind.data == "linear":
        if len(weight) != 2 or weight[0] != prod(source):
            raise wrong
        return weight[1:]
    if len(source) != 3 or len(weight) != (5 if how.kind.data == "conv2d" else 3):
        raise wrong
    rows, columns = (size // side for size, side in zip(source, values_of(how.pool), strict=False))
    kernel = weight[1:3] if how.kind.data == "conv2d" else weight[:2]
    inner = weight[0] * weight[3] if how.kind.data == "conv2d" else weight[2]
    outer = weight[0] * weight[4] if how.kind.data == "conv2d" else weight[2]
    if inner != source[2]:
        raise wrong
    geometry = (values_of(how.stride), values_of(how.padding), values_of(how.dilation))
    try:
        windows = shapes.windows2d((source[2], rows, columns), kernel, *geometry)
    except ValueError as reason:
        raise VerifyException(str(reason)) from None
    return (*windows, outer)


HEAD = (
    "`(` $sources `)` `->` $spikes `synapses` $synapses `weights` $weights `threshold` `(` $threshold `)` "
    "(`bias` `(` $bias^ `)`)? (`initial` `(` $initial^ `)`)? "
)
TAIL = (
    "(`kernel` $kernel^)? (`scale` `(` $scale^ `)`)? `layout` $layout (`steps` $steps^)? attr-dict `:` "
    "`(` type($sources) `)` `->` type($spikes)"
)


@irdl_op_definition
class CountLayerOp(LayerOp):
    """spikes <- clip(floor((initial + bias + what all synapses bring) / threshold), 0, levels): a layer of counts.

    The conversion sees to it that thresholds are positive and that sums stay within 32 bits.

    (C5) Counts up to `levels` fit into the target.
    """

    name = "cpu.count_layer"
    # Once more: operands of a base come last.
    sources = var_operand_def(MemRefType)
    spikes = operand_def(MemRefType)
    levels = prop_def(IntegerAttr.constr(i64))
    assembly_format = HEAD + "`levels` $levels " + TAIL

    @property
    def sent(self) -> tuple[int, int]:
        return 0, self.levels.value.data

    def neurons_of(self, buffer: SSAValue) -> Shape:
        return buffer_shape(buffer)

    def verify_(self) -> None:
        super().verify_()
        room = 2 ** (8 * element_bytes(buffer_element(self.spikes)))
        self.require(0 < self.levels.value.data < room, "levels do not fit into the target")  # C5


@irdl_op_definition
class SpikeLayerOp(LayerOp):
    """A layer of integrate-and-fire neurons over trains: all T time steps of the sources give all T steps of spikes.

    A train is `memref<... x T x words x i64>`: 64 channels to a word, channel c is bit c mod 64 of word c div 64, and
    bits past `channels` are zero. With the membrane v <- initial, at every step t

        v <- v + bias + factor times what the synapses bring of the sources' spikes at t
        s <- 1 where v >= threshold (v > threshold with `strict`), else 0
        v <- v - threshold s, or `reset_value` where s is 1

    With `gated` all T steps of the sources, and T times the bias, arrive before the first step at which neurons fire.
    `charge_bits` is proven: so many bits hold what any of the sources' spikes at a step bring, before the factor.
    `scratch` is memory in which a kernel lists events; what is in it does not matter.

    (C5) Trains hold i64, all have T steps, and `channels` channels fit the target's words.
    (C6) The factor is positive.
    """

    name = "cpu.spike_layer"
    # Once more: operands of a base come last.
    sources = var_operand_def(MemRefType)
    spikes = operand_def(MemRefType)
    scratch = opt_operand_def(MemRefType)
    channels = prop_def(IntegerAttr.constr(i64))
    source_channels = prop_def(DenseArrayBase.constr(i64))
    factor = opt_prop_def(IntegerAttr.constr(i64))
    charge_bits = opt_prop_def(IntegerAttr.constr(i64))
    reset_value = opt_prop_def(Dense)
    strict = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    gated = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    assembly_format = (
        HEAD + "(`scratch` $scratch^ `:` type($scratch))? (`factor` $factor^)? (`charge_bits` $charge_bits^)? "
        "(`reset_value` `(` $reset_value^ `)`)? (`strict` $strict^)? (`gated` $gated^)? `channels` $channels "
        "`of` $source_channels " + TAIL
    )

    @property
    def sent(self) -> tuple[int, int]:
        return 0, self.timesteps

    @property
    def timesteps(self) -> int:
        """T."""
        *_, steps, _ = buffer_shape(self.spikes)
        return steps

    @property
    def times(self) -> int:
        """The factor, 1 unless it is said."""
        return 1 if self.factor is None else self.factor.value.data

    @property
    def charge_width(self) -> int:
        """The bits that hold what arrives at a step: 32 unless less is proven."""
        return 32 if self.charge_bits is None else self.charge_bits.value.data

    def constants(self) -> Mapping[str, Dense]:
        optional = {} if self.reset_value is None else {"reset_value": self.reset_value}
        return {**super().constants(), **optional}

    def channels_of(self, buffer: SSAValue) -> int:
        """How many channels a train has."""
        if buffer is self.spikes:
            return self.channels.value.data
        return values_of(self.source_channels)[list(self.sources).index(buffer)]

    def neurons_of(self, buffer: SSAValue) -> Shape:
        return (*buffer_shape(buffer)[:-2], self.channels_of(buffer))

    def verify_(self) -> None:
        if len(values_of(self.source_channels)) != len(self.sources):
            raise VerifyException(f"{self.name}: expected the number of channels of every source")
        for value in (*self.sources, self.spikes):
            shape, words = buffer_shape(value), -(-self.channels_of(value) // WORD)
            packed = memref_of(value).get_element_type() == i64 and shape[-2:] == (self.timesteps, words)
            self.require(packed, "expected trains with as many steps and words")  # C5
        self.require(self.times > 0, f"the factor {self.times} is not positive")  # C6
        super().verify_()
