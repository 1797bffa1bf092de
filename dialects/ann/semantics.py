"""What each `ann` operation means, in NumPy. Every array has a leading batch axis that the operations do not count."""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, sqrt
from typing import cast

import numpy as np
from numpy.typing import NDArray

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared import meanings as shared
from neurocuda.ir.attributes import Dense, shape_of, values_of
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import Array, means

Floats = NDArray[np.float32]


def _optional(run: Run, attribute: Dense | None) -> Array | None:
    return None if attribute is None else run.tensor(attribute)


def _channelwise(constant: Array, rank: int) -> Array:
    """One value per channel (the first axis), to broadcast over `rank` axes."""
    return constant.reshape(-1, *(1,) * (rank - 1))


# Synapses


@means(ann.Conv2dOp)
def conv2d(op: ann.Conv2dOp, run: Run, x: Array) -> Array:
    stride, padding, dilation = values_of(op.stride), values_of(op.padding), values_of(op.dilation)
    bias = _optional(run, op.bias)
    return shared.conv2d(x, run.tensor(op.weight), bias, stride, padding, dilation, op.groups.value.data)


@means(ann.LinearOp)
def linear(op: ann.LinearOp, run: Run, x: Array) -> Array:
    return shared.linear(x, run.tensor(op.weight), _optional(run, op.bias))


@means(ann.DiagonalOp)
def diagonal(op: ann.DiagonalOp, run: Run, x: Array) -> Array:
    return shared.diagonal(x, run.tensor(op.weight))


# Neurons, inputs, constants


@means(ann.InputOp)
def input_(op: ann.InputOp, run: Run, x: Array) -> Array:
    if op.mean is None or op.std is None:
        return x
    rank = x.ndim - 1
    mean, std = (_channelwise(run.tensor(constant), rank) for constant in (op.mean, op.std))
    return ((x.astype(np.float64) / 255 - mean) / std).astype(np.float32)


@means(ann.ConstantOp)
def constant(op: ann.ConstantOp, run: Run) -> Array:
    return run.tensor(op.value)[None]


def total(currents: Sequence[Array]) -> Array:
    """The sum of all currents of a neuron layer."""
    result = currents[0]
    for current in currents[1:]:
        result = result + current
    return result


@means(ann.NeuronOp)
def neuron(op: ann.NeuronOp, run: Run, *currents: Array) -> Array:
    charge = total(currents)
    if op.bias is not None:
        charge = charge + run.tensor(op.bias)
    highest = None if op.maximum is None else op.maximum.value.data
    return np.clip(charge, 0, highest).astype(np.float32)


@means(ann.StaircaseOp)
def staircase(op: ann.StaircaseOp, run: Run, *currents: Array) -> Array:
    bias, threshold, initial = (run.tensor(constant) for constant in (op.bias, op.threshold, op.initial))
    return shared.staircase(total(currents), bias, threshold, initial, op.levels.value.data)


@means(ann.RelayOp)
def relay(op: ann.RelayOp, run: Run, *currents: Array) -> Array:
    charge = total(currents)
    return (charge if op.bias is None else charge + run.tensor(op.bias)).astype(np.float32)


def _charge(
    op: ann.LookupOp | ann.IntegerSoftmaxOp | ann.IntegerLayerNormOp, run: Run, currents: Sequence[Array]
) -> Array:
    charge = total(currents)
    return charge if op.initial is None else charge + run.tensor(op.initial)


@means(ann.LookupOp)
def lookup(op: ann.LookupOp, run: Run, *currents: Array) -> Array:
    return shared.lookup(_charge(op, run, currents), run.tensor(op.threshold), op.clip, _optional(run, op.table))


@means(ann.IntegerSoftmaxOp)
def integer_softmax(op: ann.IntegerSoftmaxOp, run: Run, *currents: Array) -> Array:
    charge, divisor, table = _charge(op, run, currents), run.tensor(op.divisor), run.tensor(op.table)
    return shared.integer_softmax(charge, divisor, table, op.levels.value.data)


@means(ann.IntegerLayerNormOp)
def integer_layer_norm(op: ann.IntegerLayerNormOp, run: Run, *currents: Array) -> Array:
    charge, gain, shift = _charge(op, run, currents), run.tensor(op.gain), run.tensor(op.shift)
    return shared.integer_layer_norm(charge, gain, shift, op.epsilon.value.data, op.range)


@means(ann.ProductOp)
def product(op: ann.ProductOp, run: Run, left: Array, right: Array) -> Array:
    return shared.product(left, right)


@means(ann.MatrixProductOp)
def matrix_product(op: ann.MatrixProductOp, run: Run, left: Array, right: Array) -> Array:
    return shared.matrix_product(left, right)


