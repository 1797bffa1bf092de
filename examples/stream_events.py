"""Follows an event camera: events go into a spiking network millisecond by millisecond, and spikes come out.

    python examples/stream_events.py [DATA] [--recordings 100] [--target cpu] [--weight-bits 8]

DATA is a folder with nir/nmnist_cnn.nir, a network for N-MNIST, and events/nmnist_small.npz, its recordings: column,
row, polarity, and time in microseconds of every event. By default $NEUROCUDA_DATA. Where there is none, events and a
network of leaky neurons are drawn at random, to show how it goes.

A camera's driver hands over what happened since it was last asked. Here that is a millisecond, the network's time step.
What the session says in all is compared with a run of the whole recording.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import nir
import numpy as np
from numpy.typing import NDArray

import neurocuda as nc
from neurocuda.measure.accuracy import Accuracy

SHAPE = (2, 34, 34)
"""Polarity, row, column."""
STEPS, STEP = 300, 1000
"""Time steps per recording; microseconds per time step."""


@dataclass(frozen=True)
class Recording:
    """What a camera saw: one row per event, (microseconds, polarity, row, column), in the order of time; the digit."""

    events: NDArray[np.int64]
    label: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="?", default=Path(os.environ.get("NEUROCUDA_DATA", "../shared/data")))
    parser.add_argument("--recordings", type=int, default=100, help="how many to follow")
    parser.add_argument("--target", default="cpu", help="where the network runs")
    parser.add_argument("--weight-bits", type=int, help="makes integers of the network's floats")
    arguments = parser.parse_args()

    conversion = nc.Conversion(weight_bits=arguments.weight_bits)
    file, recorded = arguments.data / "nir" / "nmnist_cnn.nir", arguments.data / "events" / "nmnist_small.npz"
    if file.exists() and recorded.exists():
        network = nc.compile(file, target=arguments.target, conversion=conversion)
        recordings = from_file(recorded)
    else:
        print(f"{arguments.data} has no N-MNIST: random events, a random network")
        with TemporaryDirectory() as folder:
            file = random_network(Path(folder))
            network = nc.compile(file, target=arguments.target, conversion=conversion, nir=nc.NirOptions(dt=1e-3))
        recordings = at_random()

    correct, seen, differing, times = 0, 0, 0, list[float]()
    with network.stream() as session:
        for recording in recordings:
            if seen == arguments.recordings:
                break
            session.reset()
            spikes = follow(session, recording, times)
            correct += int(spikes.sum(axis=0).argmax() == recording.label)
            differing += int((network.run(frames(recording)[None]).outputs != spikes).sum())
            seen += 1
    low, median, high = 1e6 * np.percentile(times, [10, 50, 90])
    print(f"{Accuracy(correct, seen)}, {differing} output spikes differ from those of whole recordings")
    print(f"{median:.1f} us (10 % to 90 %: {low:.1f} to {high:.1f}) per millisecond of events")


def follow(session: nc.Session, recording: Recording, times: list[float]) -> NDArray[np.float32]:
    """The output's spikes at every step; notes what each of them took, in seconds."""
    spikes: list[NDArray[np.float32]] = []
    for events in by_step(recording):
        started = perf_counter()
        now = session.push_events(events, steps=1)
        times.append(perf_counter() - started)
        assert not isinstance(now, tuple)
        spikes.append(now)
    return np.concatenate(spikes)


def by_step(recording: Recording) -> Iterator[NDArray[np.int64]]:
    """What the camera hands over every millisecond, as a session takes it: the step, 0 of 1, then the pixel."""
    borders = np.searchsorted(recording.events[:, 0], STEP * np.arange(STEPS + 1))
    for start, stop in pairwise(borders):
        rows = recording.events[start:stop].copy()
        rows[:, 0] = 0
        yield rows


def frames(recording: Recording) -> NDArray[np.float32]:
    """How many events every pixel had at every step: (steps, 2, 34, 34)."""
    counts = np.zeros((STEPS, *SHAPE), np.float32)
    steps = recording.events[:, 0] // STEP
    inside = steps < STEPS
    np.add.at(counts, (steps[inside], *recording.events[inside, 1:].T), 1)
    return counts


def from_file(path: Path) -> Iterator[Recording]:
    """The test recordings of an .npz file, see examples/train_nmnist.py."""
    with np.load(path) as arrays:
        offsets, pixels, times, labels = (arrays[f"test_{name}"] for name in ("off", "xyp", "t_us", "y"))
    for start, stop, label in zip(offsets[:-1], offsets[1:], labels, strict=True):
        time, (x, y, polarity) = times[start:stop].astype(np.int64), pixels[start:stop].astype(np.int64).T
        yield Recording(np.stack([time - time[0], polarity, y, x], axis=1), int(label))


def at_random() -> Iterator[Recording]:
    """Blinking pixels: their digit means nothing."""
    random = np.random.default_rng(0)
    while True:
        time = np.sort(random.integers(0, STEPS * STEP, 5000))
        pixels = [random.integers(0, size, len(time)) for size in SHAPE]
        yield Recording(np.stack([time, *pixels], axis=1), int(random.integers(10)))


def random_network(folder: Path) -> Path:
    """A layer of leaky neurons that hears all pixels, as a .nir file in a folder."""
    random, ones = np.random.default_rng(0), np.ones(10)
    weight = random.normal(0, 0.5, (10, int(np.prod(SHAPE))))
    graph = nir.NIRGraph.from_list(
        nir.Input(input_type={"input": np.array(SHAPE)}),
        nir.Flatten(input_type={"input": np.array(SHAPE)}, start_dim=0),
        nir.Affine(weight=weight, bias=np.zeros(10)),
        nir.LIF(tau=0.01 * ones, r=10 * ones, v_leak=0 * ones, v_threshold=ones, v_reset=0 * ones),
    )
    nir.write(folder / "random.nir", graph)
    return folder / "random.nir"


if __name__ == "__main__":
    main()
