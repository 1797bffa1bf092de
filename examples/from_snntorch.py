"""A network of snnTorch, by way of NIR: every spike compared with snnTorch's own.

    make nir-readers
    .venv-nir-readers/bin/python examples/from_snntorch.py

What its exporter (snnTorch 1.0.0) says is what snnTorch does where neurons reset to zero at once: give `Leaky`
reset_mechanism="zero" and reset_delay=False. It writes a reset to zero for all others, too, which is wrong; and it
writes parameters as they are: give one `beta` and one `threshold` per neuron, and an example without a batch axis.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import nir
import numpy as np
import snntorch
import torch
from snntorch import utils
from snntorch.export_nir import export_to_nir
from torch import nn

import neurocuda as nc

STEPS, INPUTS, HIDDEN, OUTPUTS = 500, 20, 64, 10
DT = 1e-4
"""The step, in seconds, that snnTorch's exporter assumes."""


def leaky(size: int, beta: float, threshold: float, *, last: bool = False) -> nn.Module:
    """A layer of leaky neurons as NIR means them."""
    return snntorch.Leaky(
        beta=torch.full((size,), beta),
        threshold=torch.full((size,), threshold),
        reset_mechanism="zero",
        reset_delay=False,
        init_hidden=True,
        output=last,
    )


def main() -> None:
    """Exports, imports, compares."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(INPUTS, HIDDEN),
        leaky(HIDDEN, 0.9, 0.7),
        nn.Linear(HIDDEN, OUTPUTS),
        leaky(OUTPUTS, 0.8, 0.4, last=True),
    )
    events = (torch.rand(STEPS, INPUTS) < 0.3).float()
    utils.reset(network)
    with torch.no_grad():
        expected = torch.stack([network(x)[0] for x in events]).numpy()
    with TemporaryDirectory() as folder:
        path = Path(folder, "network.nir")
        nir.write(path, export_to_nir(network, torch.zeros(INPUTS)))
        model = nc.import_model(path, nir=nc.NirOptions(dt=DT))
    found = np.asarray(model.interpret(events[None].numpy()))[0]
    print(f"snnTorch {snntorch.__version__}: {int(expected.sum())} spikes, {int((found != expected).sum())} differ")


if __name__ == "__main__":
    main()
