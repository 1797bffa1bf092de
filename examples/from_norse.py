"""A network of Norse, by way of NIR: every spike compared with Norse's own.

    make nir-readers
    .venv-nir-readers/bin/python examples/from_norse.py

What its exporter (Norse 1.1.0) says is what Norse does for `LIFBoxCell`, if it is called with dt=1: then it writes time
constants in seconds, 1 / tau_mem_inv. With its default, 1e-3, they are a thousand times too short. `LIFCell` is written
as a CubaLIF, but takes what arrives one step later; residual connections are lost on the way.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import nir
import norse.torch as norse
import numpy as np
import torch
from torch import nn

import neurocuda as nc

STEPS, INPUTS, HIDDEN, OUTPUTS = 500, 20, 64, 10
DT = 1e-3
"""The step, in seconds, that Norse runs with."""


def leaky(size: int, time_constant: float, threshold: float) -> nn.Module:
    """A layer of leaky neurons, one parameter per neuron."""
    parameters = norse.LIFBoxParameters(
        tau_mem_inv=torch.full((size,), 1 / time_constant),
        v_leak=torch.zeros(size),
        v_th=torch.full((size,), threshold),
        v_reset=torch.zeros(size),
    )
    return norse.LIFBoxCell(parameters, dt=DT)


def main() -> None:
    """Exports, imports, compares."""
    torch.manual_seed(0)
    network = norse.SequentialState(
        nn.Linear(INPUTS, HIDDEN), leaky(HIDDEN, 0.01, 0.1), nn.Linear(HIDDEN, OUTPUTS), leaky(OUTPUTS, 0.02, 0.02)
    )
    events = (torch.rand(STEPS, INPUTS) < 0.3).float()
    state, sent = None, []
    with torch.no_grad():
        for x in events:
            spikes, state = network(x[None], state)
            sent.append(spikes[0])
    expected = torch.stack(sent).numpy()
    with TemporaryDirectory() as folder:
        path = Path(folder, "network.nir")
        nir.write(path, norse.to_nir(network, torch.zeros(INPUTS), dt=1.0))
        model = nc.import_model(path, nir=nc.NirOptions(dt=DT))
    found = np.asarray(model.interpret(events[None].numpy()))[0]
    print(f"Norse {version('norse')}: {int(expected.sum())} spikes, {int((found != expected).sum())} differ")


if __name__ == "__main__":
    main()
