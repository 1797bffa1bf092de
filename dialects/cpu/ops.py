"""All operations of the `cpu` dialect: a program, its buffers, and loop nests in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    IntegerAttr,
    MemRefType,
    StringAttr,
    i64,
)
from xdsl.ir import Attribute, Dialect, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import IsolatedFromAbove, IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.cpu.bases import (
    LoopOp,
    MembraneOp,
    NeuronsOp,
    PoolOp,
    SynapseOp,
    buffer_bytes,
    buffer_element,
    buffer_shape,
    element_bytes,
    is_float,
    memref_of,
    windows_of,
)
from neurocuda.dialects.cpu.layers import CountLayerOp, LayerOp, SpikeLayerOp, SynapseAttr
from neurocuda.dialects.cpu.neurons import (
    AddOp,
    ChargeOp,
    ClampOp,
    FireOp,
    LeakOp,
    RecallOp,
    RememberOp,
    RunningMaxPool2dOp,
)
from neurocuda.dialects.cpu.tables import FactorsOp, LayerNormOp, LookupOp, MatrixProductOp, ProductOp, SoftmaxOp
from neurocuda.dialects.cpu.trains import CountTrainOp, CurrentLayerOp, MaxPoolTrainOp
from neurocuda.ir.attributes import FOREVER, Dense, dense_shape, dense_type, integer, shape_of, values_of
from neurocuda.ir.resources import ResourceUser

__all__ = [
    "DIALECT",
    "AddOp",
    "BufferOp",
    "ChargeOp",
    "ClampOp",
    "Conv2dOp",
    "CopyOp",
    "CountLayerOp",
    "CountTrainOp",
    "CurrentLayerOp",
    "DepthwiseConv2dOp",
    "DequantizeOp",
    "DiagonalOp",
    "FactorsOp",
    "FillOp",
    "FireOp",
    "LayerNormOp",
    "LayerOp",
    "LeakOp",
    "LinearOp",
    "LookupOp",
    "LoopOp",
    "MatrixProductOp",
    "MaxPool2dOp",
    "MaxPoolTrainOp",
    "MembraneOp",
    "NeuronsOp",
    "OutputOp",
    "ProductOp",
    "ProgramOp",
    "QuantizeOp",
    "RecallOp",
    "RememberOp",
    "RunningMaxPool2dOp",
    "SoftmaxOp",
    "SpikeLayerOp",
    "SumPool2dOp",
    "SynapseAttr",
]

EVENTS, COUNTS = "events", "counts"
"""What the signals of a program are."""


@irdl_op_definition
class ProgramOp(ResourceUser):
    """A network as a C function called `symbol`: at every step, the loop nests of the body that are due, in order.

    The body's arguments are the caller's arrays, one per operand; `cpu.output` names the arrays of the results. All
    other buffers lie in a memory that the caller lends; what it holds before does not matter. `processor` is the chip
    that it is for.

    Without `steps` the program runs for as many steps as the operands have along their first axis, time. At every step
    the arguments are that step's part of the operands, the outputs that of the results.

    `mode` says what signals are: the `events` of a step, or the `counts` of all of them, which take one step.

    A program whose layers compute all time steps at once has one step that `covers` those of the network.

    (C1) The arguments are buffers of the operands' shapes, the outputs buffers of the results' shapes; without `steps`,
    both less an axis of time in front, whose extent is not known.
    (C2) `symbol` is a C identifier. (C3) There is at least one step, and no loop nest runs after the last; without
    `steps`, loop nests run at all steps, or at the first one alone. (C4) Counts take one step. (C5) Only a single
    step covers others.
    """

    name = "cpu.program"
    inputs = var_operand_def()
    symbol = prop_def(StringAttr)
    processor = opt_prop_def(StringAttr)
    mode = prop_def(StringAttr, default_value=StringAttr(EVENTS))
    steps = opt_prop_def(IntegerAttr.constr(i64))
    covers = opt_prop_def(IntegerAttr.constr(i64))
    body = region_def("single_block")
    outputs = var_result_def()
    traits = traits_def(IsolatedFromAbove(), Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$symbol (`for` $processor^)? (`mode` $mode^)? (`steps` $steps^)? (`covers` $covers^)? "
        "`inputs` `(` $inputs `)` attr-dict-with-keyword $body `:` `(` type($inputs) `)` `->` `(` type($outputs) `)`"
    )

    def __init__(
        self,
        inputs: Sequence[SSAValue],
        body: Region,
        result_types: Sequence[Attribute],
        *,
        symbol: str = "network",
        mode: str = EVENTS,
        steps: int | None,
        processor: str | None = None,
    ) -> None:
        super().__init__(
            operands=[inputs],
            properties={
                "symbol": StringAttr(symbol),
                "processor": None if processor is None else StringAttr(processor),
                "mode": StringAttr(mode),
                "steps": None if steps is None else integer(steps),
            },
            regions=[body],
            result_types=[result_types],
        )

    @property
    def timesteps(self) -> int | None:
        """The time steps of the network; None without an end."""
        said = self.steps if self.covers is None else self.covers
        return None if said is None else said.value.data

    def uses(self) -> Mapping[str, float]:
        buffers = [op for op in self.body.block.ops if isinstance(op, BufferOp) and op.offset is not None]
        ends = [op.offset.value.data + buffer_bytes(op.result) for op in buffers if op.offset is not None]
        clock = {} if self.timesteps is None else {"steps": self.timesteps}
        state = max(ends, default=0)
        last = self.body.block.last_op
        arrays = [*self.body.block.args, *(last.operands if last is not None else ())]
        return {
            **clock,
            "state_bytes": state,
            "memory_bytes": state + sum(map(buffer_bytes, arrays)),
            "weight_bytes": self._weight_bytes(),
        }

    def _weight_bytes(self) -> int:
        """What the constants take, equal ones once."""
        loops = [op for op in self.body.block.ops if isinstance(op, LoopOp)]
        constants = {constant for op in loops for constant in op.constants().values()}
        constants |= {weight for op in loops if isinstance(op, LayerOp) for weight in op.weights.data}
        return sum(prod(dense_shape(each)) * element_bytes(dense_type(each).element_type) for each in constants)

    def verify_(self) -> None:
        time = () if self.steps is not None else (DYNAMIC_INDEX,)
        arguments = [(*time, *buffer_shape(argument)) for argument in self.body.block.args]
        last = self.body.block.last_op
        results = [(*time, *buffer_shape(value)) for value in last.operands] if last is not None else []
        if arguments != [shape_of(value) for value in self.inputs]:  # C1
            raise VerifyException("cpu.program: the body's arguments do not have the operands' shapes")
        if results != [shape_of(value) for value in self.outputs]:  # C1
            raise VerifyException("cpu.program: the outputs do not have the results' shapes")
        symbol = self.symbol.data
        if not (symbol.isidentifier() and symbol.isascii()):  # C2
            raise VerifyException(f"cpu.program: '{symbol}' is no C identifier")
        if self.mode.data not in (EVENTS, COUNTS) or (self.mode.data == COUNTS and self.uses().get("steps") != 1):  # C4
            raise VerifyException(
                f'cpu.program: mode "{self.mode.data}" is neither "{EVENTS}" nor "{COUNTS}" at one step'
            )
        if self.covers is not None and (self.steps is None or self.steps.value.data != 1):  # C5
            raise VerifyException("cpu.program: only a single step covers others")
        self._verify_windows()

    def _verify_windows(self) -> None:
        """C3."""
        windows = [op.window for op in self.body.block.ops if isinstance(op, LoopOp)]
        if self.steps is None:
            if not set(windows) <= {(0, 1), (0, FOREVER)}:
                raise VerifyException("cpu.program: without `steps`, loop nests run at all steps or at the first alone")
            return
        steps = self.steps.value.data
        if steps < 1 or max((stop for _, stop in windows), default=0) > steps:
            raise VerifyException(f"cpu.program: a loop nest runs after the last of {steps} steps")


@irdl_op_definition
class OutputOp(IRDLOperation):
    """Ends the body of a program; its operands are the caller's arrays for the results."""

    name = "cpu.output"
    values = var_operand_def()
    traits = traits_def(IsTerminator())
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue]) -> None:
        super().__init__(operands=[values])


