"""A network of sinabs, by way of NIR: every spike compared with sinabs' own.

    make nir-readers
    .venv-nir-readers/bin/python examples/from_sinabs.py

The exporter (sinabs 3.1.3) writes IF nodes. Its own neurons reset by subtraction, spike at the threshold, and several
times in one step; NIR has no word for that, so say it when you import. Shapes of what convolutions read are left out,
and nir 1.0.8 then cannot write the file: `infer_types` fills them in.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import nir
import numpy as np
import sinabs.layers
import sinabs.nir
import torch
from torch import nn

import neurocuda as nc

STEPS, SHAPE, OUTPUTS = 500, (2, 8, 8), 10
MANY = 1000
"""More spikes than any neuron sends in one step."""


def spiking() -> nn.Module:
    """A layer of neurons that do not leak, without a lower bound."""
    return sinabs.layers.IAFSqueeze(batch_size=1)


def main() -> None:
    """Exports, imports, compares."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3), spiking(), sinabs.layers.SumPool2d(2), nn.Flatten(), nn.Linear(36, OUTPUTS), spiking()
    )
    events = (torch.rand(STEPS, *SHAPE) < 0.3).float()
    with torch.no_grad():
        expected = network(events).numpy()
    graph = sinabs.nir.to_nir(network, events)
    graph.infer_types()
    with TemporaryDirectory() as folder:
        path = Path(folder, "network.nir")
        nir.write(path, graph)
        options = nc.NirOptions(reset="subtract", comparison="non-strict", spikes_per_step=MANY)
        model = nc.import_model(path, nir=options)
    found = np.asarray(model.interpret(events[None].numpy()))[0]
    print(f"sinabs {version('sinabs')}: {int(expected.sum())} spikes, {int((found != expected).sum())} differ")


if __name__ == "__main__":
    main()
