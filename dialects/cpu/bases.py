"""Bases of the operations: what loops over buffers, and when."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import prod
from typing import Protocol

from xdsl.dialects.builtin import (
    DenseArrayBase,
    Float32Type,
    Float64Type,
    IntegerType,
    MemRefType,
    Signedness,
    i1,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, ParsePropInAttrDict, operand_def, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.shapes import Shape
from neurocuda.ir.attributes import FOREVER, Dense, dense_shape, dense_type, values_of
from neurocuda.ir.resources import ResourceUser


def memref_of(value: SSAValue) -> MemRefType[Attribute]:
    """The type of a buffer.

    Raises:
        VerifyException: the value is no buffer.
    """
    if not isinstance(value.type, MemRefType):
        raise VerifyException(f"expected a buffer, found {value.type}")
    return value.type


def buffer_shape(value: SSAValue) -> Shape:
    """The shape of a buffer, in the order of its memory."""
    return memref_of(value).get_shape()


def buffer_element(value: SSAValue) -> Attribute:
    """The element type of a buffer."""
    return memref_of(value).get_element_type()


def is_float(element: Attribute) -> bool:
    """Whether an element type is a floating-point one."""
    return isinstance(element, Float32Type | Float64Type)


def is_unsigned(element: Attribute) -> bool:
    """Whether an element type holds no negative numbers; signless integers count as signed, i1 as 0 or 1."""
    return isinstance(element, IntegerType) and (element == i1 or element.signedness.data == Signedness.UNSIGNED)


def element_bytes(element: Attribute) -> int:
    """The bytes an element takes; i1, a spike, takes one.

    Raises:
        VerifyException: buffers cannot hold it.
    """
    if isinstance(element, Float32Type | Float64Type):
        return element.bitwidth // 8
    if isinstance(element, IntegerType) and element.width.data in (1, 8, 16, 32, 64):
        return max(1, element.width.data // 8)
    raise VerifyException(f"a buffer cannot hold {element}")


def buffer_bytes(value: SSAValue) -> int:
    """The size of a buffer in memory."""
    return prod(buffer_shape(value)) * element_bytes(buffer_element(value))


READ = frozenset({"source", "sources", "left", "right"})
"""The names of operands that loop nests only read."""


class LoopOp(IRDLOperation, ABC):
    """One loop nest over buffers, run in the order of the text: at the steps [start, stop), or at all steps.

    (C1) The steps are not empty.
    """

    steps = opt_prop_def(DenseArrayBase.constr(i64))
    irdl_options = (ParsePropInAttrDict(),)

    @property
    def window(self) -> tuple[int, int]:
        """The steps [start, stop) at which the loops run."""
        if self.steps is None:
            return 0, FOREVER
        start, stop = values_of(self.steps)
        return start, stop

    def constants(self) -> Mapping[str, Dense]:
        """The constant tensors that the loops read, by name."""
        return {}

    def written(self) -> frozenset[SSAValue]:
        """The buffers that the loops may change: all but those that are sources, or factors, and nothing else."""
        names = [name for name, _ in self.get_irdl_definition().operands if name not in READ]
        operands = [getattr(self, name) for name in names]
        return frozenset(operand for operand in operands if isinstance(operand, SSAValue))

    def verify_(self) -> None:
        window = (0, FOREVER) if self.steps is None else values_of(self.steps)
        if len(window) != 2 or not 0 <= window[0] < window[1]:  # C1
            raise VerifyException(f"{self.name}: the steps {list(window)} are empty")
        for operand in self.operands:
            element_bytes(buffer_element(operand))

    def require(self, condition: bool, reason: str) -> None:
        """Raises VerifyException, naming the shapes, where a condition does not hold."""
        if condition:
            return
        found = [f"buffer {buffer_shape(value)}" for value in self.operands]
        found += [f"{name} {dense_shape(constant)}" for name, constant in self.constants().items()]
        raise VerifyException(f"{self.name}: {reason}; found {', '.join(found)}")

    def require_one_shape(self) -> None:
        """Raises VerifyException where the buffers differ in shape, or a constant does not broadcast onto them.

        A constant broadcasts from the last axis: one number, one per channel, or one per element.
        """
        onto = buffer_shape(self.operands[0])
        self.require(all(buffer_shape(value) == onto for value in self.operands), "the buffers need one shape")
        for constant in self.constants().values():
            self.require(shapes.broadcastable(dense_shape(constant), onto), "the constants do not broadcast")


class NeuronsOp(LoopOp, ABC):
    """Writes what the neurons of a layer say.

    Reports read `scale` (f64), what one spike stands for, and `layout`: axis i of the neurons is axis layout[i] of the
    user's tensor.

    (C3) `layout` is a permutation.
    """

    spikes = operand_def(MemRefType)
    scale = opt_prop_def(Dense)
    layout = prop_def(DenseArrayBase.constr(i64))

    @property
    def neurons(self) -> Shape:
        """The shape of the layer, in the order of its memory."""
        return buffer_shape(self.spikes)

    @property
    @abstractmethod
    def sent(self) -> tuple[int, int]:
        """(lowest, highest) of what a neuron can send in all."""

    def verify_(self) -> None:
        super().verify_()
        if sorted(values_of(self.layout)) != list(range(len(self.neurons))):  # C3
            raise VerifyException(f"{self.name}: the layout {list(values_of(self.layout))} is no permutation of axes")


class MembraneOp(NeuronsOp, ABC):
    """Writes what the neurons of a layer say, from their membranes.

    (C2) One shape.
    """

    membrane = operand_def(MemRefType)
    spikes = operand_def(MemRefType)

    def verify_(self) -> None:
        super().verify_()
        self.require(buffer_shape(self.spikes) == buffer_shape(self.membrane), "the buffers need one shape")  # C2


class SynapseOp(LoopOp, ResourceUser, ABC):
    """Adds weights, times the value, to a membrane for every element of the source that is not zero.

    (C2) The shapes agree. (C3) The membrane holds i32, f32 or f64.
    """

    source = operand_def(MemRefType)
    membrane = operand_def(MemRefType)
    weight = prop_def(Dense)

    def constants(self) -> Mapping[str, Dense]:
        return {"weight": self.weight}

    def uses(self) -> Mapping[str, float]:
        return {"weight_bits": 8 * element_bytes(dense_type(self.weight).element_type)}

    def verify_(self) -> None:
        super().verify_()
        element = buffer_element(self.membrane)
        if not is_float(element) and element_bytes(element) != 4:  # C3
            raise VerifyException(f"{self.name}: a membrane cannot hold {element}")


class Windowed(Protocol):
    """What moves a window over an image."""

    @property
    def stride(self) -> DenseArrayBase: ...
    @property
    def padding(self) -> DenseArrayBase: ...
    @property
    def dilation(self) -> DenseArrayBase: ...


def windows_of(op: Windowed, source: Shape, kernel: Sequence[int]) -> Shape:
    """(rows, columns) of the windows over a (height, width, channels) buffer.

    Raises:
        VerifyException: none fits, or the geometry is malformed.
    """
    geometry = (values_of(op.stride), values_of(op.padding), values_of(op.dilation))
    try:
        return shapes.windows2d((source[2], source[0], source[1]), kernel, *geometry)
    except ValueError as reason:
        raise VerifyException(str(reason)) from None


class PoolOp(LoopOp, ABC):
    """Loops over the windows of a (height, width, channels) buffer. Padding is top, bottom, left, right.

    (C2) The shapes agree.
    """

    kernel = prop_def(DenseArrayBase.constr(i64))
    stride = prop_def(DenseArrayBase.constr(i64))
    padding = prop_def(DenseArrayBase.constr(i64))
    dilation = prop_def(DenseArrayBase.constr(i64))

    def require_windows(self, image: SSAValue, target: SSAValue) -> None:
        """C2."""
        source = buffer_shape(image)
        self.require(len(source) == 3, "expected height, width and channels")
        windows = windows_of(self, source, values_of(self.kernel))
        self.require(buffer_shape(target) == (*windows, source[2]), f"expected {windows} windows")