# Elementwise and normalisation


@means(ann.AffineOp)
def affine(op: ann.AffineOp, run: Run, x: Array) -> Array:
    if op.scale is not None:
        x = x * run.tensor(op.scale)
    if op.shift is not None:
        x = x + run.tensor(op.shift)
    return x


@means(ann.AddOp)
def add(op: ann.AddOp, run: Run, left: Array, right: Array) -> Array:
    left, right = shared.aligned(left, right)
    return left + right


@means(ann.SubOp)
def sub(op: ann.SubOp, run: Run, left: Array, right: Array) -> Array:
    left, right = shared.aligned(left, right)
    return left - right


@means(ann.MulOp)
def mul(op: ann.MulOp, run: Run, left: Array, right: Array) -> Array:
    left, right = shared.aligned(left, right)
    return left * right


@means(ann.MatmulOp)
def matmul(op: ann.MatmulOp, run: Run, left: Array, right: Array) -> Array:
    return np.matmul(left, right)


@means(ann.AttentionOp)
def attention(op: ann.AttentionOp, run: Run, query: Array, key: Array, value: Array) -> Array:
    scores = np.matmul(query, np.swapaxes(key, -1, -2)) * np.float32(op.scale.value.data)
    if op.mask is not None:
        scores = scores + run.tensor(op.mask)
    if op.causal.value.data:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    return np.matmul(_softmax(scores, -1), value).astype(query.dtype)


@means(ann.MeanOp)
def mean(op: ann.MeanOp, run: Run, x: Array) -> Array:
    axes = tuple(axis + 1 for axis in values_of(op.axes))
    return cast(Array, np.mean(x, axis=axes, keepdims=bool(op.keep.value.data)))


@means(ann.BatchNormOp)
def batch_norm(op: ann.BatchNormOp, run: Run, x: Array) -> Array:
    constants = (op.scale, op.shift, op.mean, op.variance)
    scale, shift, mean, variance = (_channelwise(run.tensor(c).astype(np.float64), x.ndim - 1) for c in constants)
    factor = scale / np.sqrt(variance + op.epsilon.value.data)
    return (x * factor + (shift - mean * factor)).astype(np.float32)


@means(ann.LayerNormOp)
def layer_norm(op: ann.LayerNormOp, run: Run, x: Array) -> Array:
    axes = tuple(range(x.ndim - len(values_of(op.normalized)), x.ndim))
    wide = x.astype(np.float64)
    centred = wide - wide.mean(axis=axes, keepdims=True)
    result = centred / np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + op.epsilon.value.data)
    if op.scale is not None:
        result = result * run.tensor(op.scale)
    if op.shift is not None:
        result = result + run.tensor(op.shift)
    return result.astype(np.float32)


# Activations


@means(ann.ReluOp)
def relu(op: ann.ReluOp, run: Run, x: Array) -> Array:
    return np.maximum(x, 0)


@means(ann.ClampOp)
def clamp(op: ann.ClampOp, run: Run, x: Array) -> Array:
    low, high = (None if bound is None else np.float32(bound.value.data) for bound in (op.minimum, op.maximum))
    return np.clip(x, low, high)


@means(ann.RoundedReluOp)
def rounded_relu(op: ann.RoundedReluOp, run: Run, x: Array) -> Array:
    levels = op.levels.value.data
    unit = run.tensor(op.clip) / np.float32(levels)
    return np.clip(np.floor(x / unit + np.float32(0.5)), 0, levels) * unit


@means(ann.LeakyReluOp)
def leaky_relu(op: ann.LeakyReluOp, run: Run, x: Array) -> Array:
    return np.where(x >= 0, x, x * np.float32(op.slope.value.data))


def _sigmoid(x: Array) -> NDArray[np.float64]:
    return 0.5 * (1 + np.tanh(0.5 * x.astype(np.float64)))


@means(ann.SigmoidOp)
def sigmoid(op: ann.SigmoidOp, run: Run, x: Array) -> Array:
    return _sigmoid(x).astype(np.float32)


@means(ann.SiluOp)
def silu(op: ann.SiluOp, run: Run, x: Array) -> Array:
    return (x * _sigmoid(x)).astype(np.float32)


@means(ann.TanhOp)
def tanh(op: ann.TanhOp, run: Run, x: Array) -> Array:
    return np.tanh(x)


