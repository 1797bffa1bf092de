"""What each `host` operation means, in NumPy, with a leading batch axis."""

from __future__ import annotations

import numpy as np

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.host import ops as host
from neurocuda.ir.attributes import element_type
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import Array, means


@means(host.QuantizeOp)
def quantize(op: host.QuantizeOp, run: Run, x: Array) -> Array:
    element = element_type(op.result)
    assert isinstance(element, CountType)
    steps = np.rint((x.astype(np.float64) - run.tensor(op.shift)) / run.tensor(op.step))
    return np.clip(steps, *element.bounds).astype(np.int64)


@means(host.DequantizeOp)
def dequantize(op: host.DequantizeOp, run: Run, x: Array) -> Array:
    result = x.astype(np.float64) * run.tensor(op.scale)
    if op.offset is not None:
        result = result + run.tensor(op.offset)
    return result.astype(np.float32)


@means(host.SegmentOp)
def segment(op: host.SegmentOp, run: Run, *inputs: Array) -> tuple[Array, ...]:
    return tuple(run.block(op.body.block, inputs))