@irdl_op_definition
class BufferOp(ResourceUser):
    """Memory for a signal or a state; nothing is in it before it is written.

    `label` is for people. `range` bounds what integers the buffer ever holds, proven by interval analysis. `offset` is
    its place in the program's memory, in bytes; buffers that are never in use together may share it. Spikes (0 or 1)
    have element type i1 and take a byte.

    (C1) The element type is a number. (C2) The range fits into it.
    """

    name = "cpu.buffer"
    label = opt_prop_def(StringAttr)
    range = opt_prop_def(DenseArrayBase.constr(i64))
    offset = opt_prop_def(IntegerAttr.constr(i64))
    result = result_def(MemRefType)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "($label^)? (`range` $range^)? (`offset` $offset^)? attr-dict `:` type($result)"

    def __init__(
        self,
        element: Attribute,
        shape: Sequence[int],
        *,
        label: str | None = None,
        bounds: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(
            properties={
                "label": None if label is None else StringAttr(label),
                "range": None if bounds is None else DenseArrayBase.from_list(i64, list(bounds)),
            },
            result_types=[MemRefType(element, shape)],
        )

    @property
    def bounds(self) -> tuple[int, int] | None:
        """(lowest, highest) of what the buffer ever holds, where that is known."""
        if self.range is None:
            return None
        lowest, highest = values_of(self.range)
        return lowest, highest

    def uses(self) -> Mapping[str, float]:
        if self.bounds is None:
            return {}
        lowest, highest = self.bounds
        return {"accumulator_bits": 1 + max(highest.bit_length(), (-lowest - 1).bit_length() if lowest < 0 else 0)}

    def verify_(self) -> None:
        element = buffer_element(self.result)
        size = element_bytes(element)  # C1
        if self.bounds is None or is_float(element):
            return
        lowest, highest = self.bounds
        if not -(2 ** (8 * size - 1)) <= lowest <= highest < 2 ** (8 * size):  # C2
            raise VerifyException(f"cpu.buffer: {lowest} ... {highest} does not fit into {element}")


@irdl_op_definition
class FillOp(LoopOp):
    """target <- value everywhere; 0 without one.

    (C2) The value broadcasts.
    """

    name = "cpu.fill"
    target = operand_def(MemRefType)
    value = opt_prop_def(Dense)
    assembly_format = "$target (`value` `(` $value^ `)`)? (`steps` $steps^)? attr-dict `:` type($target)"

    def __init__(self, target: SSAValue, steps: tuple[int, int], value: Dense | None = None) -> None:
        super().__init__(
            operands=[target], properties={"value": value, "steps": DenseArrayBase.from_list(i64, list(steps))}
        )

    def constants(self) -> Mapping[str, Dense]:
        return {} if self.value is None else {"value": self.value}

    def verify_(self) -> None:
        super().verify_()
        self.require_one_shape()  # C2


@irdl_op_definition
class QuantizeOp(LoopOp):
    """target <- clip(round((source - shift) / step)), in float64, ties to even; NaN gives `lowest`.

    (C2) One shape, constants of f64 broadcast.
    """

    name = "cpu.quantize"
    source = operand_def(MemRefType)
    target = operand_def(MemRefType)
    step = prop_def(Dense)
    shift = prop_def(Dense)
    lowest = prop_def(IntegerAttr.constr(i64))
    highest = prop_def(IntegerAttr.constr(i64))
    assembly_format = (
        "$source `->` $target `step` `(` $step `)` `shift` `(` $shift `)` `clip` $lowest `to` $highest "
        "(`steps` $steps^)? attr-dict `:` type($source) `->` type($target)"
    )

    def constants(self) -> Mapping[str, Dense]:
        return {"step": self.step, "shift": self.shift}

    def verify_(self) -> None:
        super().verify_()
        self.require_one_shape()  # C2


@irdl_op_definition
class DequantizeOp(LoopOp):
    """target <- source * scale + offset, in float64, rounded to the target's type.

    (C2) One shape, constants of f64 broadcast.
    """

    name = "cpu.dequantize"
    source = operand_def(MemRefType)
    target = operand_def(MemRefType)
    scale = prop_def(Dense)
    offset = opt_prop_def(Dense)
    assembly_format = (
        "$source `->` $target `scale` `(` $scale `)` (`offset` `(` $offset^ `)`)? (`steps` $steps^)? attr-dict `:` "
        "type($source) `->` type($target)"
    )

    def constants(self) -> Mapping[str, Dense]:
        return {"scale": self.scale} if self.offset is None else {"scale": self.scale, "offset": self.offset}

    def verify_(self) -> None:
        super().verify_()
        self.require_one_shape()  # C2


@irdl_op_definition
class CopyOp(LoopOp):
    """target[to + i . to_strides] <- source[from + i . from_strides] for every index i below `sizes`.

    Offsets and strides count elements of the flat buffers: any chain of slices, paddings, transpositions and reshapes
    that keeps a grid. (C2) Both grids lie inside their buffers. (C3) The element type stays.
    """

    name = "cpu.copy"
    source = operand_def(MemRefType)
    target = operand_def(MemRefType)
    sizes = prop_def(DenseArrayBase.constr(i64))
    from_offset = prop_def(IntegerAttr.constr(i64))
    from_strides = prop_def(DenseArrayBase.constr(i64))
    to_offset = prop_def(IntegerAttr.constr(i64))
    to_strides = prop_def(DenseArrayBase.constr(i64))
    assembly_format = (
        "$source `->` $target `sizes` $sizes `from` $from_offset $from_strides `to` $to_offset $to_strides "
        "(`steps` $steps^)? attr-dict `:` type($source) `->` type($target)"
    )

    def verify_(self) -> None:
        super().verify_()
        self._require_inside(self.source, self.from_offset, self.from_strides)  # C2
        self._require_inside(self.target, self.to_offset, self.to_strides)
        if buffer_element(self.source) != buffer_element(self.target):  # C3
            raise VerifyException("cpu.copy: the element type changes")

    def _require_inside(self, buffer: SSAValue, offset: IntegerAttr, strides: DenseArrayBase) -> None:
        sizes, steps = values_of(self.sizes), values_of(strides)
        self.require(len(sizes) == len(steps) and min((*sizes, 1)) > 0, "one stride per size, and sizes are positive")
        reach = [(size - 1) * step for size, step in zip(sizes, steps, strict=True)]
        first = offset.value.data + sum(min(0, step) for step in reach)
        last = offset.value.data + sum(max(0, step) for step in reach)
        self.require(first >= 0 and last < memref_of(buffer).element_count(), "a grid leaves its buffer")


@irdl_op_definition
class Conv2dOp(SynapseOp):
    """A convolution of (height, width, channels), by events.

    The weight is (groups, kernel height, kernel width, in, out). Padding is top, bottom, left, right; nothing is
    computed for it.
    """

    name = "cpu.conv2d"
    stride = prop_def(DenseArrayBase.constr(i64))
    padding = prop_def(DenseArrayBase.constr(i64))
    dilation = prop_def(DenseArrayBase.constr(i64))
    assembly_format = (
        "$source `->` $membrane `weight` `(` $weight `)` `stride` $stride `padding` $padding `dilation` $dilation "
        "(`steps` $steps^)? attr-dict `:` type($source) `->` type($membrane)"
    )

    @property
    def channels_per_group(self) -> int:
        """The input channels that one output channel reads."""
        return dense_shape(self.weight)[3]

    def verify_(self) -> None:
        super().verify_()
        source, weight, membrane = buffer_shape(self.source), dense_shape(self.weight), buffer_shape(self.membrane)
        self.require(len(source) == len(membrane) == 3 and len(weight) == 5, "expected three axes and five of weights")
        groups, rows, columns, inner, outer = weight
        windows = windows_of(self, source, (rows, columns))
        self.require(source[2] == groups * inner and membrane == (*windows, groups * outer), "the shapes disagree")


@irdl_op_definition
class DepthwiseConv2dOp(SynapseOp):
    """A convolution of every channel with its own (kernel height, kernel width, channels) weight, without events.

    Padding is top, bottom, left, right; nothing is computed for it.
    """

    name = "cpu.depthwise_conv2d"
    stride = prop_def(DenseArrayBase.constr(i64))
    padding = prop_def(DenseArrayBase.constr(i64))
    dilation = prop_def(DenseArrayBase.constr(i64))
    assembly_format = (
        "$source `->` $membrane `weight` `(` $weight `)` `stride` $stride `padding` $padding `dilation` $dilation "
        "(`steps` $steps^)? attr-dict `:` type($source) `->` type($membrane)"
    )

    def verify_(self) -> None:
        super().verify_()
        source, weight, membrane = buffer_shape(self.source), dense_shape(self.weight), buffer_shape(self.membrane)
        self.require(len(source) == len(weight) == 3, "expected three axes")
        windows = windows_of(self, source, weight[:2])
        self.require(membrane == (*windows, source[2]) and weight[2] == source[2], "the shapes disagree")


@irdl_op_definition
class LinearOp(SynapseOp):
    """A matrix product over the last axis, by events: the weight is (in, out)."""

    name = "cpu.linear"
    assembly_format = (
        "$source `->` $membrane `weight` `(` $weight `)` (`steps` $steps^)? attr-dict `:` type($source) `->` "
        "type($membrane)"
    )

    def verify_(self) -> None:
        super().verify_()
        source, weight, membrane = buffer_shape(self.source), dense_shape(self.weight), buffer_shape(self.membrane)
        fits = len(weight) == 2 and source[-1:] == weight[:1] and membrane == (*source[:-1], *weight[1:])
        self.require(fits, "the shapes disagree")


@irdl_op_definition
class DiagonalOp(SynapseOp):
    """Every element times its own weight, which broadcasts onto it."""

    name = "cpu.diagonal"
    assembly_format = (
        "$source `->` $membrane `weight` `(` $weight `)` (`steps` $steps^)? attr-dict `:` type($source) `->` "
        "type($membrane)"
    )

    def verify_(self) -> None:
        super().verify_()
        self.require_one_shape()


@irdl_op_definition
class SumPool2dOp(PoolOp):
    """target <- the sum of every window."""

    name = "cpu.sum_pool2d"
    source = operand_def(MemRefType)
    target = operand_def(MemRefType)
    assembly_format = (
        "$source `->` $target `kernel` $kernel `stride` $stride `padding` $padding `dilation` $dilation "
        "(`steps` $steps^)? attr-dict `:` type($source) `->` type($target)"
    )

    def verify_(self) -> None:
        super().verify_()
        self.require_windows(self.source, self.target)


@irdl_op_definition
class MaxPool2dOp(PoolOp):
    """target <- the largest element of every window; padding never wins."""

    name = "cpu.max_pool2d"
    source = operand_def(MemRefType)
    target = operand_def(MemRefType)
    assembly_format = (
        "$source `->` $target `kernel` $kernel `stride` $stride `padding` $padding `dilation` $dilation "
        "(`steps` $steps^)? attr-dict `:` type($source) `->` type($target)"
    )

    def verify_(self) -> None:
        super().verify_()
        self.require_windows(self.source, self.target)


DIALECT = Dialect(
    "cpu",
    [
        AddOp,
        BufferOp,
        ChargeOp,
        ClampOp,
        Conv2dOp,
        CopyOp,
        CountLayerOp,
        CountTrainOp,
        CurrentLayerOp,
        DepthwiseConv2dOp,
        DequantizeOp,
        DiagonalOp,
        FillOp,
        FireOp,
        LayerNormOp,
        LeakOp,
        LinearOp,
        LookupOp,
        MatrixProductOp,
        MaxPool2dOp,
        MaxPoolTrainOp,
        OutputOp,
        ProductOp,
        ProgramOp,
        QuantizeOp,
        RecallOp,
        RememberOp,
        RunningMaxPool2dOp,
        SoftmaxOp,
        SpikeLayerOp,
        SumPool2dOp,
    ],
    [SynapseAttr],
)
