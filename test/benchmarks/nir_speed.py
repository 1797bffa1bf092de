"""A published .nir file on this CPU, against nirtorch with SpikingJelly; not part of the test suite.

    make nir-readers
    .venv-nir-readers/bin/python test/benchmarks/nir_speed.py

Imports and compiles nmnist_cnn.nir, with an empty cache of built programs, and runs recordings of N-MNIST, 300 steps of
1 ms, on one thread: one recording by us, the same by the other, and so on. Both reset to zero and fire at the
threshold; floats are summed in another order, which a few spikes notice.
"""

from __future__ import annotations

import os
import statistics
import time
from importlib.metadata import version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import nir
import numpy as np
import torch
from numpy.typing import NDArray
from spikingjelly.activation_based.nir_exchange import import_from_nir

import neurocuda as nc

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("NEUROCUDA_DATA", ROOT.parent / "shared" / "data"))
FILE = DATA / "nir" / "nmnist_cnn.nir"
STEPS, RECORDINGS = 300, 20
Floats = NDArray[np.float32]


def main() -> None:
    torch.set_num_threads(1)
    with TemporaryDirectory() as cache:
        os.environ["NEUROCUDA_CACHE"] = cache
        started = time.perf_counter()
        compiled = nc.compile(FILE, target="cpu", nir=nc.NirOptions(comparison="non-strict"))
        print(f"imported and compiled in {time.perf_counter() - started:.2f} s")
        peer = import_from_nir(nir.read(FILE), dt=1.0)
        ours, theirs, differing, spikes = [], [], 0, 0
        for frames in recordings():
            started = time.perf_counter()
            found = np.asarray(compiled.run(frames[None], threads=1, counts=False).outputs)[0]
            between = time.perf_counter()
            expected = stepped(peer, torch.from_numpy(frames))
            theirs.append(time.perf_counter() - between)
            ours.append(between - started)
            differing, spikes = differing + int((found != expected).sum()), spikes + int(expected.sum())
    ratios = [other / own for own, other in zip(ours, theirs, strict=True)]
    low, high = np.percentile(ratios, [10, 90])
    print(f"{len(ours)} recordings of {STEPS} steps, {spikes} output spikes, of which {differing} differ")
    print(f"neurocuda, {compiled.run(frames[None]).provenance}: {1000 * statistics.median(ours):.2f} ms each")
    peers = f"nirtorch {version('nirtorch')}, SpikingJelly {version('spikingjelly')}, torch {torch.__version__}"
    print(f"{peers}: {1000 * statistics.median(theirs):.2f} ms each")
    print(f"{statistics.median(ratios):.1f} times as fast (10 % to 90 %: {low:.1f} to {high:.1f})")


def stepped(module: torch.nn.Module, frames: torch.Tensor) -> Floats:
    """What the other gives at every step."""
    state, sent = None, []
    with torch.no_grad():
        for frame in frames:
            y, state = module(frame[None], state)
            sent.append(y[0])
    return torch.stack(sent).numpy()


def recordings() -> list[Floats]:
    """Events counted in frames of 1 ms: (time, polarity, height, width)."""
    found: list[Floats] = []
    for x, y, polarity, times, _ in module_of(DATA / "datasets.py").nmnist():
        frames = np.zeros((STEPS, 2, 34, 34), np.float32)
        step = times // 1000
        inside = step < STEPS
        np.add.at(frames, (step[inside], polarity[inside], y[inside], x[inside]), 1)
        found.append(frames)
        if len(found) == RECORDINGS:
            break
    return found


def module_of(path: Path) -> ModuleType:
    """A Python file as a module."""
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
