"""The cores of every chip as a grid, each as dark as it is full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, isqrt

from neurocuda.ir.chip import Chip
from neurocuda.ir.layout import CoreUse, Layout
from neurocuda.measure.page.drawing import WIDTH, picture, text
from neurocuda.measure.page.markup import Markup, tag
from neurocuda.measure.placement import against_limit, chips_in_use, cores_of, limits_per_core, named
from neurocuda.measure.words import percent

CELL = 26
BETWEEN = 3
TITLE = 24
GAP = 28
MARGIN = 6

MESH_COLUMNS = "mesh_columns"
"""The constant of a chip's file that says how many cores stand side by side."""

QUARTERS = 4

SHADES: Mapping[int, str] = {
    0: "not in use",
    1: "up to 25 %",
    2: "up to 50 %",
    3: "up to 75 %",
    4: "up to 100 %",
    5: "too full",
}
"""What the colours of cores mean, by the number in their CSS class."""


def core_map(layout: Layout) -> Markup:
    """One grid for every chip in use; where the chip's file has no number of cores, only those in use are drawn."""
    chips = chips_in_use(layout)
    most = cores_of(layout.chip) or max((core.core + 1 for core in layout.cores), default=0)
    columns = columns_of(layout.chip, most)
    width, height = columns * CELL + GAP, TITLE + ceil(most / columns) * CELL + GAP
    beside = max(1, (WIDTH - MARGIN + GAP) // width)

    def parts() -> Iterator[Markup]:
        for index, (number, cores) in enumerate(chips.items()):
            row, column = divmod(index, beside)
            yield from _chip(number, cores, layout.chip, most, MARGIN + column * width, row * height)

    described = "; ".join(_described(number, cores, layout.chip, most) for number, cores in chips.items())
    return picture("Cores by use", described or "no core is in use", ceil(len(chips) / beside) * height, parts())


def columns_of(chip: Chip, cores: int) -> int:
    """How many columns the grid of a chip has: what its file says, else full rows, at most twice as wide as high.

    128 cores are 8 rows of 16, 120 are 10 of 12, and 13 are 3 of 4 and one more.
    """
    if MESH_COLUMNS in chip.constants:
        return max(1, int(chip.constants[MESH_COLUMNS].value))
    least = isqrt(max(0, cores - 1)) + 1
    even = (columns for columns in range(least, isqrt(2 * cores) + 1) if cores % columns == 0)
    return next(even, least)


def shade_of(share: float) -> int:
    """The number of a core's colour, in quarters of the limit that is fullest."""
    return min(max(1, ceil(QUARTERS * share)), QUARTERS + 1)


def _described(number: int, cores: Sequence[CoreUse], chip: Chip, most: int) -> str:
    full = max(cores, key=lambda core: core.share(chip))
    share = percent(full.share(chip))
    return f"chip {number}: {len(cores)} of {most} cores in use, core {full.core} is the fullest, {share}"


def _chip(number: int, cores: Sequence[CoreUse], chip: Chip, most: int, left: int, top: int) -> Iterator[Markup]:
    columns = columns_of(chip, most)
    used = {core.core: core for core in cores}
    yield text(f"chip {number}: {len(cores)} of {most} cores", left, top + 16, class_="panel-title")
    for index in range(most):
        row, column = divmod(index, columns)
        x, y = left + column * CELL, top + TITLE + row * CELL
        told, shade = _told(index, used.get(index), chip)
        size = CELL - BETWEEN
        yield tag("rect", tag("title", told), x=x, y=y, width=size, height=size, rx=3, class_=f"fill-use-{shade}")


def _told(index: int, core: CoreUse | None, chip: Chip) -> tuple[str, int]:
    """What shows under the pointer, a line for each thing, and the number of the colour."""
    if core is None:
        return f"core {index}: not in use", 0
    share = core.share(chip)
    uses = (against_limit(core, name, most) for name, most in limits_per_core(chip).items())
    return "\n".join([f"{named(core)}: {percent(share)}", *core.parts, *uses]), shade_of(share)
