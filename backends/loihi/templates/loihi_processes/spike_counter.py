"""A Lava process that adds up what the spikes of a group say, to be read after a run."""

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class SpikeCounter(AbstractProcess):
    """One sum for every neuron; a spike of a step counts as much as `worths` has for that step."""

    def __init__(self, *, shape, worths):
        super().__init__(shape=shape)
        self.s_in = InPort(shape=shape)
        self.count = Var(shape=shape, init=0)
        self.worths = Var(shape=worths.shape, init=worths)


@implements(proc=SpikeCounter, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PySpikeCounter(PyLoihiProcessModel):
    """Sums of 32 bits."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=32)
    count: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=32)
    worths: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=32)

    def run_spk(self):
        """One step; Lava counts steps from 1."""
        self.count[:] += self.worths[self.time_step - 1] * self.s_in.recv().astype(np.int32)
