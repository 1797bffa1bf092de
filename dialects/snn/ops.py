"""All operations of the `snn` dialect: synapses and index maps (stateless), neurons (all state), and the network."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import IntegerAttr, StringAttr, TensorType, i64
from xdsl.ir import Attribute, Dialect, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import IsolatedFromAbove, IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.shared.bases import (
    ConcatBase,
    Conv2dBase,
    DiagonalBase,
    LinearBase,
    PadBase,
    Pool2dOp,
    ReshapeBase,
    SliceBase,
    SumPool2dBase,
    TransposeBase,
)
from neurocuda.dialects.snn.neurons import AccumulateOp, AddOp, DelayOp, InputOp, IntegrateAndFireOp, ThresholdOp
from neurocuda.dialects.snn.tables import FiringTableOp, LayerNormOp, LookupOp, MatrixProductOp, ProductOp, SoftmaxOp
from neurocuda.dialects.snn.types import GradedType, SpikesType
from neurocuda.ir.attributes import element_type, integer, shape_of

__all__ = [
    "CODES",
    "DIALECT",
    "AccumulateOp",
    "AddOp",
    "ConcatOp",
    "Conv2dOp",
    "DelayOp",
    "DiagonalOp",
    "FiringTableOp",
    "GradedType",
    "InputOp",
    "IntegrateAndFireOp",
    "LayerNormOp",
    "LinearOp",
    "LookupOp",
    "MatrixProductOp",
    "MaxPool2dOp",
    "NetworkOp",
    "OutputOp",
    "PadOp",
    "ProductOp",
    "ReshapeOp",
    "RunningMaxPool2dOp",
    "SliceOp",
    "SoftmaxOp",
    "SpikesType",
    "SumPool2dOp",
    "ThresholdOp",
    "TransposeOp",
]

CODES = ("count", "unary", "radix", "latency", "graded", "signed", "free", "train")
"""How the integers of the network are said in time; in code "train" spikes stand for themselves, without an end."""


@irdl_op_definition
class Conv2dOp(Conv2dBase):
    """What arrives at a step, convolved: the current of that step."""

    name = "snn.conv2d"


@irdl_op_definition
class LinearOp(LinearBase):
    """What arrives at a step times an (out, in) weight: the current of that step."""

    name = "snn.linear"


@irdl_op_definition
class DiagonalOp(DiagonalBase):
    """What arrives at a step, every element times its own weight: the current of that step."""

    name = "snn.diagonal"


@irdl_op_definition
class SumPool2dOp(SumPool2dBase):
    """The sum of every window at a step: graded spikes."""

    name = "snn.sum_pool2d"


@irdl_op_definition
class MaxPool2dOp(Pool2dOp):
    """The maximum of every window at a step; of plain spikes, their OR.

    The maximum of the counts where trains are thermometer codes in one window of time (unary), where every element
    sends its whole count at one and the same step (graded), or in code "count".
    """

    name = "snn.max_pool2d"


@irdl_op_definition
class RunningMaxPool2dOp(Pool2dOp):
    """The change of the largest count so far in the window: summed up, the maximum of the counts for any train.

    Where spikes are signed it may fall. State: one counter per input element.
    """

    name = "snn.running_max_pool2d"
    traits = traits_def()


@irdl_op_definition
class ReshapeOp(ReshapeBase):
    """The same elements in row-major order under another shape."""

    name = "snn.reshape"


@irdl_op_definition
class TransposeOp(TransposeBase):
    """Axes in another order: axis i of the result is axis permutation[i] of the input."""

    name = "snn.transpose"


@irdl_op_definition
class SliceOp(SliceBase):
    """`start:stop:step` along every axis."""

    name = "snn.slice"


@irdl_op_definition
class PadOp(PadBase):
    """Elements that never spike at the ends of every axis."""

    name = "snn.pad"


@irdl_op_definition
class ConcatOp(ConcatBase):
    """Signals joined along one axis."""

    name = "snn.concat"


@irdl_op_definition
class NetworkOp(IRDLOperation):
    """A spiking network and its clock: the body runs `steps` times; the results are what `snn.output` reads last.

    `code` says how integers are said in time. State lives in the body's neurons and starts anew at every call.
    `interval` is the number of steps after which hardware may start the next image while this one is still on its way
    (the initiation interval): no state is in use for longer.

    A network of code "train" says no `steps`: it runs as long as its inputs do, whose first axis is time, and its
    results are what `snn.output` reads at every step, along time. Its body is a graph: a delay may read what stands
    further down.

    (C1) The body's arguments have the operands' types.
    (C2) The code is a known one and there is at least one step; "count" has one, "train" says none. The interval is
         positive.
    (C3) `snn.output` ends the body with the results' types; in code "train" the results have a first axis more.
    (C4) A value is read behind the operation that makes it, but by a delay of at least one step in code "train".
    """

    name = "snn.network"
    inputs = var_operand_def()
    steps = opt_prop_def(IntegerAttr.constr(i64))
    interval = opt_prop_def(IntegerAttr.constr(i64))
    code = prop_def(StringAttr)
    body = region_def("single_block")
    outputs = var_result_def()
    traits = traits_def(IsolatedFromAbove(), Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "`code` $code (`steps` $steps^)? (`interval` $interval^)? `inputs` `(` $inputs `)` attr-dict-with-keyword "
        "$body `:` `(` type($inputs) `)` `->` `(` type($outputs) `)`"
    )

    def __init__(
        self,
        inputs: Sequence[SSAValue],
        body: Region,
        result_types: Sequence[Attribute],
        *,
        code: str = "count",
        steps: int | None = 1,
    ) -> None:
        super().__init__(
            operands=[inputs],
            properties={"code": StringAttr(code), "steps": None if steps is None else integer(steps)},
            regions=[body],
            result_types=[result_types],
        )

    def verify_(self) -> None:
        if [a.type for a in self.body.block.args] != [value.type for value in self.inputs]:  # C1
            raise VerifyException("snn.network: the body's arguments do not have the operands' types")
        steps, code = None if self.steps is None else self.steps.value.data, self.code.data
        fits = steps is None if code == "train" else steps is not None and steps > 0 and (code != "count" or steps == 1)
        if code not in CODES or not fits:  # C2
            raise VerifyException(f'snn.network: code "{code}" with {steps or "no"} steps; codes are {CODES}')
        if self.interval is not None and self.interval.value.data < 1:  # C2
            raise VerifyException(f"snn.network: an interval of {self.interval.value.data} steps is not positive")
        last = self.body.block.last_op
        if not isinstance(last, OutputOp) or last.operand_types != tuple(map(self._read, self.outputs)):  # C3
            raise VerifyException("snn.network: the body does not end in an `snn.output` of the results' types")
        self._verify_order()

    def _read(self, output: SSAValue) -> Attribute:
        """The type of what `snn.output` reads for a result."""
        if self.code.data != "train" or not shape_of(output):
            return output.type
        return TensorType(element_type(output), shape_of(output)[1:])

    def _verify_order(self) -> None:
        """C4."""
        known = set[SSAValue](self.body.block.args)
        for op in self.body.block.ops:
            closes = self.code.data == "train" and isinstance(op, DelayOp) and op.steps.value.data > 0
            late = [operand for operand in op.operands if operand not in known]
            if late and not closes:
                raise VerifyException(
                    f"snn.network: `{op.name}` reads what stands further down, and is no delay of at least one step"
                )
            known.update(op.results)

    @property
    def duration(self) -> int:
        """The number of steps of a network that says it: of any code but "train"."""
        assert self.steps is not None
        return self.steps.value.data


@irdl_op_definition
class OutputOp(IRDLOperation):
    """Ends the body of a network; its operands are read after the last step."""

    name = "snn.output"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue]) -> None:
        super().__init__(operands=[values])


DIALECT = Dialect(
    "snn",
    [
        AccumulateOp,
        AddOp,
        ConcatOp,
        Conv2dOp,
        DelayOp,
        DiagonalOp,
        InputOp,
        IntegrateAndFireOp,
        LayerNormOp,
        LinearOp,
        LookupOp,
        MatrixProductOp,
        MaxPool2dOp,
        NetworkOp,
        OutputOp,
        PadOp,
        ProductOp,
        ReshapeOp,
        RunningMaxPool2dOp,
        SliceOp,
        SoftmaxOp,
        SumPool2dOp,
        ThresholdOp,
        TransposeOp,
    ],
    [GradedType, SpikesType],
)
