"""The element type of quantised activations."""

from xdsl.irdl import irdl_attr_definition

from neurocuda.dialects.shared.ranges import RangeType


@irdl_attr_definition
class CountType(RangeType):
    """A count in `lowest ... highest`: 0 ... T for a neuron, -128 ... 127 for an int8 input, wider for a sum of counts.

    Example: `tensor<16x32x32x!ann.count<0, 15>>`
    """

    name = "ann.count"
