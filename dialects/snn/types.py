"""Element types of signals that change from step to step."""

from xdsl.irdl import irdl_attr_definition

from neurocuda.dialects.shared.ranges import RangeType


@irdl_attr_definition
class SpikesType(RangeType):
    """A train of spikes: 0 or 1 at every step, `lowest ... highest` of them in a window.

    Example: `tensor<16x32x32x!snn.spikes<0, 15>>`
    """

    name = "snn.spikes"


@irdl_attr_definition
class GradedType(RangeType):
    """A train of integers (graded spikes): zero where nothing is sent; `lowest ... highest` bound every partial sum.

    Example: `tensor<3x32x32x!snn.graded<-128, 127>>`
    """

    name = "snn.graded"
