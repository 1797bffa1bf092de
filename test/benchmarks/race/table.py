"""Outcomes as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from case import Outcome
from contestants import PEERS
from ours import DIRECT
from timing import Spread

WORTH_TELLING = 1.05
"""How much slower a call from Python has to be for the direct one to be told, too."""

SHORT: Mapping[str, str] = {
    "PyTorch steps": "torch, steps",
    "PyTorch folded": "torch, folded",
    "PyTorch steps, compiled": "torch, steps, compiled",
    "PyTorch folded, compiled": "torch, folded, compiled",
    "source in PyTorch": "ANN torch",
    "source in onnxruntime": "ANN onnxruntime fp32",
    "source in onnxruntime, int8": "ANN onnxruntime int8",
}
HEAD = """# A CPU running spiking networks

Written by `make race`, from what these commands measured:

{commands}

How many times as long as ours everyone takes for the same images: above 1, ours is faster. All run in one process, in
rounds that take turns; every ratio is of one round, told as the median over the rounds, with the 10th and the 90th
percentile. One thread: seconds of the calling thread on a processor. Two threads: seconds on the wall. Logits are
compared in the same run: of the spiking networks all integers have to be equal, and nobody who answers otherwise is
listed. The source network ("ANN") is the float network with the same layers, ReLU for neurons; int8 is QDQ with u8
activations and s8 weights per channel.

Everyone is called from Python, with arrays ready, on another image every time; "called directly" is our machine code
alone, as C calls it.

Mode `events` runs all T time steps; mode `counts` is the same layers said at once, where libraries still take T steps.
Synthetic networks have random int8 weights and thresholds at which every layer sends so many spikes per neuron and step
("firing"), and a constant current as input; trained ones are CIFAR-10 networks on test images.

* machine: {machine}
* versions: {versions}
"""


def document(outcomes: Sequence[Outcome], versions: Mapping[str, str]) -> str:
    """The whole page."""
    told = ", ".join(f"{name} {number}" for name, number in {"Python": platform.python_version(), **versions}.items())
    commands = "\n".join(f"    {command}" for command in dict.fromkeys(outcome.command for outcome in outcomes))
    parts = [HEAD.format(commands=commands, machine=machine(), versions=told)]
    for threads in sorted({outcome.case.threads for outcome in outcomes}):
        chosen = [outcome for outcome in outcomes if outcome.case.threads == threads]
        parts.append(f"## {'One thread' if threads == 1 else f'{threads} threads'}\n")
        parts.append("\n".join(_table(chosen)) + "\n")
    missing = list(_missing(outcomes))
    if missing:
        parts.append("## What is missing\n")
        parts.append("\n".join(missing) + "\n")
    return "\n".join(parts)


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    peers = [name for name in PEERS if any(name in outcome.seconds for outcome in outcomes)]
    heads = ["network", "T", "batch", "firing", "ours", "ms", *(SHORT.get(name, name) for name in peers)]
    heads += ["rounds", "load", "date", "commit"]
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for outcome in outcomes:
        for mode, ratios in told_modes(outcome):
            case = outcome.case
            name = f"{case.network}{', trained' if case.rate is None else ''}"
            firing = "" if outcome.rate is None else f"{100 * outcome.rate:.1f} %"
            cells = [name, str(case.steps), str(case.batch), firing, mode, _milliseconds(outcome.seconds[mode])]
            cells += [_ratio(ratios.get(peer)) for peer in peers]
            yield f"| {' | '.join([*cells, str(outcome.rounds), str(outcome.load), outcome.date, outcome.commit])} |"


def told_modes(outcome: Outcome) -> Iterator[tuple[str, Mapping[str, Spread]]]:
    """The modes of ours and the ratios to them; calling directly only where it is another thing."""
    for mode, ratios in outcome.ratios.items():
        way = mode.removesuffix(DIRECT)
        if way == mode or way not in outcome.ratios or outcome.ratios[mode][way].median > WORTH_TELLING:
            yield mode, ratios


def _ratio(spread: Spread | None) -> str:
    if spread is None:
        return "–"
    return f"**{_short(spread.median)}** ({_short(spread.low)}–{_short(spread.high)})"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.1f}" if number >= 10 else f"{number:.2f}"


def _milliseconds(spread: Spread) -> str:
    median, smallest = 1e3 * spread.median, 1e3 * spread.smallest
    return f"{median:.3g} (least {smallest:.3g})"


def _missing(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Who is missing where, and why, once per reason."""
    where: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        for name, why in outcome.left_out.items():
            where.setdefault((name, why), []).append(outcome.case.key)
    for (name, why), cases in where.items():
        told = why.partition("\n")[0]
        yield f"* {name}: {told} ({cases[0]}{f' and {len(cases) - 1} more' if len(cases) > 1 else ''})"


def machine() -> str:
    """The processor, and how much of it there is."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    values = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = [flag for flag in ("avx2", "avx512_vnni", "avx512_vbmi2") if flag in values.get("flags", "").split()]
    model = values.get("model name", platform.processor())
    family = f", family {values['cpu family']} model {values['model']}" if "cpu family" in values else ""
    system = f"{platform.system()} {platform.release()}"
    return f"{model}{family} ({', '.join(flags)}), {os.cpu_count()} processors, {system}"
