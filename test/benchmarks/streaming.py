"""Microseconds per push into a stream on this CPU, and what of it is the network; not part of the test suite.

python test/benchmarks/streaming.py                 # a small recurrent network, in floats and in integers
python test/benchmarks/streaming.py --hidden 256 --pushes 5000

A push is called as a user calls it, each kind into a session of its own; "the function" is the machine code alone,
called from Python with memory that is bound already. Calls take turns, so that all see the same load. At last one and
two threads push blocks of steps, each into its own session: the interpreter's lock is free while the network runs.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import nir
import numpy as np
from numpy.typing import NDArray

import neurocuda as nc
from neurocuda.backends.cpu.native import aligned
from neurocuda.backends.cpu.run import CpuProgram
from neurocuda.compiled import Compiled
from neurocuda.dialects.cpu.semantics import buffer_dtype

INPUTS, OUTPUTS, BLOCK = 12, 7, 1000
Call = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=38, help="neurons that hear each other")
    parser.add_argument("--pushes", type=int, default=20000, help="calls of each kind")
    options = parser.parse_args()

    with TemporaryDirectory() as folder:
        path = recurrent_network(Path(folder), options.hidden)
        for conversion in (nc.Conversion(), nc.Conversion(weight_bits=8)):
            network = nc.compile(path, target="cpu", nir=nc.NirOptions(dt=1e-3), conversion=conversion)
            report(network, options.pushes)


def recurrent_network(folder: Path, hidden: int) -> Path:
    """Leaky neurons with currents that hear each other one step later, and a layer that reads them."""
    random = np.random.default_rng(0)

    def neurons(size: int) -> nir.CubaLIF:
        value = {"tau_mem": 0.02, "tau_syn": 0.005, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
        return nir.CubaLIF(**{name: np.full(size, each) for name, each in value.items()})

    nodes = {
        "input": nir.Input(input_type={"input": np.array([INPUTS])}),
        "in": nir.Affine(weight=random.normal(0, 1, (hidden, INPUTS)), bias=np.zeros(hidden)),
        "hidden": neurons(hidden),
        "back": nir.Linear(weight=random.normal(0, hidden**-0.5, (hidden, hidden))),
        "out": nir.Affine(weight=random.normal(0, 1, (OUTPUTS, hidden)), bias=np.zeros(OUTPUTS)),
        "last": neurons(OUTPUTS),
        "output": nir.Output(output_type={"output": np.array([OUTPUTS])}),
    }
    edges = ["input in", "in hidden", "hidden back", "back hidden", "hidden out", "out last", "last output"]
    path = folder / "recurrent.nir"
    nir.write(path, nir.NIRGraph(nodes, [(edge.split()[0], edge.split()[1]) for edge in edges]))
    return path


def report(network: Compiled, pushes: int) -> None:
    random = np.random.default_rng(1)
    steps = (random.random((BLOCK, INPUTS)) < 0.3).astype(np.float32)
    frame, octets, rows = steps[0], steps[0].astype(np.uint8), np.argwhere(steps[:1])
    one, two, three, four = (network.stream() for _ in range(4))
    calls: dict[str, Call] = {
        "the function": function_alone(network),
        "push of floats": lambda: one.push(frame),
        "push of bytes": lambda: two.push(octets),
        f"push_events of {len(rows)}": lambda: three.push_events(rows, steps=1),
        "push of 10 steps": lambda: four.push(steps[:10]),
    }
    kind = "integers" if network.conversion.weight_bits else "floats"
    cpu = f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}"
    print(f"{network.neurons} neurons in {kind}; {network.run(steps[None]).provenance}; {cpu}")
    print(f"  {'us per call':20} {'median':>8} {'10 %':>8} {'90 %':>8}")
    for name, times in interleaved(calls, pushes).items():
        low, median, high = 1e6 * np.percentile(times, [10, 50, 90])
        print(f"  {name:20} {median:8.2f} {low:8.2f} {high:8.2f}")
    print(f"  two threads push {in_threads(network, steps):.2f} times as many steps as one, in blocks of {BLOCK}")


def function_alone(network: Compiled) -> Call:
    """The machine code for one step somewhere in the middle of a stream."""
    assert isinstance(network.program, CpuProgram)
    (native,) = network.program.natives.values()
    specs = (*native.interface.inputs, *native.interface.outputs)
    arrays = [np.zeros((1, *spec.shape), buffer_dtype(spec.element)) for spec in specs]
    call = native.bound(aligned(native.interface.state_bytes), arrays)
    call(0, 1)
    return lambda: call(5, 1)


def interleaved(calls: dict[str, Call], rounds: int) -> dict[str, NDArray[np.float64]]:
    """Seconds that each call took in every round."""
    times = {name: np.zeros(rounds) for name in calls}
    for turn in range(rounds):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name][turn] = time.perf_counter() - started
    return times


def in_threads(network: Compiled, steps: NDArray[np.float32], blocks: int = 200) -> float:
    """How much more two threads get done than one, in the best of five rounds."""

    def push(session: nc.Session) -> None:
        for _ in range(blocks):
            session.push(steps)

    ratios: list[float] = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            started = time.perf_counter()
            push(network.stream())
            alone = time.perf_counter() - started
            started = time.perf_counter()
            list(pool.map(push, [network.stream(), network.stream()]))
            ratios.append(2 * alone / (time.perf_counter() - started))
    return max(ratios)


if __name__ == "__main__":
    main()
