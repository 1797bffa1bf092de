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
    share = _share(node, "tau" if node.kind in ("LI", "LIF") else "tau_mem", options, dt)
    gain, bias = share * resistance, share * node.numbers("v_leak")
    if node.kind in ("LI", "LIF"):
        return Stepped(gain, bias, 1 - share)
    share_syn = _share(node, "tau_syn", options, dt)
    weight = node.numbers("w_in") if "w_in" in node.parameters else np.ones_like(gain)
    return Stepped(share_syn * weight * gain, bias, 1 - share, 1 - share_syn)


def _share(node: Node, name: str, options: NirOptions, dt: float) -> Field:
    """What of a state is gone after a step: at most all, also where a time constant of a step was rounded to float32.

    The decay is the rest; of long time constants it is rounded, and this is not.
    """
    share = dt / node.numbers(name)
    return np.minimum(share, 1) if options.integration == "euler" else -np.expm1(-share)
