"""Pooling over (channels, height, width). One-dimensional pooling is imported with a height of one."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import BoolAttr, DenseArrayBase, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import ParsePropInAttrDict, irdl_op_definition, operand_def, prop_def, result_def, traits_def
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.ann.arithmetic import CanonicalArithmetic
from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import Pool2dOp, ShapedOp, SumPool2dBase, verify_one_element_type
from neurocuda.ir.attributes import element_type, integers, shape_of, values_of


@irdl_op_definition
class MaxPool2dOp(Pool2dOp):
    """The largest element of every window; padding never wins. Spikes: yes, the OR of thermometer codes.

    (C2) The element type stays.
    """

    name = "ann.max_pool2d"

    def __init__(
        self,
        input: SSAValue,
        kernel: Sequence[int],
        *,
        stride: Sequence[int] = (1, 1),
        padding: Sequence[int] = (0, 0, 0, 0),
        dilation: Sequence[int] = (1, 1),
    ) -> None:
        element = element_type(input)
        super().__init__(input, kernel, stride=stride, padding=padding, dilation=dilation, element=element)

    def verify_(self) -> None:
        super().verify_()
        verify_one_element_type(self)  # C2


def summed_range(element: Attribute, count: int) -> Attribute:
    """The element type of a sum of `count` elements, some of which may be padding."""
    if not isinstance(element, CountType):
        return element
    lowest, highest = element.bounds
    return CountType.of(min(0, lowest * count), max(0, highest * count))


@irdl_op_definition
class SumPool2dOp(SumPool2dBase):
    """The sum of every window, zeros outside. Spikes: yes, a synapse with weights of one.

    (C3) The result's range holds every sum.
    """

    name = "ann.sum_pool2d"

    def __init__(
        self,
        input: SSAValue,
        kernel: Sequence[int],
        *,
        stride: Sequence[int] = (1, 1),
        padding: Sequence[int] = (0, 0, 0, 0),
    ) -> None:
        element = summed_range(element_type(input), kernel[0] * kernel[1])
        super().__init__(input, kernel, stride=stride, padding=padding, element=element)

    def verify_(self) -> None:
        super().verify_()
        kernel = values_of(self.kernel)
        expected = summed_range(element_type(self.input), kernel[0] * kernel[1])
        if element_type(self.result) != expected:  # C3
            raise VerifyException(f"{self.name}: expected elements {expected}, found {element_type(self.result)}")


@irdl_op_definition
class AveragePool2dOp(SumPool2dBase):
    """The mean of every window. `count_include_pad` says whether padding counts into the divisor.

    Spikes: after `replace-average-pooling`.

    (C3) The element type stays.
    """

    name = "ann.average_pool2d"
    count_include_pad = prop_def(BoolAttr, default_value=BoolAttr.from_bool(True))
    assembly_format = (
        "$input `kernel` $kernel (`stride` $stride^)? (`padding` $padding^)? "
        "(`count_include_pad` $count_include_pad^)? attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(
        self,
        input: SSAValue,
        kernel: Sequence[int],
        *,
        stride: Sequence[int] = (1, 1),
        padding: Sequence[int] = (0, 0, 0, 0),
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(input, kernel, stride=stride, padding=padding, element=element_type(input))
        self.properties["count_include_pad"] = BoolAttr.from_bool(count_include_pad)

    def verify_(self) -> None:
        super().verify_()
        verify_one_element_type(self)  # C3


@irdl_op_definition
class AdaptiveAveragePool2dOp(ShapedOp):
    """Means of windows chosen so that the result has the given height and width, as `torch` chooses them.

    Window i spans floor(i size / out) ... ceil((i + 1) size / out). Imported only where the windows are not all
    alike; otherwise the importer writes `ann.average_pool2d`. Spikes: no.

    (C2) The element type stays.
    """

    name = "ann.adaptive_average_pool2d"
    input = operand_def(TensorType)
    output = prop_def(DenseArrayBase.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure(), CanonicalArithmetic())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$input `output` $output attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, output: Sequence[int]) -> None:
        shape = shape_of(input)
        super().__init__(
            operands=[input],
            properties={"output": integers(output)},
            result_types=[TensorType(element_type(input), (*shape[:-2], *output))],
        )

    def inferred_shape(self) -> shapes.Shape:
        shape, output = shape_of(self.input), values_of(self.output)
        if len(shape) != 3 or len(output) != 2 or min(output) < 1:
            raise ValueError(f"expected channels, height and width and two output sizes, found {shape} and {output}")
        return shape[0], *output

    def verify_(self) -> None:
        super().verify_()
        verify_one_element_type(self)  # C2
