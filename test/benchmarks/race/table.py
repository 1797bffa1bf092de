"""Outcomes as a page of Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from case import Outcome
from contestants import PEERS, SOURCES, TORCH
from ours import DIRECT
from timing import Spread

Column: TypeAlias = "Callable[[Mapping[str, Spread]], str]"
"""From everyone's times over ours to a cell."""

WORTH_TELLING = 1.2
"""How much slower a call from Python has to be for the direct one to be told, too."""

SHORT: Mapping[str, str] = {
    "PyTorch steps": "PyTorch, steps",
    "PyTorch folded": "PyTorch, folded",
    "PyTorch steps, compiled": "PyTorch, steps, compiled",
    "PyTorch folded, compiled": "PyTorch, folded, compiled",
    "source in PyTorch": "ANN PyTorch",
    "source in onnxruntime": "ANN onnxruntime fp32",
    "source in onnxruntime, int8": "ANN onnxruntime int8",
}
BEST = "best PyTorch path"

HEAD = """# Spiking networks on a CPU

How many times as long as ours everyone takes for the same images: above 1, ours is faster. `make race` wrote this page,
from what these commands measured:

{commands}

* machine: {machine}
* versions: {versions}

## How to read it

Everyone runs in one process, in rounds that take turns. Every ratio is of one round: told are the median over the
rounds and, in brackets, the 10th and the 90th percentile. One thread is timed by what the calling thread was on a
processor. "load" is how many processes wanted the machine's processors meanwhile; where that is more than there are,
milliseconds are too long, and so are the ratios to PyTorch and what stands on it, which suffers more from neighbours;
those to onnxruntime hardly move. Two threads are timed by the clock on the wall, which says something on a quiet
machine only: threads that wait for each other by spinning take a multiple where neighbours have the processor. Everyone
is called from Python with arrays that are ready, on another image every time; "called directly" is our machine code
alone, as C calls it.

Logits are compared in the same run. Spiking networks are built from the same integers everywhere and have to give the
same integers, all of them; who answers otherwise is not in a table but listed at the end.

* **events** runs all T time steps: a constant current as input, integrate-and-fire neurons that reset by subtraction.
  The libraries and PyTorch run just that: SpikingJelly in multi-step mode, snnTorch step by step, sinabs layer by
  layer, plain PyTorch step by step, or with time folded into the batch ("folded"); the best of its paths is told, and
  what torch.compile makes of them is among these only where the last table has it.
* **counts** is a network of the same layers whose counts are computed at once, compared with float64 of its own; it is
  not the libraries' network spike by spike, who still take T steps.
* **ANN** is the float network that the spiking one came from, or could have come from: the same layers, ReLU for
  neurons. int8 is QDQ, activations u8, weights s8 per channel.

Synthetic networks have random int8 weights, and thresholds at which every layer sends "firing" spikes per neuron and
step on random images. Trained ones are CIFAR-10 networks on test images, with one threshold per layer, since the
libraries know nothing finer.
"""

STREAMING = """## Streaming

Pushes into a session that keeps its state (`compiled.stream()`), measured by `python test/benchmarks/streaming.py`:

```
{text}
```
"""


def document(outcomes: Sequence[Outcome], versions: Mapping[str, str], streaming: str = "") -> str:
    """The whole page; `streaming` is what that benchmark printed."""
    outcomes = sorted(outcomes, key=lambda outcome: outcome.case.order)
    told = ", ".join(f"{name} {number}" for name, number in {"Python": platform.python_version(), **versions}.items())
    commands = "\n".join(f"    {command}" for command in dict.fromkeys(outcome.command for outcome in outcomes))
    parts = [HEAD.format(commands=commands, machine=machine(), versions=told)]
    for threads in sorted({outcome.case.threads for outcome in outcomes}):
        chosen = [outcome for outcome in outcomes if outcome.case.threads == threads]
        parts += [f"## {'One thread' if threads == 1 else f'{threads} threads'}\n", _lines(_short_table(chosen))]
    if streaming:
        parts.append(STREAMING.format(text=streaming.strip()))
    parts += ["## Everyone\n", _lines(_long_table(outcomes))]
    missing = list(_missing(outcomes))
    if missing:
        parts += ["## Who is missing\n", _lines(missing)]
    return "\n".join(parts)


def _lines(lines: Iterator[str] | Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _short_table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """SpikingJelly, the best of the PyTorch paths and the source networks."""
    columns: dict[str, Column] = {"SpikingJelly": _cell("SpikingJelly"), BEST: _best}
    return _table(outcomes, columns | {SHORT[name]: _cell(name) for name in SOURCES}, when=False)


def _long_table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Everyone, and when it was."""
    peers = [name for name in PEERS if any(name in outcome.seconds for outcome in outcomes)]
    return _table(outcomes, {SHORT.get(name, name): _cell(name) for name in peers}, when=True)


def _table(outcomes: Sequence[Outcome], columns: Mapping[str, Column], *, when: bool) -> Iterator[str]:
    heads = ["network", "T", "batch", *(["threads"] if when else []), "firing", "ours", "ms", *columns]
    heads += ["rounds", "load", "date", "commit"] if when else []
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for outcome in outcomes:
        for mode, ratios in told_modes(outcome):
            cells = [*_first_cells(outcome, when), mode, _milliseconds(outcome.seconds[mode])]
            cells += [column(ratios) for column in columns.values()]
            cells += [str(outcome.rounds), str(outcome.load), outcome.date, outcome.commit] if when else []
            yield f"| {' | '.join(cells)} |"


def _first_cells(outcome: Outcome, when: bool) -> list[str]:
    case = outcome.case
    name = f"{case.network}{', trained' if case.rate is None else ''}"
    firing = "" if outcome.rate is None else f"{100 * outcome.rate:.0f} %"
    return [name, str(case.steps), str(case.batch), *([str(case.threads)] if when else []), firing]


def told_modes(outcome: Outcome) -> Iterator[tuple[str, Mapping[str, Spread]]]:
    """The modes of ours and the ratios to them; calling directly only where it is another thing."""
    for mode, ratios in outcome.ratios.items():
        way = mode.removesuffix(DIRECT)
        if way == mode or way not in outcome.ratios or outcome.ratios[mode][way].median > WORTH_TELLING:
            yield mode, ratios


def _cell(name: str) -> Column:
    return lambda ratios: _ratio(ratios[name]) if name in ratios else "–"


def _best(ratios: Mapping[str, Spread]) -> str:
    """The quickest of the PyTorch paths."""
    there = [name for name in TORCH if name in ratios]
    if not there:
        return "–"
    best = min(there, key=lambda name: ratios[name].median)
    return f"{_ratio(ratios[best])} {best.removeprefix('PyTorch ')}"


def _ratio(spread: Spread) -> str:
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
        others = f" and {len(cases) - 1} more" if len(cases) > 1 else ""
        yield f"* {name}: {why} ({cases[0]}{others})"


def machine() -> str:
    """The processor, and how much of it there is."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    values = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = [flag for flag in ("avx2", "avx512_vnni", "avx512_vbmi2") if flag in values.get("flags", "").split()]
    model = values.get("model name", platform.processor())
    family = f", family {values['cpu family']} model {values['model']}" if "cpu family" in values else ""
    system = f"{platform.system()} {platform.release()}"
    return f"{model}{family} ({', '.join(flags)}), {os.cpu_count()} processors, {system}"
