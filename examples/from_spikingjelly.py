"""A network of SpikingJelly, by way of NIR: every spike compared with SpikingJelly's own.

    make nir-readers
    .venv-nir-readers/bin/python examples/from_spikingjelly.py

The exporter (SpikingJelly 2.0.0) says what SpikingJelly does, but for one thing that NIR has no word for: its neurons
spike at the threshold, NIR's above it. Say it when you import. It refuses resets by subtraction (v_reset=None) and
groups.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from spikingjelly.activation_based import functional, layer, neuron
from spikingjelly.activation_based.nir_exchange import export_to_nir
from torch import nn

import neurocuda as nc

STEPS, SHAPE, OUTPUTS = 500, (2, 8, 8), 10
DT = 1e-4
"""The step, in seconds, that the exporter assumes."""


def main() -> None:
    """Exports, imports, compares."""
    torch.manual_seed(0)
    network = nn.Sequential(
        layer.Conv2d(2, 4, 3),
        neuron.IFNode(v_threshold=0.5),
        layer.AvgPool2d(2),
        layer.Flatten(),
        layer.Linear(36, OUTPUTS),
        neuron.LIFNode(tau=2.0, v_threshold=0.1),
    )
    events = (torch.rand(STEPS, *SHAPE) < 0.3).float()
    with TemporaryDirectory() as folder:
        path = Path(folder, "network.nir")
        export_to_nir(network, events[:1], save_path=path, dt=DT)
        model = nc.import_model(path, nir=nc.NirOptions(dt=DT, comparison="non-strict"))
    functional.reset_net(network)
    with torch.no_grad():
        expected = torch.stack([network(x[None])[0] for x in events]).numpy()
    found = np.asarray(model.interpret(events[None].numpy()))[0]
    print(
        f"SpikingJelly {version('spikingjelly')}: {int(expected.sum())} spikes, {int((found != expected).sum())} differ"
    )


if __name__ == "__main__":
    main()
