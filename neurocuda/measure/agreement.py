"""Which classes a level of a network answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from neurocuda.images import Array
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret

BATCH = 64
"""Images that the interpreter runs at once."""


def answers(module: ModuleOp, weights: WeightStore, images: Sequence[Array]) -> NDArray[np.int64]:
    """(images,): the largest first output under the interpreter; `images` has one array per input."""
    parts = [
        interpret(module, weights, [array[start : start + BATCH] for array in images])[0]
        for start in range(0, len(images[0]), BATCH)
    ]
    outputs = np.concatenate(parts)
    return outputs.reshape(len(outputs), -1).argmax(axis=1)