@means(ann.GeluOp)
def gelu(op: ann.GeluOp, run: Run, x: Array) -> Array:
    wide = x.astype(np.float64)
    if op.approximate.value.data:
        return (0.5 * wide * (1 + np.tanh(sqrt(2 / np.pi) * (wide + 0.044715 * wide**3)))).astype(np.float32)
    return (0.5 * wide * (1 + _erf(wide / sqrt(2)))).astype(np.float32)


def _erf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.fromiter(map(erf, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


@means(ann.HardSigmoidOp)
def hard_sigmoid(op: ann.HardSigmoidOp, run: Run, x: Array) -> Array:
    return np.clip(x + np.float32(3), 0, 6) / np.float32(6)


@means(ann.HardSwishOp)
def hard_swish(op: ann.HardSwishOp, run: Run, x: Array) -> Array:
    return x * (np.clip(x + np.float32(3), 0, 6) / np.float32(6))


def _softmax(x: Array, axis: int) -> NDArray[np.float64]:
    wide = x.astype(np.float64)
    powers = np.exp(wide - wide.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@means(ann.SoftmaxOp)
def softmax(op: ann.SoftmaxOp, run: Run, x: Array) -> Array:
    scaled = x if op.scale is None else x.astype(np.float64) * op.scale.value.data
    return _softmax(scaled, op.axis.value.data + 1).astype(np.float32)


@means(ann.LogSoftmaxOp)
def log_softmax(op: ann.LogSoftmaxOp, run: Run, x: Array) -> Array:
    axis = op.axis.value.data + 1
    centred = x.astype(np.float64) - x.max(axis=axis, keepdims=True)
    return (centred - np.log(np.exp(centred).sum(axis=axis, keepdims=True))).astype(np.float32)


# Pooling


@means(ann.MaxPool2dOp, moves=True)
def max_pool2d(op: ann.MaxPool2dOp, run: Run, x: Array) -> Array:
    kernel, stride, padding = values_of(op.kernel), values_of(op.stride), values_of(op.padding)
    return shared.max_pool2d(x, kernel, stride, padding, values_of(op.dilation))


@means(ann.SumPool2dOp)
def sum_pool2d(op: ann.SumPool2dOp, run: Run, x: Array) -> Array:
    return shared.sum_pool2d(x, values_of(op.kernel), values_of(op.stride), values_of(op.padding))


@means(ann.AveragePool2dOp)
def average_pool2d(op: ann.AveragePool2dOp, run: Run, x: Array) -> Array:
    kernel, stride, padding = values_of(op.kernel), values_of(op.stride), values_of(op.padding)
    sums = shared.sum_pool2d(x.astype(np.float64), kernel, stride, padding)
    if op.count_include_pad.value.data:
        return (sums / (kernel[0] * kernel[1])).astype(np.float32)
    counts = shared.sum_pool2d(np.ones((1, 1, *x.shape[2:])), kernel, stride, padding)
    return (sums / counts).astype(np.float32)


@means(ann.AdaptiveAveragePool2dOp)
def adaptive_average_pool2d(op: ann.AdaptiveAveragePool2dOp, run: Run, x: Array) -> Array:
    rows, columns = values_of(op.output)
    means_of_rows = _adaptive(x.astype(np.float64), x.ndim - 2, rows)
    return _adaptive(means_of_rows, x.ndim - 1, columns).astype(np.float32)


def _adaptive(x: NDArray[np.float64], axis: int, output: int) -> NDArray[np.float64]:
    size = x.shape[axis]
    spans = (range(i * size // output, -(-(i + 1) * size // output)) for i in range(output))
    return np.stack([x.take(span, axis=axis).mean(axis=axis) for span in spans], axis=axis)


# Index maps


@means(ann.ReshapeOp, moves=True)
def reshape(op: ann.ReshapeOp, run: Run, x: Array) -> Array:
    return shared.reshape(x, shape_of(op.result))


@means(ann.TransposeOp, moves=True)
def transpose(op: ann.TransposeOp, run: Run, x: Array) -> Array:
    return shared.transpose(x, values_of(op.permutation))


@means(ann.SliceOp, moves=True)
def slice_(op: ann.SliceOp, run: Run, x: Array) -> Array:
    return shared.slice_(x, values_of(op.starts), values_of(op.stops), values_of(op.steps))


@means(ann.PadOp, moves=True)
def pad(op: ann.PadOp, run: Run, x: Array) -> Array:
    return shared.pad(x, values_of(op.low), values_of(op.high))


@means(ann.ConcatOp, moves=True)
def concat(op: ann.ConcatOp, run: Run, *xs: Array) -> Array:
    batch = max(len(x) for x in xs)
    aligned = [np.broadcast_to(x, (batch, *x.shape[1:])) for x in xs]
    return shared.concat(aligned, op.axis.value.data)
