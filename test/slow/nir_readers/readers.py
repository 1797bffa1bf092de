"""Runs .nir files in another framework: `python readers.py READER FOLDER`, in the environment of readers.

For every FILE.nir of the folder, FILE.npz has `x`, (time, *shape) of one example; FILE.READER.npz gets `y`, what the
framework's network gives at every step, or `error`, what it raises.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nir
import nirtorch
import numpy as np
import torch


class Fires(torch.nn.Module):
    """NIR's IF at dt = 1 s: strict comparison, reset to v_reset."""

    def __init__(self, node: nir.IF) -> None:
        super().__init__()
        self.r, self.threshold, self.reset = map(torch.from_numpy, (node.r, node.v_threshold, node.v_reset))

    def forward(self, x, state=None):
        v = (0 if state is None else state) + self.r * x
        z = (v > self.threshold).to(x.dtype)
        return z, torch.where(z > 0, self.reset.to(v.dtype), v)


class LeaksAndFires(torch.nn.Module):
    """NIR's LIF at dt = 1e-4 s: strict comparison, reset to v_reset."""

    def __init__(self, node: nir.LIF) -> None:
        super().__init__()
        share = 1e-4 / node.tau
        self.decay, self.gain, self.leak = map(torch.from_numpy, (1 - share, share * node.r, share * node.v_leak))
        self.threshold, self.reset = map(torch.from_numpy, (node.v_threshold, node.v_reset))

    def forward(self, x, state=None):
        v = (0 if state is None else state) * self.decay + self.gain * x + self.leak
        z = (v > self.threshold).to(x.dtype)
        return z, torch.where(z > 0, self.reset.to(v.dtype), v)


class Integrates(torch.nn.Module):
    """NIR's I at dt = 1 s."""

    def __init__(self, node: nir.I) -> None:
        super().__init__()
        self.r = torch.from_numpy(node.r)

    def forward(self, x, state=None):
        v = (0 if state is None else state) + self.r * x
        return v, v


class Compares(torch.nn.Module):
    """NIR's Threshold."""

    def __init__(self, node: nir.Threshold) -> None:
        super().__init__()
        self.threshold = torch.from_numpy(node.threshold)

    def forward(self, x):
        return (x > self.threshold).to(x.dtype)


class Scales(torch.nn.Module):
    """NIR's Scale."""

    def __init__(self, node: nir.Scale) -> None:
        super().__init__()
        self.scale = torch.from_numpy(node.scale)

    def forward(self, x):
        return x * self.scale


class Delays(torch.nn.Module):
    """NIR's Delay at dt = 1 s, the same for all elements."""

    def __init__(self, node: nir.Delay) -> None:
        super().__init__()
        (self.steps,) = {int(value) for value in node.delay.flat}

    def forward(self, x, state=None):
        line = [torch.zeros_like(x)] * self.steps if state is None else state
        return line[0], [*line[1:], x]


def affine(node: nir.Affine) -> torch.nn.Linear:
    """nirtorch 2.6's own map leaves the bias as torch drew it."""
    module = torch.nn.Linear(node.weight.shape[1], node.weight.shape[0])
    module.weight.data, module.bias.data = torch.from_numpy(node.weight), torch.from_numpy(node.bias)
    return module


def stepped(module: torch.nn.Module, x: torch.Tensor, *, batched: bool = False) -> list[torch.Tensor]:
    """Runs a module of (output, state) step by step.

    Not `batched`, x has no batch axis, as in NIR: readers that flatten from NIR's own `start_dim` would flatten it too.
    """
    state, found = None, []
    for each in x:
        y, state = module(each[None] if batched else each, state)
        found.append(y[0] if batched else y)
    return found


def run_nirtorch(graph: nir.NIRGraph, x: torch.Tensor) -> list[torch.Tensor]:
    """`nirtorch.nir_to_torch` with the meanings above for what it has no map of."""
    meanings = {
        nir.IF: Fires,
        nir.LIF: LeaksAndFires,
        nir.I: Integrates,
        nir.Threshold: Compares,
        nir.Scale: Scales,
        nir.Delay: Delays,
        nir.Affine: affine,
    }
    return stepped(nirtorch.nir_to_torch(graph, meanings), x)


def run_snntorch(graph: nir.NIRGraph, x: torch.Tensor) -> list[torch.Tensor]:
    from snntorch import utils
    from snntorch.import_nir import import_from_nir

    module = import_from_nir(graph)
    utils.reset(module)
    return stepped(module, x)


def run_norse(graph: nir.NIRGraph, x: torch.Tensor) -> list[torch.Tensor]:
    import norse.torch

    return stepped(norse.torch.from_nir(graph), x)


def run_sinabs(graph: nir.NIRGraph, x: torch.Tensor) -> list[torch.Tensor]:
    import sinabs.nir

    y, _ = sinabs.nir.from_nir(graph, batch_size=1)(x)
    return list(y)


def run_spikingjelly(graph: nir.NIRGraph, x: torch.Tensor) -> list[torch.Tensor]:
    """It wants r = 1 / dt of IF nodes."""
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    dt = 1.0 if any(isinstance(node, nir.IF) for node in graph.nodes.values()) else 1e-4
    return stepped(import_from_nir(graph, dt=dt), x, batched=True)


READERS = {
    "nirtorch": run_nirtorch,
    "snntorch": run_snntorch,
    "norse": run_norse,
    "sinabs": run_sinabs,
    "spikingjelly": run_spikingjelly,
}


def answer(reader: str, file: Path) -> dict[str, np.ndarray | str]:
    """What a framework's network gives at every step, or how it fails."""
    x = torch.from_numpy(np.load(file.with_suffix(".npz"))["x"].astype(np.float32))
    torch.manual_seed(0)  # what a reader forgets to load is at least the same every time
    try:
        with torch.no_grad():
            found = READERS[reader](nir.read(file), x)
        return {"y": np.stack([np.asarray(each.detach()) for each in found])}
    except Exception as reason:  # noqa: BLE001  frameworks raise anything
        return {"error": f"{type(reason).__name__}: {reason}"}


def main() -> None:
    """Runs every file in one framework."""
    reader, folder = sys.argv[1:]
    for file in sorted(Path(folder).glob("*.nir")):
        np.savez(file.with_name(f"{file.stem}.{reader}.npz"), **answer(reader, file))


if __name__ == "__main__":
    main()
