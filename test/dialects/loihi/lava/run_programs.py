"""Runs programs in Lava: `run_programs.py one.npz two.npz ...` writes one.out.npz, two.out.npz, ...

A program is what `test_lava.py` writes: a JSON text `program`, its constants, and the rows of its inputs. An output is
named by its place; its first axis is time.
"""

import json
import sys
from pathlib import Path

import dataclass_defaults  # noqa: F401  before Lava
import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.conv.process import Conv
from lava.proc.dense.process import DelayDense, Dense
from lava.proc.io.source import RingBuffer
from lava.proc.lif.process import LIF
from lava.proc.monitor.process import Monitor
from lava.proc.sdn.process import ActivationMode, SigmaDelta
from lava.proc.sparse.process import DelaySparse, Sparse
from lava.utils.weightutils import SignMode
from processes.integrate_and_fire import IntegrateAndFire
from scipy.sparse import csr_matrix


class Network:
    """The processes of a program; `ports` are what values leave by, `probes` what a monitor reads of groups."""

    def __init__(self, program, arrays):
        self.steps = program["steps"]
        self.arrays = arrays
        self.ports = {}
        self.probes = {}
        self.groups = []
        synapses = []
        for op in program["operations"]:
            process = getattr(self, op["kind"])(op, op["properties"])
            if process is not None:
                synapses.append((process, op))
        for process, op in synapses:
            self.ports[op["operands"][0]].connect(process.s_in)

    def constant(self, op, name, default=0):
        """A constant tensor of an operation."""
        key = f"{op['index']}.{name}"
        return self.arrays[key].astype(np.int32) if key in self.arrays else default

    def field(self, op, name, default=0):
        """A constant of every neuron of a group."""
        return np.broadcast_to(self.constant(op, name, default), op["shape"]).astype(np.int32).copy()

    def source(self, op, _properties):
        rows = self.arrays[f"input.{op['operands'][0]}"].astype(np.int32)
        data = np.zeros((self.steps, *rows.shape[1:]), np.int32)
        data[: len(rows)] = rows
        self.ports[op["results"][0]] = RingBuffer(data=np.moveaxis(data, 0, -1)).s_out

    def reshape(self, op, _properties):
        self.ports[op["results"][0]] = self.ports[op["operands"][0]].reshape(tuple(op["shape"]))

    def transpose(self, op, properties):
        self.ports[op["results"][0]] = self.ports[op["operands"][0]].transpose(properties["permutation"])

    # Groups

    def _group(self, op, process, membrane):
        for operand in op["operands"]:
            self.ports[operand].connect(process.a_in)
        spikes, probe = op["results"]
        self.ports[spikes] = process.s_out
        self.probes |= {spikes: (process, process.s_out), probe: (process, membrane)}
        self.groups.append(process)

    def lif(self, op, properties):
        process = LIF(
            shape=tuple(op["shape"]),
            v=self.field(op, "initial"),
            bias_mant=self.field(op, "bias_mant"),
            **{name: properties[name] for name in ("du", "dv", "vth", "bias_exp")},
        )
        self._group(op, process, process.v)

    def integrate_and_fire(self, op, properties):
        start, stop = properties.get("fire", (0, self.steps))
        process = IntegrateAndFire(
            shape=tuple(op["shape"]),
            v=self.field(op, "initial"),
            threshold=self.field(op, "threshold"),
            bias=self.field(op, "bias"),
            first=start,
            last=stop - 1,
        )
        self._group(op, process, process.v)

    def sigma_delta(self, op, properties):
        process = SigmaDelta(
            shape=tuple(op["shape"]),
            bias=self.field(op, "bias"),
            act_mode=ActivationMode[properties["activation"].upper()],
            **{name: properties[name] for name in ("vth", "spike_exp", "state_exp")},
        )
        self._group(op, process, process.sigma)

    # Synapses

    def _synapse(self, op, process):
        self.ports[op["results"][0]] = process.a_out
        return process

    def _weights(self, properties):
        return {
            "sign_mode": SignMode[properties["sign_mode"].upper()],
            "num_weight_bits": properties["weight_bits"],
            "num_message_bits": properties.get("message_bits", 0),
            "weight_exp": properties["weight_exp"],
        }

    def dense(self, op, properties):
        weights, delay = self.constant(op, "weight"), properties["delay"]
        if delay:
            return self._synapse(
                op, DelayDense(weights=weights, delays=delay, max_delay=delay, **self._weights(properties))
            )
        return self._synapse(op, Dense(weights=weights, **self._weights(properties)))

    def sparse(self, op, properties):
        pairs = self.constant(op, "targets"), self.constant(op, "sources")
        shape = op["shape"][0], op["operand_shape"][0]
        weights, delay = self.constant(op, "weight"), properties["delay"]
        matrix = csr_matrix((weights, pairs), shape=shape)
        if delay:
            delays = csr_matrix((np.full(len(weights), delay), pairs), shape=shape)
            return self._synapse(
                op, DelaySparse(weights=matrix, delays=delays, max_delay=delay, **self._weights(properties))
            )
        return self._synapse(op, Sparse(weights=matrix, **self._weights(properties)))

    def conv(self, op, properties):
        process = Conv(
            weight=self.constant(op, "weight"),
            input_shape=tuple(op["operand_shape"]),
            num_message_bits=properties.get("message_bits", 0),
            groups=properties["groups"],
            **{name: tuple(properties[name]) for name in ("stride", "padding", "dilation")},
        )
        return self._synapse(op, process)

    def run(self, outputs):
        """What the outputs were at every step."""
        monitors = []
        for value in outputs:
            process, probe = self.probes[value]
            monitor = Monitor()
            monitor.probe(probe, self.steps)
            monitors.append((monitor, process.name, probe.name))
        self.groups[0].run(condition=RunSteps(self.steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
        try:
            return [monitor.get_data()[process][probe] for monitor, process, probe in monitors]
        finally:
            self.groups[0].stop()


def main(paths):
    for path in map(Path, paths):
        with np.load(path) as arrays:
            program = json.loads(str(arrays["program"]))
            outputs = Network(program, dict(arrays)).run(program["outputs"])
        np.savez(path.with_suffix(".out.npz"), **{str(place): output for place, output in enumerate(outputs)})


if __name__ == "__main__":
    main(sys.argv[1:])
