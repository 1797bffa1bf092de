"""Integrate-and-fire neurons with a soft reset as a Lava process: what a microcode program for them does.

It has a folder of its own, as Lava imports every file beside the one that defines a process.
"""

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

MEMBRANE = 2**23 - 1


class IntegrateAndFire(AbstractProcess):
    """Neurons that subtract their threshold when they fire, in the steps [start, stop) `fire`, counted from 0, or all.

    At every step, the window permitting, v grows by the currents that arrive and the bias, and saturates at 24 bits;
    where v >= threshold there is a spike, and v falls by the threshold. Outside of the window currents arrive alone.
    """

    def __init__(self, *, shape, threshold, bias=0, v=0, fire=None):
        super().__init__(shape=shape, fire=fire)
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.v = Var(shape=shape, init=v)
        self.threshold = Var(shape=shape, init=threshold)
        self.bias = Var(shape=shape, init=bias)


@implements(proc=IntegrateAndFire, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyIntegrateAndFire(PyLoihiProcessModel):
    """Its fixed points."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=1)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    threshold: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.fire = proc_params["fire"]

    def run_spk(self):
        """One step; Lava counts steps from 1."""
        fires = self.fire is None or self.fire[0] <= self.time_step - 1 < self.fire[1]
        charged = self.v.astype(np.int64) + self.a_in.recv() + (self.bias if fires else 0)
        potential = np.clip(charged, -MEMBRANE, MEMBRANE).astype(np.int32)
        spikes = (potential >= self.threshold) & fires
        self.v[:] = potential - self.threshold * spikes
        self.s_out.send(spikes.astype(np.int32))
