"""All operations of the `loihi` dialect: groups of neurons, synapses, ports between them, the network, its border."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import IntegerAttr, TensorType, i64
from xdsl.ir import Attribute, Dialect, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import IsolatedFromAbove, IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.loihi.border import ReadoutOp, StimulusOp
from neurocuda.dialects.loihi.neurons import GroupOp, IntegrateAndFireOp, LifOp, PulsesOp, SigmaDeltaOp, SourceOp
from neurocuda.dialects.loihi.synapses import ConvOp, DelayedOp, DenseOp, SparseOp, WeightsOp
from neurocuda.dialects.shared.bases import ReshapeBase, TransposeBase
from neurocuda.ir.attributes import element_type, integer, shape_of

__all__ = [
    "DIALECT",
    "ConvOp",
    "DelayedOp",
    "DenseOp",
    "GroupOp",
    "IntegrateAndFireOp",
    "LifOp",
    "NetworkOp",
    "OutputOp",
    "PulsesOp",
    "ReadoutOp",
    "ReshapeOp",
    "SigmaDeltaOp",
    "SourceOp",
    "SparseOp",
    "StimulusOp",
    "TransposeOp",
    "WeightsOp",
]


@irdl_op_definition
class ReshapeOp(ReshapeBase):
    """A port of another shape: the same neurons in row-major order. Lava's `flatten` and `reshape`."""

    name = "loihi.reshape"


@irdl_op_definition
class TransposeOp(TransposeBase):
    """A port with its axes in another order. Lava's `transpose`."""

    name = "loihi.transpose"


@irdl_op_definition
class NetworkOp(IRDLOperation):
    """A network on chips of the Loihi family and its clock: the body runs `steps` times.

    Axons are the uses of a value. A result is what `loihi.output` reads at every step, along a first axis that is
    time. State begins anew at every call. The body is a graph: a synapse may read what stands further down, as what it
    hears at a step it says at a later one.

    (C1) The body's arguments have the operands' types.
    (C2) There is at least one step; no source has more rows, and no pulse comes later.
    (C3) `loihi.output` ends the body with the results' types, which have a first axis of as many steps more.
    (C4) A value is read behind the operation that makes it, but by a synapse.
    (C5) Only `loihi.output` reads membranes.
    """

    name = "loihi.network"
    inputs = var_operand_def()
    steps = prop_def(IntegerAttr.constr(i64))
    body = region_def("single_block")
    outputs = var_result_def()
    traits = traits_def(IsolatedFromAbove(), Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "`steps` $steps `inputs` `(` $inputs `)` attr-dict-with-keyword $body `:` `(` type($inputs) `)` "
        "`->` `(` type($outputs) `)`"
    )

    def __init__(
        self, inputs: Sequence[SSAValue], body: Region, result_types: Sequence[Attribute], *, steps: int
    ) -> None:
        super().__init__(
            operands=[inputs], properties={"steps": integer(steps)}, regions=[body], result_types=[result_types]
        )

    def verify_(self) -> None:
        if [argument.type for argument in self.body.block.args] != [value.type for value in self.inputs]:  # C1
            raise VerifyException("loihi.network: the body's arguments do not have the operands' types")
        steps, last = self.steps.value.data, self.body.block.last_op
        if steps < 1:  # C2
            raise VerifyException(f"loihi.network: {steps} steps are too few")
        rows = [shape_of(op.input)[0] for op in self.body.block.ops if isinstance(op, SourceOp)]
        if max(rows, default=0) > steps:  # C2
            raise VerifyException(f"loihi.network: a source has {max(rows)} rows for {steps} steps")
        pulses = [step for op in self.body.block.ops if isinstance(op, PulsesOp) for step in op.pulses]
        if max(pulses, default=0) >= steps:  # C2
            raise VerifyException(f"loihi.network: a pulse comes at step {max(pulses)} of {steps}")
        read = [self._along_time(value) for value in last.operands] if isinstance(last, OutputOp) else None
        if read != [value.type for value in self.outputs]:  # C3
            raise VerifyException("loihi.network: the body does not end in a `loihi.output` of the results' types")
        self._verify_order()
        self._verify_probes()

    def _along_time(self, value: SSAValue) -> Attribute:
        return TensorType(element_type(value), (self.steps.value.data, *shape_of(value)))

    def _verify_order(self) -> None:
        """C4."""
        known = set[SSAValue](self.body.block.args)
        for op in self.body.block.ops:
            if not isinstance(op, WeightsOp) and not known.issuperset(op.operands):
                raise VerifyException(f"loihi.network: `{op.name}` reads what stands further down, and is no synapse")
            known.update(op.results)

    def _verify_probes(self) -> None:
        """C5."""
        groups = [op for op in self.body.block.ops if isinstance(op, GroupOp)]
        readers = [use.operation for group in groups for use in group.membrane.uses]
        for reader in readers:
            if not isinstance(reader, OutputOp):
                raise VerifyException(f"loihi.network: `{reader.name}` reads a membrane, which is a probe")


@irdl_op_definition
class OutputOp(IRDLOperation):
    """Ends the body of a network; its operands are read at every step."""

    name = "loihi.output"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue]) -> None:
        super().__init__(operands=[values])


DIALECT = Dialect(
    "loihi",
    [
        ConvOp,
        DenseOp,
        IntegrateAndFireOp,
        LifOp,
        NetworkOp,
        OutputOp,
        PulsesOp,
        ReadoutOp,
        ReshapeOp,
        SigmaDeltaOp,
        SourceOp,
        SparseOp,
        StimulusOp,
        TransposeOp,
    ],
)
