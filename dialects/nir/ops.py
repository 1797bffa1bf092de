"""All operations of the `nir` dialect: the graph, its border, and its nodes."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import FloatAttr, IntegerAttr, StringAttr, TensorType, f32, f64, i64
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

from neurocuda.dialects.nir.nodes import (
    AffineOp,
    AvgPool2dOp,
    Conv1dOp,
    Conv2dOp,
    CubaLIFOp,
    CubaLIOp,
    DelayOp,
    ElementwiseOp,
    FiringOp,
    FlattenOp,
    IFOp,
    IOp,
    LIFOp,
    LinearOp,
    LIOp,
    NodeOp,
    PoolOp,
    ScaleOp,
    SumPool2dOp,
    ThresholdOp,
)
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import ShapedOp
from neurocuda.ir.attributes import integer, shape_of

__all__ = [
    "DIALECT",
    "PRESENTED",
    "READ",
    "AffineOp",
    "AvgPool2dOp",
    "Conv1dOp",
    "Conv2dOp",
    "CubaLIFOp",
    "CubaLIOp",
    "DelayOp",
    "ElementwiseOp",
    "FiringOp",
    "FlattenOp",
    "GraphOp",
    "IFOp",
    "IOp",
    "InputOp",
    "LIFOp",
    "LIOp",
    "LinearOp",
    "NodeOp",
    "OutputOp",
    "PoolOp",
    "ScaleOp",
    "SumPool2dOp",
    "ThresholdOp",
]

PRESENTED = ("once", "always", "train")
"""How a graph is given its input: at the first step, at every step, or along the input's own leading axis of time."""

READ = ("last", "sum", "train")
"""How a graph's output is read: after the last step, added up over all steps, or at every step."""


@irdl_op_definition
class GraphOp(IRDLOperation):
    """A NIR graph and how it is run, which no file says: for so many steps of `dt` seconds.

    Without `steps` it runs for as many as its input has. The order of the body is that of execution within a step; a
    value that is used before it is defined is that of the step before. `symbol` names the file.

    (C1) The body's arguments have the operands' types. (C2) Steps and dt are positive.
    (C3) `nir.output` ends the body with the results' shapes, a leading axis of time apart.
    (C4) Every node has a name of its own.
    """

    name = "nir.graph"
    inputs = var_operand_def(TensorType)
    symbol = prop_def(StringAttr)
    dt = prop_def(FloatAttr)
    steps = opt_prop_def(IntegerAttr.constr(i64))
    body = region_def("single_block")
    outputs = var_result_def(TensorType)
    traits = traits_def(IsolatedFromAbove(), Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$symbol `dt` $dt (`steps` $steps^)? `inputs` `(` $inputs `)` attr-dict-with-keyword $body "
        "`:` `(` type($inputs) `)` `->` `(` type($outputs) `)`"
    )

    def __init__(
        self,
        inputs: Sequence[SSAValue],
        body: Region,
        result_types: Sequence[Attribute],
        *,
        symbol: str = "network",
        dt: float = 1.0,
        steps: int | None = None,
    ) -> None:
        super().__init__(
            operands=[inputs],
            properties={
                "symbol": StringAttr(symbol),
                "dt": FloatAttr(dt, f64),
                "steps": None if steps is None else integer(steps),
            },
            regions=[body],
            result_types=[result_types],
        )

    def verify_(self) -> None:
        if [argument.type for argument in self.body.block.args] != [value.type for value in self.inputs]:  # C1
            raise VerifyException("nir.graph: the body's arguments do not have the operands' types")
        steps = 1 if self.steps is None else self.steps.value.data
        if steps < 1 or not 0 < self.dt.value.data < float("inf"):  # C2
            raise VerifyException(f"nir.graph: {steps} steps of {self.dt.value.data} seconds")
        self._verify_outputs()
        names = [op.node.data for op in self.body.block.ops if isinstance(op, NodeOp | InputOp)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:  # C4
            raise VerifyException(f'nir.graph: several nodes are called "{twice[0]}"')

    def _verify_outputs(self) -> None:
        """C3."""
        last = self.body.block.last_op
        if not isinstance(last, OutputOp):
            raise VerifyException("nir.graph: the body does not end in `nir.output`")
        axes = 1 if last.read.data == "train" else 0
        if [shape_of(value)[axes:] for value in self.outputs] != [shape_of(value) for value in last.values]:
            raise VerifyException("nir.graph: the outputs do not have the results' shapes")


@irdl_op_definition
class InputOp(ShapedOp):
    """An input node: the graph's operand as a signal of floats.

    (C2) `present` is one of "once", "always" and "train".
    """

    name = "nir.input"
    node = prop_def(StringAttr)
    input = operand_def(TensorType)
    present = prop_def(StringAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$node `(` $input `)` $present attr-dict `:` type($input) `->` type($result)"

    def __init__(self, node: str, input: SSAValue, present: str) -> None:
        shape = shape_of(input)[1:] if present == "train" else shape_of(input)
        super().__init__(
            operands=[input],
            properties={"node": StringAttr(node), "present": StringAttr(present)},
            result_types=[TensorType(f32, shape)],
        )

    def inferred_shape(self) -> shapes.Shape:
        return shape_of(self.input)[1:] if self.present.data == "train" else shape_of(self.input)

    def verify_(self) -> None:
        super().verify_()
        if self.present.data not in PRESENTED:  # C2
            raise VerifyException(f'nir.input: "{self.present.data}" is none of {", ".join(PRESENTED)}')


@irdl_op_definition
class OutputOp(IRDLOperation):
    """Ends a graph with its output nodes, "output" or "output_0", "output_1", ...

    (C1) `read` is one of "last", "sum" and "train".
    """

    name = "nir.output"
    values = var_operand_def(TensorType)
    read = prop_def(StringAttr)
    traits = traits_def(IsTerminator(), Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$values $read attr-dict `:` type($values)"

    def __init__(self, values: Sequence[SSAValue], read: str) -> None:
        super().__init__(operands=[values], properties={"read": StringAttr(read)})

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the output nodes."""
        return ("output",) if len(self.values) == 1 else tuple(f"output_{index}" for index in range(len(self.values)))

    def verify_(self) -> None:
        if self.read.data not in READ:  # C1
            raise VerifyException(f'nir.output: "{self.read.data}" is none of {", ".join(READ)}')


DIALECT = Dialect(
    "nir",
    [
        AffineOp,
        AvgPool2dOp,
        Conv1dOp,
        Conv2dOp,
        CubaLIFOp,
        CubaLIOp,
        DelayOp,
        FlattenOp,
        GraphOp,
        IFOp,
        IOp,
        InputOp,
        LIFOp,
        LIOp,
        LinearOp,
        OutputOp,
        ScaleOp,
        SumPool2dOp,
        ThresholdOp,
    ],
    [],
)
