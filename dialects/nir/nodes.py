"""The nodes of a NIR graph, one operation per primitive, with the parameters of the primitive under NIR's own names."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    IntegerAttr,
    StringAttr,
    TensorType,
    f32,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import ShapedOp
from neurocuda.dialects.snn.types import SpikesType
from neurocuda.ir.attributes import Dense, dense_shape, dense_type, element_type, integer, integers, shape_of, values_of

HEAD = "$node `(` $inputs `)` "
TAIL = " attr-dict `:` `(` type($inputs) `)` `->` type($result)"


class NodeOp(ShapedOp, ABC):
    """A node: its name in the file, and the sum of what its edges bring.

    An operand that is defined further down closes a cycle: it is what was there a step before, and nothing at first.
    Parameters are of floats.

    (C2) All edges bring signals of one shape. (C3) Parameters are floats.
    """

    node = prop_def(StringAttr)
    inputs = var_operand_def(TensorType)
    result = result_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)

    def __init__(
        self,
        node: str,
        inputs: Sequence[SSAValue],
        shape: Sequence[int],
        *,
        element: Attribute = f32,
        **parameters: Attribute | None,
    ) -> None:
        super().__init__(
            operands=[inputs],
            properties={"node": StringAttr(node), **parameters},
            result_types=[TensorType(element, shape)],
        )

    @property
    def incoming(self) -> shapes.Shape:
        """The shape of what the edges bring.

        Raises:
            ValueError: there is no edge, or they bring several shapes.
        """
        return shapes.neuron_layer([shape_of(value) for value in self.inputs], ())

    def inferred_shape(self) -> shapes.Shape:
        return self.incoming  # C2

    def verify_(self) -> None:
        super().verify_()
        for name, value in self.properties.items():
            dense = isinstance(value, Dense)
            if dense and not isinstance(dense_type(value).element_type, AnyFloat):  # C3
                raise VerifyException(f"{self.name}: its {name} is not of floats")


class ElementwiseOp(NodeOp, ABC):
    """A node that treats every element alone. In a file each has parameters of its own; here they broadcast."""

    def inferred_shape(self) -> shapes.Shape:
        parameters = [value for value in self.properties.values() if isinstance(value, Dense)]
        return shapes.neuron_layer(
            [shape_of(value) for value in self.inputs], [dense_shape(each) for each in parameters]
        )


# Without state


@irdl_op_definition
class AffineOp(NodeOp):
    """W x + b, of a vector, with an (out, in) weight.

    (C4) There is one bias per output.
    """

    name = "nir.affine"
    weight = prop_def(Dense)
    bias = prop_def(Dense)
    traits = traits_def(Pure())
    assembly_format = HEAD + "`weight` `(` $weight `)` `bias` `(` $bias `)`" + TAIL

    def inferred_shape(self) -> shapes.Shape:
        if dense_shape(self.bias) != dense_shape(self.weight)[:1]:  # C4
            raise ValueError("expected one bias per output")
        return _of_a_vector(self.incoming, self.weight)


@irdl_op_definition
class LinearOp(NodeOp):
    """W x, of a vector, with an (out, in) weight."""

    name = "nir.linear"
    weight = prop_def(Dense)
    traits = traits_def(Pure())
    assembly_format = HEAD + "`weight` `(` $weight `)`" + TAIL

    def inferred_shape(self) -> shapes.Shape:
        return _of_a_vector(self.incoming, self.weight)


@irdl_op_definition
class ScaleOp(ElementwiseOp):
    """Every element times its own factor."""

    name = "nir.scale"
    scale = prop_def(Dense)
    traits = traits_def(Pure())
    assembly_format = HEAD + "`scale` `(` $scale `)`" + TAIL


@irdl_op_definition
class Conv1dOp(NodeOp):
    """A convolution of (channels, length) with an (out, in, length) weight; padding at both ends.

    (C4) There is one bias per output channel.
    """

    name = "nir.conv1d"
    weight = prop_def(Dense)
    bias = prop_def(Dense)
    stride = prop_def(IntegerAttr.constr(i64), default_value=integer(1))
    padding = prop_def(IntegerAttr.constr(i64), default_value=integer(0))
    dilation = prop_def(IntegerAttr.constr(i64), default_value=integer(1))
    groups = prop_def(IntegerAttr.constr(i64), default_value=integer(1))
    traits = traits_def(Pure())
    assembly_format = (
        HEAD + "`weight` `(` $weight `)` `bias` `(` $bias `)` (`stride` $stride^)? (`padding` $padding^)? "
        "(`dilation` $dilation^)? (`groups` $groups^)?" + TAIL
    )

    def inferred_shape(self) -> shapes.Shape:
        shape, weight = self.incoming, dense_shape(self.weight)
        if len(shape) != 2 or len(weight) != 3:
            raise ValueError(f"expected channels and length and a weight of rank 3, found {shape} and {weight}")
        if dense_shape(self.bias) != weight[:1]:  # C4
            raise ValueError("expected one bias per output channel")
        along, pad = (1, self.stride.value.data), self.padding.value.data
        dilation, groups = (1, self.dilation.value.data), self.groups.value.data
        flat = (weight[0], weight[1], 1, weight[2])
        channels, _, length = shapes.conv2d((shape[0], 1, shape[1]), flat, along, (0, 0, pad, pad), dilation, groups)
        return channels, length


@irdl_op_definition
class Conv2dOp(NodeOp):
    """A convolution of (channels, height, width) with an (out, in / groups, height, width) weight.

    Padding is of height and width, the same at both ends. (C4) There is one bias per output channel.
    """

    name = "nir.conv2d"
    weight = prop_def(Dense)
    bias = prop_def(Dense)
    stride = prop_def(DenseArrayBase.constr(i64), default_value=integers((1, 1)))
    padding = prop_def(DenseArrayBase.constr(i64), default_value=integers((0, 0)))
    dilation = prop_def(DenseArrayBase.constr(i64), default_value=integers((1, 1)))
    groups = prop_def(IntegerAttr.constr(i64), default_value=integer(1))
    traits = traits_def(Pure())
    assembly_format = (
        HEAD + "`weight` `(` $weight `)` `bias` `(` $bias `)` (`stride` $stride^)? (`padding` $padding^)? "
        "(`dilation` $dilation^)? (`groups` $groups^)?" + TAIL
    )

    def inferred_shape(self) -> shapes.Shape:
        weight = dense_shape(self.weight)
        if dense_shape(self.bias) != weight[:1]:  # C4
            raise ValueError("expected one bias per output channel")
        stride, padding, dilation = values_of(self.stride), both_ends(self.padding), values_of(self.dilation)
        return shapes.conv2d(self.incoming, weight, stride, padding, dilation, self.groups.value.data)


class PoolOp(NodeOp, ABC):
    """A window moved over (channels, height, width); padding is of height and width, the same at both ends."""

    kernel_size = prop_def(DenseArrayBase.constr(i64))
    stride = prop_def(DenseArrayBase.constr(i64))
    padding = prop_def(DenseArrayBase.constr(i64), default_value=integers((0, 0)))
    traits = traits_def(Pure())
    assembly_format = HEAD + "`kernel_size` $kernel_size `stride` $stride (`padding` $padding^)?" + TAIL

    def inferred_shape(self) -> shapes.Shape:
        shape, kernel, stride = self.incoming, values_of(self.kernel_size), values_of(self.stride)
        return (*shape[:1], *shapes.windows2d(shape, kernel, stride, both_ends(self.padding), (1, 1)))


@irdl_op_definition
class SumPool2dOp(PoolOp):
    """The sum of every window."""

    name = "nir.sum_pool2d"


@irdl_op_definition
class AvgPool2dOp(PoolOp):
    """The sum of every window, over the size of the window, padding included."""

    name = "nir.avg_pool2d"


@irdl_op_definition
class FlattenOp(NodeOp):
    """Axes `start_dim` to `end_dim`, both included, as one. There is no batch axis; -1 is the last."""

    name = "nir.flatten"
    start_dim = prop_def(IntegerAttr.constr(i64))
    end_dim = prop_def(IntegerAttr.constr(i64))
    traits = traits_def(Pure())
    assembly_format = HEAD + "$start_dim `to` $end_dim" + TAIL

    def inferred_shape(self) -> shapes.Shape:
        from math import prod

        shape = self.incoming
        start, end = (axis.value.data % max(1, len(shape)) for axis in (self.start_dim, self.end_dim))
        return (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])


@irdl_op_definition
class ThresholdOp(ElementwiseOp):
    """A spike where the signal is above the threshold.

    `scale` (f64) is what one spike stands for; only reports read it.
    """

    name = "nir.threshold"
    threshold = prop_def(Dense)
    scale = opt_prop_def(Dense)
    traits = traits_def(Pure())
    assembly_format = HEAD + "`threshold` `(` $threshold `)` (`scale` `(` $scale^ `)`)?" + TAIL


# With state. dt is that of the graph, in seconds; the Euler method. All states begin at 0


@irdl_op_definition
class DelayOp(ElementwiseOp):
    """The signal of `delay` seconds ago, rounded to whole steps; nothing before that.

    Where no element comes at once it speaks when a step begins and listens when it ends, so that it may stand anywhere.
    """

    name = "nir.delay"
    delay = prop_def(Dense)
    traits = traits_def()
    assembly_format = HEAD + "`delay` `(` $delay `)`" + TAIL


@irdl_op_definition
class IOp(ElementwiseOp):
    """An integrator: v <- v + dt r x, read at every step."""

    name = "nir.i"
    r = prop_def(Dense)
    traits = traits_def()
    assembly_format = HEAD + "`r` `(` $r `)`" + TAIL


@irdl_op_definition
class LIOp(ElementwiseOp):
    """A leaky integrator: v <- v + dt / tau (v_leak - v + r x), read at every step."""

    name = "nir.li"
    tau = prop_def(Dense)
    r = prop_def(Dense)
    v_leak = prop_def(Dense)
    traits = traits_def()
    assembly_format = HEAD + "`tau` `(` $tau `)` `r` `(` $r `)` `v_leak` `(` $v_leak `)`" + TAIL


@irdl_op_definition
class CubaLIOp(ElementwiseOp):
    """A leaky integrator of a leaky current: i <- i + dt / tau_syn (w_in x - i), then as `nir.li` of i."""

    name = "nir.cuba_li"
    tau_syn = prop_def(Dense)
    tau_mem = prop_def(Dense)
    r = prop_def(Dense)
    v_leak = prop_def(Dense)
    w_in = prop_def(Dense)
    traits = traits_def()
    assembly_format = (
        HEAD + "`tau_syn` `(` $tau_syn `)` `tau_mem` `(` $tau_mem `)` `r` `(` $r `)` `v_leak` `(` $v_leak `)` "
        "`w_in` `(` $w_in `)`" + TAIL
    )


FIRING = "`v_threshold` `(` $v_threshold `)` `v_reset` `(` $v_reset `)` (`scale` `(` $scale^ `)`)?" + TAIL


class FiringOp(ElementwiseOp, ABC):
    """A neuron that spikes where v > v_threshold, and is then set to v_reset.

    `scale` (f64) is what one spike stands for; only reports read it.

    (C4) The result's elements are spikes.
    """

    v_threshold = prop_def(Dense)
    v_reset = prop_def(Dense)
    scale = opt_prop_def(Dense)
    traits = traits_def()

    def verify_(self) -> None:
        super().verify_()
        if not isinstance(element_type(self.result), SpikesType):  # C4
            raise VerifyException(f"{self.name}: expected spikes, found {element_type(self.result)}")


@irdl_op_definition
class IFOp(FiringOp):
    """Integrate and fire: v <- v + dt r x."""

    name = "nir.if"
    r = prop_def(Dense)
    assembly_format = HEAD + "`r` `(` $r `)` " + FIRING


@irdl_op_definition
class LIFOp(FiringOp):
    """Leaky integrate and fire: v as in `nir.li`."""

    name = "nir.lif"
    tau = prop_def(Dense)
    r = prop_def(Dense)
    v_leak = prop_def(Dense)
    assembly_format = HEAD + "`tau` `(` $tau `)` `r` `(` $r `)` `v_leak` `(` $v_leak `)` " + FIRING


@irdl_op_definition
class CubaLIFOp(FiringOp):
    """Leaky integrate and fire with a leaky current: v as in `nir.cuba_li`."""

    name = "nir.cuba_lif"
    tau_syn = prop_def(Dense)
    tau_mem = prop_def(Dense)
    r = prop_def(Dense)
    v_leak = prop_def(Dense)
    w_in = prop_def(Dense)
    assembly_format = (
        HEAD + "`tau_syn` `(` $tau_syn `)` `tau_mem` `(` $tau_mem `)` `r` `(` $r `)` `v_leak` `(` $v_leak `)` "
        "`w_in` `(` $w_in `)` " + FIRING
    )


def both_ends(padding: DenseArrayBase) -> tuple[int, int, int, int]:
    """A padding of height and width as top, bottom, left and right."""
    height, width = values_of(padding)
    return height, height, width, width


def _of_a_vector(shape: shapes.Shape, weight: Dense) -> shapes.Shape:
    """The shape of a matrix product, which NIR has of vectors alone."""
    if len(shape) != 1:
        raise ValueError(f"expected a vector, found shape {shape}")
    return shapes.linear(shape, dense_shape(weight))
