"""Neurons in continuous time as neurons in steps: decays, gains and constant currents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurocuda.frontend.nir.graph import Node
from neurocuda.options import NirOptions

Field = NDArray[np.float64]


@dataclass(frozen=True)
class Stepped:
    """A neuron in steps: i <- current_decay i + gain x; v <- membrane_decay v + i + bias. None does not decay."""

    gain: Field
    bias: Field
    membrane_decay: Field | None = None
    current_decay: Field | None = None


def stepped(node: Node, options: NirOptions, dt: float) -> Stepped:
    """What a step of `dt` seconds does to a neuron.

    The equations of NIR 1.0: v' = R x for I and IF; tau v' = v_leak - v + R x for LI and LIF; for CubaLI and CubaLIF
    tau_syn i' = -i + w_in x and tau_mem v' = v_leak - v + R i. A step takes the current first, then the potential
    that the new current drives.
    """
    resistance = node.numbers("r")
    if node.kind in ("I", "IF"):
        return Stepped(resistance * dt, np.zeros_like(resistance))
    decay = _decay(node, "tau" if node.kind in ("LI", "LIF") else "tau_mem", options, dt)
    gain, bias = (1 - decay) * resistance, (1 - decay) * node.numbers("v_leak")
    if node.kind in ("LI", "LIF"):
        return Stepped(gain, bias, decay)
    current_decay = _decay(node, "tau_syn", options, dt)
    weight = node.numbers("w_in") if "w_in" in node.parameters else np.ones_like(gain)
    return Stepped((1 - current_decay) * weight * gain, bias, decay, current_decay)


def _decay(node: Node, name: str, options: NirOptions, dt: float) -> Field:
    """At least 0, also where a time constant that is a step long was rounded to float32."""
    share = dt / node.numbers(name)
    return np.maximum(1 - share, 0) if options.integration == "euler" else np.exp(-share)
