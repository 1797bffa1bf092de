"""Synapses: constant weights between two groups of neurons, one step of latency, and a delay on top."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping

from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    i64,
)
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.loihi.types import CURRENT, GRADED, MESSAGE_BITS, SPIKE
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.ir.attributes import dense_shape, dense_type, element_type, integer, integers, shape_of, values_of
from neurocuda.ir.resources import ResourceUser

SIGN_MODES = ("mixed", "excitatory", "inhibitory")
"""What the signs of a synapse's weights may be: both, none negative, none positive."""

MESSAGE = "(`message_bits` $message_bits^)? attr-dict `:` type($input) `->` type($result)"
WEIGHTS = "`sign_mode` $sign_mode (`weight_bits` $weight_bits^)? "
SHIFTS = "(`weight_exp` $weight_exp^)? (`delay` $delay^)? "


class WeightsOp(SynapseOp, ResourceUser, ABC):
    """What arrives at a step times constant weights: the current of the next step, or of one `delay` later.

    A weight has `weight_bits` bits. Weights of mixed sign spend one on it, so that they are even: they are multiples
    of 2^(8 - weight_bits), of twice that where signs are mixed, in 0 ... 255, -255 ... 0 or -256 ... 254. Lava rounds
    all others down and says nothing; here they are refused.

    (C1) The result has the inferred shape.
    (C2) Spikes (i1) arrive, or graded ones (i32) with `message_bits` 8, 16, 24 or 32; currents (i24) leave.
    (C3) The sign mode is "mixed", "excitatory" or "inhibitory"; weights are integers of 1 to 8 bits.
    (C4) The weights are ones that the chip can hold. Level `loihi` checks it.
    """

    sign_mode = prop_def(StringAttr)
    weight_bits = prop_def(IntegerAttr.constr(i64), default_value=integer(8))
    message_bits = opt_prop_def(IntegerAttr.constr(i64))

    @property
    def weight_grid(self) -> tuple[int, int, int]:
        """(lowest, highest, step) of the weights that the chip can hold."""
        mixed = self.sign_mode.data == "mixed"
        step = 2 ** (8 - self.weight_bits.value.data + mixed)
        lowest, highest = {"mixed": (-256, 255), "excitatory": (0, 255), "inhibitory": (-255, 0)}[self.sign_mode.data]
        return -(-lowest // step) * step, highest // step * step, step

    @property
    def latency(self) -> int:
        """The steps from a spike to its current."""
        return 1

    def uses(self) -> Mapping[str, float]:
        message_bits = 0 if self.message_bits is None else self.message_bits.value.data
        return {"weight_bits": self.weight_bits.value.data, "delay": self.latency - 1, "message_bits": message_bits}

    def verify_(self) -> None:
        super().verify_()  # C1
        bits = None if self.message_bits is None else self.message_bits.value.data
        arriving, leaving = element_type(self.input), element_type(self.result)
        if leaving != CURRENT:  # C2
            raise VerifyException(f"{self.name}: expected a current of {CURRENT}, found {leaving}")
        if not (arriving == SPIKE and bits is None) and not (arriving == GRADED and bits in MESSAGE_BITS):  # C2
            found = f"{arriving} with {'no' if bits is None else bits} message bits"
            raise VerifyException(f"{self.name}: expected i1, or i32 with {MESSAGE_BITS} message bits, found {found}")
        if self.sign_mode.data not in SIGN_MODES:  # C3
            raise VerifyException(f'{self.name}: sign mode "{self.sign_mode.data}" is none of {SIGN_MODES}')
        weights, weight_bits = dense_type(self.weight).element_type, self.weight_bits.value.data
        if not isinstance(weights, IntegerType) or not 1 <= weight_bits <= 8:  # C3
            raise VerifyException(f"{self.name}: weights are integers of 1 to 8 bits, not {weights} of {weight_bits}")


class DelayedOp(WeightsOp, ABC):
    """The sum at a neuron is shifted by `weight_exp` bits, to the right where negative, and comes `delay` steps later.

    (C5) The exponent has four bits, -8 ... 7; the delay six, 0 ... 63.
    """

    weight_exp = prop_def(IntegerAttr.constr(i64), default_value=integer(0))
    delay = prop_def(IntegerAttr.constr(i64), default_value=integer(0))

    @property
    def latency(self) -> int:
        return 1 + self.delay.value.data

    def verify_(self) -> None:
        super().verify_()
        exponent, delay = self.weight_exp.value.data, self.delay.value.data
        if not -8 <= exponent <= 7 or not 0 <= delay <= 63:  # C5
            reason = f"a weight exponent of {exponent} and a delay of {delay} leave -8 ... 7 and 0 ... 63"
            raise VerifyException(f"{self.name}: {reason}")


@irdl_op_definition
class DenseOp(DelayedOp):
    """Every neuron to every other: an (out, in) weight. Lava's `Dense`, with a delay `DelayDense`."""

    name = "loihi.dense"
    assembly_format = f"$input `weight` `(` $weight `)` {WEIGHTS}{SHIFTS}{MESSAGE}"

    def inferred_shape(self) -> shapes.Shape:
        if len(shape_of(self.input)) != 1:
            raise ValueError(f"expected a vector, found shape {shape_of(self.input)}")
        return shapes.linear(shape_of(self.input), dense_shape(self.weight))


@irdl_op_definition
class SparseOp(DelayedOp):
    """`weight[k]` from neuron `sources[k]` to neuron `targets[k]`. Lava's `Sparse`, with a delay `DelaySparse`.

    (C6) There is one source and one target for every weight.
    (C7) Both are neurons, ordered by target, then source, and no pair stands twice. Level `loihi` checks it.
    """

    name = "loihi.sparse"
    sources = prop_def(DenseIntOrFPElementsAttr | DenseResourceAttr)
    targets = prop_def(DenseIntOrFPElementsAttr | DenseResourceAttr)
    assembly_format = (
        "$input `weight` `(` $weight `)` `sources` `(` $sources `)` `targets` `(` $targets `)` "
        f"{WEIGHTS}{SHIFTS}{MESSAGE}"
    )

    def inferred_shape(self) -> shapes.Shape:
        if len(shape_of(self.input)) != 1 or len(shape_of(self.result)) != 1:
            raise ValueError(f"expected vectors, found {shape_of(self.input)} and {shape_of(self.result)}")
        return shape_of(self.result)

    def verify_(self) -> None:
        super().verify_()
        lists = [dense_shape(each) for each in (self.weight, self.sources, self.targets)]
        if len(set(lists)) > 1 or len(lists[0]) != 1:  # C6
            raise VerifyException(f"{self.name}: expected as many weights as sources and targets, found {lists}")


@irdl_op_definition
class ConvOp(WeightsOp):
    """A convolution, its kernels flipped, of (width, height, channels) with (out, width, height, in / groups).

    Lava's `Conv`. Stride, padding (the same at both ends) and dilation are those of width and height. Sums wrap to
    24 bits.
    """

    name = "loihi.conv"
    stride = prop_def(DenseArrayBase.constr(i64), default_value=integers((1, 1)))
    padding = prop_def(DenseArrayBase.constr(i64), default_value=integers((0, 0)))
    dilation = prop_def(DenseArrayBase.constr(i64), default_value=integers((1, 1)))
    groups = prop_def(IntegerAttr.constr(i64), default_value=integer(1))
    assembly_format = (
        "$input `weight` `(` $weight `)` (`stride` $stride^)? (`padding` $padding^)? (`dilation` $dilation^)? "
        f"(`groups` $groups^)? {WEIGHTS}{MESSAGE}"
    )

    @property
    def ends(self) -> tuple[int, ...]:
        """The padding at the left, right, top and bottom end."""
        return tuple(size for size in values_of(self.padding) for _ in range(2))

    def inferred_shape(self) -> shapes.Shape:
        image, weight = shape_of(self.input), dense_shape(self.weight)
        if len(image) != 3 or len(weight) != 4:
            raise ValueError(f"expected an image of rank 3 and a weight of rank 4, found {image} and {weight}")
        kernels = (weight[0], weight[3], weight[1], weight[2])
        geometry = (values_of(self.stride), self.ends, values_of(self.dilation))
        channels, *windows = shapes.conv2d((image[2], *image[:2]), kernels, *geometry, self.groups.value.data)
        return *windows, channels
