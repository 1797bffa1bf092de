"""Tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from neurocuda.measure.analysis import Part
from neurocuda.measure.layers import Layer
from neurocuda.measure.page.markup import Markup, tag
from neurocuda.measure.placement import constants_of_chip, fullest, fullness, limit_uses, named
from neurocuda.measure.report import readings_of
from neurocuda.measure.words import amount, percent, starred

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled
    from neurocuda.ir.layout import Layout

WORDS = frozenset({"mainly", "from", "unit", "kind"})
"""Columns that hold words, which stand at the left."""

PROSE = frozenset({"value", "source", "what lies there"})
"""Columns of words that may take several lines."""


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """A table whose first column names the rows."""
    kinds = ["words prose" if name in PROSE else "words" if name in WORDS else None for name in head]
    first = tag("tr", (tag("th", name, scope="col", class_=kind) for name, kind in zip(head, kinds, strict=True)))
    body = (tag("tr", tag("th", row[0], scope="row"), map(_cell, row[1:], kinds[1:])) for row in rows)
    return tag("div", tag("table", tag("caption", caption), tag("thead", first), tag("tbody", body)), class_="table")


def _cell(content: str, kind: str | None) -> Markup:
    return tag("td", content, class_=kind)


def layer_table(layers: Sequence[Layer]) -> Markup:
    """What is known without images; layers without levels are outputs."""
    head = ("layer", "neurons", "T", "synapses", "MACs", "from")
    rows = (
        (
            layer.name,
            f"{layer.neurons:,}" if layer.levels else "output",
            str(layer.levels or ""),
            str(layer.synapses),
            f"{layer.operations:,}",
            layer.where,
        )
        for layer in layers
    )
    return table("Layers of neurons and outputs, in order", head, rows)


def part_table(parts: Sequence[Part]) -> Markup:
    """What was measured on images."""
    head = ("layer", "from", "neurons", "T", "one count", "bias", "quantised", "spiking", "mainly", "lost", "clipped",
            "dead", "spikes", "off", "SynOps", "MACs")  # fmt: skip
    caption = "Inputs, layers of neurons and outputs, in order; errors relative to the mean square of the float values"
    return table(caption, head, map(_row, parts))


def _row(part: Part) -> Sequence[str]:
    errors, firing, operations = part.errors, part.firing, part.operations
    low, high = part.scale
    scale = f"{low:.2g}" if low == high else f"{low:.2g} … {high:.2g}"
    sent = ("", "", "") if firing is None else (
        f"{firing.dead} of {firing.channels}", f"{firing.spikes:.2f}", percent(firing.off)
    )  # fmt: skip
    work = ("", "") if operations is None else (
        short(operations.accumulations + operations.input_products), short(operations.dense)
    )  # fmt: skip
    return (
        part.name,
        part.where,
        f"{part.elements:,}",
        str(part.levels or ""),
        scale if high else "",
        f"{errors.bias:.2g}",
        percent(errors.relative(errors.quantized_error)),
        percent(errors.relative(errors.error)),
        errors.main_cause,
        str(errors.lost),
        percent(errors.clipped),
        *sent,
        *work,
    )


def short(value: float) -> str:
    """A large number with two digits: 1.2M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def cost_table(compiled: Compiled) -> Markup:
    """The target's cost model."""
    rows = (
        (reading.name, amount(reading.value), reading.unit, starred(reading.kind)) for reading in readings_of(compiled)
    )
    return table("What the target's cost model says", ("figure", "value", "unit", "kind"), rows)


def constants_table(compiled: Compiled) -> Markup:
    """What estimates rest on."""
    rows = (
        (name, amount(figure.value), figure.unit, starred(figure.kind), figure.source)
        for name, figure in constants_of_chip(compiled).items()
    )
    return table("Constants that estimates rest on", ("constant", "amount", "unit", "kind", "source"), rows)


def limits_table(layout: Layout) -> Markup:
    """How full the cores are, limit by limit."""
    head = ("limit per core", "amount", "unit", "fullest core", "on average", "in all", "kind", "source")
    rows = (
        (
            use.name,
            amount(use.most.value),
            use.most.unit,
            percent(use.fullest_share),
            percent(use.mean_share),
            amount(use.total),
            starred(use.most.kind),
            use.most.source,
        )
        for use in limit_uses(layout)
    )
    return table("Limits, and how full the cores in use are", head, rows)


def fullest_table(layout: Layout) -> Markup:
    """The cores that take most of any limit."""
    rows = ((named(core), fullness(core, layout.chip), "; ".join(core.parts)) for core in fullest(layout))
    return table("The fullest cores", ("core", "use", "what lies there"), rows)


def facts_table(compiled: Compiled) -> Markup:
    """What was found while compiling, evaluating and validating."""
    return table("What is known", ("fact", "value"), _facts(compiled))


def _facts(compiled: Compiled) -> Iterator[tuple[str, str]]:
    yield "levels", " → ".join(compiled.levels)
    yield "exactness", compiled.certificate().reason
    for what, evaluation in compiled.evaluations.items():
        yield f"accuracy, {what}", str(evaluation)
    if compiled.validation is not None:
        yield "validation", str(compiled.validation)
    for name, value in compiled.facts.items():
        yield name, f"{value:.4g}" if isinstance(value, float) else str(value)
