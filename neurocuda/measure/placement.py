"""Where a network lies on its chips: as lines, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from neurocuda.ir.chip import Chip, Figure
from neurocuda.ir.layout import CoreUse, Layout
from neurocuda.measure.words import amount, counted, percent, starred

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled
    from neurocuda.measure.report import Plain

CORES = "cores"
"""The limit that says how many cores a chip has."""

FULLEST = 8
"""So many cores are told one by one."""


@dataclass(frozen=True)
class LimitUse:
    """What the cores in use take of one limit per core.

    Attributes:
        name: the limit's, as in the chip's file.
        most: what a core has.
        fullest: what the core takes that takes most.
        total: what all cores take together.
        cores: how many cores are in use.
    """

    name: str
    most: Figure
    fullest: float
    total: float
    cores: int

    @property
    def mean_share(self) -> float:
        """The mean share over the cores in use, from 0 on; 1 is full."""
        return _share(self.total, self.most.value * self.cores)

    @property
    def fullest_share(self) -> float:
        """The share that the fullest core takes, from 0 on; 1 is full."""
        return _share(self.fullest, self.most.value)


def _share(amount: float, most: float) -> float:
    return amount / most if most else 0.0


def layout_of(compiled: Compiled) -> Layout | None:
    """Which cores the network lies on; None where the target has none."""
    return compiled.backend.layout(compiled.levels[compiled.backend.level], compiled.weights, compiled.chip)


def chip_of(compiled: Compiled) -> Chip:
    """The chip that it was compiled for."""
    return compiled.backend.chip(compiled.chip)


def limits_per_core(chip: Chip) -> dict[str, Figure]:
    """What one core has, by the limits' names."""
    return {name: limit.figure for name, limit in chip.limits.items() if limit.per == "core"}


def limit_uses(layout: Layout) -> list[LimitUse]:
    """How much of every limit per core is taken, in the order of the chip's file."""
    found: list[LimitUse] = []
    for name, most in limits_per_core(layout.chip).items():
        taken = [core.uses.get(name, 0.0) for core in layout.cores]
        found.append(LimitUse(name, most, max(taken, default=0.0), sum(taken), len(taken)))
    return found


def fullest(layout: Layout) -> list[CoreUse]:
    """The cores that take most of any limit, the fullest first."""
    return sorted(layout.cores, key=lambda core: (-core.share(layout.chip), core.chip, core.core))[:FULLEST]


def chips_in_use(layout: Layout) -> dict[int, list[CoreUse]]:
    """The cores in use by the number of their chip."""
    found: dict[int, list[CoreUse]] = {}
    for core in layout.cores:
        found.setdefault(core.chip, []).append(core)
    return found


def cores_of(chip: Chip) -> int | None:
    """How many cores a chip has, where its file says."""
    limit = chip.limits.get(CORES)
    return int(limit.figure.value) if limit is not None and limit.per == "chip" else None


def summed_up(layout: Layout) -> str:
    """ "37 of 128 cores in use on 1 chip", and which is the fullest."""
    chips = len(chips_in_use(layout))
    each = cores_of(layout.chip)
    cores = counted(len(layout.cores), "core") if each is None else f"{len(layout.cores):,} of {each * chips:,} cores"
    told = f"{cores} in use on {counted(chips, 'chip')}"
    if not layout.cores:
        return told
    (core, *_) = fullest(layout)
    return f"{told}, the fullest to {percent(core.share(layout.chip))}: {named(core)}"


def named(core: CoreUse) -> str:
    """ "chip 0, core 5"."""
    return f"chip {core.chip}, core {core.core}"


def fullness(core: CoreUse, chip: Chip) -> str:
    """ "97 % of in_axons": the limit of which a core takes most."""
    limits = limits_per_core(chip)
    if not limits:
        return percent(0.0)
    name = max(limits, key=lambda name: _share(core.uses.get(name, 0.0), limits[name].value))
    return f"{percent(core.share(chip))} of {name}"


def against_limit(core: CoreUse, name: str, most: Figure) -> str:
    """ "neurons: 512 of 8,192 neuron (assumed*), 6.25 %"."""
    used = core.uses.get(name, 0.0)
    share = percent(_share(used, most.value))
    return f"{name}: {amount(used)} of {amount(most.value)} {most.unit} ({starred(most.kind)}), {share}"


def told_layout(compiled: Compiled) -> Iterator[str]:
    """Chips, cores in use, how full each limit is, and the fullest cores."""
    layout = layout_of(compiled)
    if layout is None:
        return
    yield f"where it lies: {summed_up(layout)}"
    for use in limit_uses(layout):
        most = f"{amount(use.most.value)} {use.most.unit} in the fullest core"
        shares = f"{percent(use.fullest_share)} of {most}, {percent(use.mean_share)} on average"
        yield f"{use.name}: {shares}, {amount(use.total)} in all ({starred(use.most.kind)}: {use.most.source})"
    for core in fullest(layout):
        yield f"{named(core)}, {fullness(core, layout.chip)}: {'; '.join(core.parts)}"


def constants_of_chip(compiled: Compiled) -> dict[str, Figure]:
    """What estimates rest on: energies, and whatever else the chip's file says."""
    chip = chip_of(compiled)
    return {**chip.energies, **chip.constants}


def told_constants(compiled: Compiled) -> Iterator[str]:
    """The constants that estimates rest on, each with its source."""
    constants = constants_of_chip(compiled)
    if constants:
        yield f"estimates rest on these constants of {compiled.chip}:"
    for name, figure in constants.items():
        yield f"{name}: {amount(figure.value)} {figure.unit} ({starred(figure.kind)}: {figure.source})"


def chip_figures(compiled: Compiled) -> dict[str, Plain]:
    """What the chip's file says of it, and what estimates rest on, as plain values."""
    chip = chip_of(compiled)
    constants = {name: asdict(figure) for name, figure in constants_of_chip(compiled).items()}
    return {"name": chip.name, "summary": chip.summary, "constants": constants}


def layout_figures(compiled: Compiled) -> Mapping[str, Plain] | None:
    """Every core in use with what it takes, as plain values; None where the target has no cores."""
    layout = layout_of(compiled)
    if layout is None:
        return None
    cores: Sequence[Plain] = [
        {
            "chip": core.chip,
            "core": core.core,
            "share": core.share(layout.chip),
            "uses": dict(core.uses),
            "parts": list(core.parts),
        }
        for core in layout.cores
    ]
    return {
        "chips": len(chips_in_use(layout)),
        "cores per chip": cores_of(layout.chip),
        "limits": {name: asdict(figure) for name, figure in limits_per_core(layout.chip).items()},
        "cores": cores,
    }
