"""Spiking networks on this CPU: ours beside the spiking libraries, plain PyTorch and the networks they came from.

    make race                        # everything, for docs/cpu-benchmarks.md: hours
    make race RACE="--quick"         # a few minutes
    .venv-peers/bin/python test/benchmarks/race --networks resnet18 --steps 8 --batch 1 --threads 1 --rounds 15 \\
        --peers "SpikingJelly;source in onnxruntime"

Prints a page of tables, or writes it with `--page`. With `--json` outcomes are also kept in a file that may hold those
of other cases, and the page is of all of them.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from itertools import product
from pathlib import Path

from architectures import ARCHITECTURES  # beside this file
from case import Case, Outcome, race
from contestants import PEERS, SLOW_TO_BUILD, versions
from rich.console import Console
from rich.status import Status
from table import document, told_modes
from workloads import MOST_IMAGES, TRAINED, Workload, synthetic_workload, trained_workload

NETWORKS = (*ARCHITECTURES, *(f"{name}:trained" for name in TRAINED))


def main() -> None:
    arguments = parsed()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)  # of others
    outcomes = loaded(arguments.json)
    chosen = list(cases(arguments))
    with Console(stderr=True).status("") as status:
        for number, case in enumerate(chosen, 1):
            tell = partial(progress, status, f"{number} of {len(chosen)}: {case.key}")
            tell("building ours", 0, arguments.rounds)
            workload = workload_of(case.network, case.steps, case.rate, arguments.target)
            outcome = race(case, workload, arguments.peers, arguments.rounds, arguments.seconds, tell)
            outcomes[case.key] = outcome
            status.console.print(summary(outcome), highlight=False)
            save(arguments.json, outcomes)
    if arguments.page is None:
        print(document(list(outcomes.values()), versions()))
    else:
        arguments.page.write_text(document(list(outcomes.values()), versions(), streaming()))


def streaming() -> str:
    """What the benchmark of streams says."""
    command = [sys.executable, str(Path(__file__).parents[1] / "streaming.py")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="race", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--networks", type=words, default=NETWORKS, help=f"none for an empty text (default: {','.join(NETWORKS)})")
    add("--steps", type=numbers, default=(4, 8, 15, 32))
    add("--batch", type=numbers, default=(1, 32))
    add("--threads", type=numbers, default=(1, 2))
    add("--rates", type=rates, default=(0.1,), help="spikes per neuron and step of synthetic networks (default: 0.1)")
    add("--peers", type=peers, default=PEERS, help=f"separated by semicolons: {'; '.join(PEERS)}")
    add("--rounds", type=int, default=11)
    add("--seconds", type=float, default=60, help="of timing for a case; three rounds in any case (default: 60)")
    add("--target", default="cpu", help="what ours is compiled for (default: cpu)")
    add("--quick", action="store_true", help="8 steps, batch 1, one thread, nothing compiled by PyTorch")
    add("--json", type=Path, help="a file that keeps outcomes")
    add("--page", type=Path, help="a file for the page")
    arguments = parser.parse_args()
    if max(arguments.batch) > MOST_IMAGES:
        parser.error(f"argument --batch: there are {MOST_IMAGES} images")
    if arguments.quick:
        arguments.steps, arguments.batch, arguments.threads = (8,), (1,), (1,)
        arguments.peers = tuple(name for name in arguments.peers if name not in SLOW_TO_BUILD)
    return arguments


def words(text: str) -> tuple[str, ...]:
    """Names of networks.

    Raises:
        argparse.ArgumentTypeError: one is unknown.
    """
    return _known(tuple(name for name in text.split(",") if name), NETWORKS)


def peers(text: str) -> tuple[str, ...]:
    """Names of contestants; none for an empty text.

    Raises:
        argparse.ArgumentTypeError: one is unknown.
    """
    return _known(tuple(name.strip() for name in text.split(";") if name.strip()), PEERS)


def _known(names: tuple[str, ...], all_names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in all_names]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(all_names)}")
    return names


def numbers(text: str) -> tuple[int, ...]:
    """Numbers, separated by commas."""
    return tuple(map(int, text.split(",")))


def rates(text: str) -> tuple[float, ...]:
    """Rates, separated by commas."""
    return tuple(map(float, text.split(",")))


def cases(arguments: argparse.Namespace) -> Iterator[Case]:
    """All cases, those with the same integers behind each other."""
    for network, steps in product(arguments.networks, arguments.steps):
        name, _, trained = network.partition(":")
        for rate in (None,) if trained else arguments.rates:
            for batch, threads in product(arguments.batch, arguments.threads):
                yield Case(name, steps, batch, threads, rate)


@lru_cache(maxsize=1)
def workload_of(network: str, steps: int, rate: float | None, target: str) -> Workload:
    """The networks and images of a case."""
    if rate is None:
        return trained_workload(network, steps, target)
    return synthetic_workload(network, steps, rate, target)


def progress(status: Status, case: str, what: str, done: int, rounds: int) -> None:
    """Shows what happens."""
    status.update(f"{case}: {what}, {done} of {rounds} rounds")


def summary(outcome: Outcome) -> str:
    """Some lines about a case."""
    lines = [f"{outcome.case.key}: {outcome.rounds} rounds, load {outcome.load}"]
    for mode, ratios in told_modes(outcome):
        told = ", ".join(f"{name} {spread.median:.2f}" for name, spread in ratios.items() if name in PEERS)
        lines.append(f"  {mode} {1e3 * outcome.seconds[mode].median:.4g} ms; {told}")
    lines += [f"  without {name}: {why.partition(chr(10))[0]}" for name, why in outcome.left_out.items()]
    return "\n".join(lines)


def loaded(path: Path | None) -> dict[str, Outcome]:
    """The outcomes in a file, by case."""
    if path is None or not path.is_file():
        return {}
    kept: Mapping[str, object] = json.loads(path.read_text())
    return {key: Outcome.of(found) for key, found in kept.items()}  # pyright: ignore[reportArgumentType]


def save(path: Path | None, outcomes: Mapping[str, Outcome]) -> None:
    """Writes the outcomes."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({key: outcome.as_json() for key, outcome in outcomes.items()}, indent=1))


if __name__ == "__main__":
    main()
