"""Every float pass keeps what random networks of level `ann-imported` compute, value by value."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, TensorType, f32
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.attributes import Dense, shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.validation import validate_pass
from neurocuda.ir.verifying import verify_module
from neurocuda.registry import pass_factories

PASSES = (
    "remove-identities",
    "fold-constants",
    "fuse-pad",
    "fold-batch-norm",
    "replace-average-pooling",
    "hoist-activations",
    "merge-residual",
)
SHUFFLES = 12


class Builder:
    """Grows a network from values that it picks at random among those that it has made."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.context: Context = create_context()
        self.weights = weights_of(self.context)
        shape = (int(self.random.integers(1, 4)), 6, 6)
        self.function = func.FuncOp("main", ((TensorType(f32, shape),), ()))
        self.block = self.function.body.block
        self.values = [self.add(ann.InputOp(self.block.args[0]))]

    def module(self, operations: int) -> ModuleOp:
        """A network with so many random operations and a classifier."""
        for _ in range(operations):
            grow = self.random.choice(np.array(GROWTH, dtype=object))
            value = grow(self, self.pick())
            if value is not None:
                self.values.append(value)
        outputs = [self.values[-1], self.classified(self.pick())]
        self.block.add_op(func.ReturnOp(*outputs))
        self.function.update_function_type()
        module = ModuleOp([self.function])
        verify_module(module)
        return module

    def add(self, op: Operation) -> SSAValue:
        self.block.add_op(op)
        return op.results[0]

    def pick(self) -> SSAValue:
        """A recent value, so that networks get deep, and sometimes an older one, so that values are shared."""
        back = min(int(self.random.geometric(0.6)), len(self.values))
        return self.values[-back]

    def dense(self, *shape: int, low: float = -1.0, high: float = 1.0) -> Dense:
        return self.weights.add(self.random.uniform(low, high, shape).astype(np.float32), "random")

    def chance(self) -> bool:
        return bool(self.random.integers(2))

    def padding(self) -> list[int]:
        return [int(side) for side in self.random.integers(0, 2, 4)] if self.chance() else [0] * 4

    def conv(self, x: SSAValue) -> SSAValue:
        channels, height, width = shape_of(x)
        outputs, kernel = int(self.random.integers(1, 5)), 1 if min(height, width) < 3 or self.chance() else 3
        weight, bias = self.dense(outputs, channels, kernel, kernel), self.dense(outputs) if self.chance() else None
        padding = [1, 1, 1, 1] if kernel == 3 and self.chance() else self.padding()
        return self.add(ann.Conv2dOp(x, weight, bias, padding=padding, stride=(1, 1 + self.chance())))

    def depthwise(self, x: SSAValue) -> SSAValue:
        channels = shape_of(x)[0]
        weight = self.dense(2 * channels, 1, 3, 3)
        return self.add(ann.Conv2dOp(x, weight, self.dense(2 * channels), padding=[1] * 4, groups=channels))

    def diagonal(self, x: SSAValue) -> SSAValue:
        return self.add(ann.DiagonalOp(x, self.dense(*self.broadcasting(x))))

    def linear(self, x: SSAValue) -> SSAValue:
        width, outputs = shape_of(x)[-1], int(self.random.integers(1, 5))
        return self.add(ann.LinearOp(x, self.dense(outputs, width), self.dense(outputs) if self.chance() else None))

    def batch_norm(self, x: SSAValue) -> SSAValue:
        channels = shape_of(x)[0]
        lowest = 0.1 if self.chance() else -1.0  # a norm with positive scales passes a max pooling
        scale, shift, mean = self.dense(channels, low=lowest), self.dense(channels), self.dense(channels)
        variance = self.dense(channels, low=0.5, high=2)
        return self.add(ann.BatchNormOp(x, scale=scale, shift=shift, mean=mean, variance=variance, epsilon=1e-3))

    def broadcasting(self, x: SSAValue) -> tuple[int, ...]:
        """A shape that broadcasts onto a value: mostly one constant per channel."""
        shape = shape_of(x)
        if self.random.integers(4):
            return (shape[0], 1, 1)
        shape = tuple(1 if self.chance() else size for size in shape)
        return shape[int(self.random.integers(3)) :]

    def affine(self, x: SSAValue) -> SSAValue:
        scale = self.dense(*self.broadcasting(x)) if self.chance() else None
        return self.add(ann.AffineOp(x, scale, self.dense(*self.broadcasting(x)) if self.chance() else None))

    def constant_sum(self, x: SSAValue) -> SSAValue:
        constant = self.add(ann.ConstantOp(self.dense(*shape_of(x))))
        kind = [ann.AddOp, ann.SubOp, ann.MulOp][int(self.random.integers(3))]
        return self.add(kind(x, constant) if self.chance() else kind(constant, x))

    def joined_zeros(self, x: SSAValue) -> SSAValue:
        zeros = self.add(ann.ConstantOp(self.weights.add(np.zeros(shape_of(x), np.float32))))
        return self.add(ann.ConcatOp([zeros, x, x, zeros], 1))

    def relu(self, x: SSAValue) -> SSAValue:
        return self.add(ann.ReluOp(x))

    def clamp(self, x: SSAValue) -> SSAValue:
        lowest = [None, -0.5, 0.0][int(self.random.integers(3))]
        return self.add(ann.ClampOp(x, lowest, 0.7 if self.chance() else None))

    def sum(self, x: SSAValue) -> SSAValue | None:
        same = [value for value in self.values if shape_of(value) == shape_of(x)]
        other = same[int(self.random.integers(len(same)))]
        if other is x and self.chance():
            other = self.add(ann.Conv2dOp(x, self.dense(shape_of(x)[0], shape_of(x)[0], 1, 1)))
        return self.add((ann.SubOp if self.chance() else ann.AddOp)(x, other))

    def concat(self, x: SSAValue) -> SSAValue:
        same = [value for value in self.values if shape_of(value)[1:] == shape_of(x)[1:]]
        return self.add(ann.ConcatOp([x, same[int(self.random.integers(len(same)))]], 0))

    def pool(self, x: SSAValue) -> SSAValue | None:
        if min(shape_of(x)[1:]) < 3:
            return None
        kernel, stride, padding = (2 + self.chance(), 2), (1 + self.chance(), 2), self.padding()
        if self.chance():
            return self.add(ann.MaxPool2dOp(x, kernel, stride=stride, padding=padding))
        counted = self.chance()
        return self.add(ann.AveragePool2dOp(x, kernel, stride=stride, padding=padding, count_include_pad=counted))

    def pad(self, x: SSAValue) -> SSAValue:
        low, high = ([int(side) for side in self.random.integers(0, 2, 3)] for _ in range(2))
        low[0] = low[0] if self.chance() else 0
        high[0] = high[0] if self.chance() else 0
        return self.add(ann.PadOp(x, low, high))

    def slice(self, x: SSAValue) -> SSAValue:
        shape = shape_of(x)
        steps = [1 + self.chance() for _ in shape]
        return self.add(ann.SliceOp(x, [int(size > 2) for size in shape], shape, steps))

    def transpose(self, x: SSAValue) -> SSAValue:
        return self.add(ann.TransposeOp(x, [0, 2, 1]))

    def reshape(self, x: SSAValue) -> SSAValue:
        channels, height, width = shape_of(x)
        return self.add(ann.ReshapeOp(x, (channels, width, height) if self.chance() else (channels, 1, height * width)))

    def classified(self, x: SSAValue) -> SSAValue:
        flat = self.add(ann.ReshapeOp(x, (int(np.prod(shape_of(x))),)))
        return self.linear(self.batch_norm(self.linear(flat)))


