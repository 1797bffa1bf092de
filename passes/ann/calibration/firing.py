"""What free-running neurons send, by the meaning of `snn.integrate_and_fire`, in the float network's units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import TensorType, f32
from xdsl.ir import Block

from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.types import SpikesType
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Run

Field = NDArray[np.float64]
Floats = NDArray[np.float32]


def free_spikes(currents: Sequence[Floats], bias: Field, threshold: Field, initial: Field) -> Floats:
    """(steps, batch, *shape): one where a neuron fires at a step, from what reaches it at every step.

    Bias, threshold and initial potential broadcast onto the shape of the layer.
    """
    store, shape = WeightStore(), currents[0].shape[1:]
    constants = [store.add(field.astype(np.float32), "constant") for field in (threshold, initial, bias)]
    argument = Block(arg_types=[TensorType(f32, shape)]).args[0]
    neurons = snn.IntegrateAndFireOp(
        [argument], SpikesType.of(0, len(currents)), threshold=constants[0], initial=constants[1], bias=constants[2]
    )
    run = Run(store)
    return np.stack([run.evaluate(neurons, [current])[0].astype(np.float32) for current in currents])
