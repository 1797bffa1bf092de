"""Networks of level `loihi` in Lava itself: every spike and every membrane potential is the interpreter's.

Each is written as a Lava program and that is run, in the environment of `make lava`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.backends.loihi.emit import printed_programs
from neurocuda.ir.files import write_all
from neurocuda.testing_loihi import RandomLoihiNetwork, random_loihi_network

Array = NDArray[Any]

ROOT = Path(__file__).resolve().parents[3]
LAVA = ROOT / ".venv-lava" / "bin" / "python"
RUNNER = Path(__file__).resolve().parent / "lava" / "run_programs.py"

NETWORKS = 20
"""How many networks one process runs; it takes about 0.7 s for each."""

SLOW = [pytest.param(first, marks=pytest.mark.slow) for first in range(NETWORKS, 16 * NETWORKS, NETWORKS)]


@pytest.mark.skipif(not LAVA.exists(), reason="Lava is not set up: run `make lava`")
@pytest.mark.parametrize("first", [0, *SLOW])
def test_every_spike_and_every_membrane_is_lavas(first: int, tmp_path: Path) -> None:
    networks = [random_loihi_network(seed) for seed in range(first, first + NETWORKS)]
    ours = [[output[0] for output in network.interpret()] for network in networks]
    firing = [spikes.any() for outputs in ours for spikes in outputs[::2]]
    assert sum(firing) > len(firing) / 2, "most groups say something, or little is tested"
    differing = [
        (first + place, name)
        for place, (mine, lavas) in enumerate(zip(ours, in_lava(networks, tmp_path), strict=True))
        for one, (name, other) in zip([*mine, *mine], lavas.items(), strict=True)
        if not np.array_equal(one, other[0])
    ]
    assert not differing, "(seed, what)"


def in_lava(networks: Sequence[RandomLoihiNetwork], folder: Path) -> Iterator[Mapping[str, Array]]:
    """What Lava makes of networks: spikes and membranes of every group as they are probed, and again as put out."""
    folders = [folder / str(place) for place in range(len(networks))]
    for place, network in zip(folders, networks, strict=True):
        (program,) = printed_programs(network.module, network.weights)
        write_all({place / name: content for name, content in program.files.items()})
        np.savez(place / "inputs.npz", **dict(zip(program.border.inputs, network.inputs, strict=True)))  # pyright: ignore
    environment = {**os.environ, "PYTHONPATH": str(folders[0])}
    done = subprocess.run(
        [LAVA, RUNNER, *folders], capture_output=True, text=True, timeout=300, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    for place in folders:
        with np.load(place / "outputs.npz") as outputs:
            yield outputs