GROWTH: tuple[Callable[[Builder, SSAValue], SSAValue | None], ...] = (
    *(Builder.conv, Builder.conv, Builder.batch_norm, Builder.batch_norm, Builder.relu, Builder.relu, Builder.sum),
    *(Builder.clamp, Builder.affine, Builder.diagonal, Builder.depthwise, Builder.linear, Builder.concat),
    *(Builder.pool, Builder.pool, Builder.pad, Builder.slice, Builder.transpose, Builder.reshape),
    *(Builder.constant_sum, Builder.joined_zeros),
)


def images(module: ModuleOp, seed: int) -> list[NDArray[np.float32]]:
    shape = shape_of(next(op for op in module.walk() if isinstance(op, func.FuncOp)).body.block.args[0])
    return [np.random.default_rng(seed).normal(0, 1, (2, *shape)).astype(np.float32)]


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("seed", range(SHUFFLES))
def test_a_pass_keeps_every_value(name: str, seed: int) -> None:
    builder = Builder(seed)
    module = builder.module(operations=14)
    reports = validate_pass(pass_factories()[name]()(), builder.context, module, images(module, seed))
    verify_module(module)
    assert {"output 0", "output 1"} <= {report.name for report in reports}


@pytest.mark.parametrize("seed", range(100, 100 + SHUFFLES))
def test_passes_keep_every_value_in_any_order(seed: int) -> None:
    builder = Builder(seed)
    module = builder.module(operations=20)
    for name in builder.random.permutation(np.array([*PASSES, *PASSES])):
        validate_pass(pass_factories()[str(name)]()(), builder.context, module, images(module, seed))
        verify_module(module)


def test_a_second_run_changes_nothing() -> None:
    for name in PASSES:
        builder = Builder(7)
        module = builder.module(operations=20)
        step = pass_factories()[name]()()
        step.apply(builder.context, module)
        once = str(module)
        step.apply(builder.context, module)
        assert str(module) == once, name
