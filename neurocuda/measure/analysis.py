"""Where a spiking network's values and answers differ from the float network's: by layer and cause."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.layers import Operations
from neurocuda.measure.raster import Raster
from neurocuda.measure.report import Plain
from neurocuda.measure.words import percent

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled

CAUSES: Mapping[str, str] = {
    "inherited": "the float layer, given what the layers before it sent instead of what they mean",
    "weights": "weights, bias and threshold rounded to integers",
    "clipping": "what lies above T counts is cut off",
    "rounding": "what is left becomes a whole number of counts; of a table, a softmax or a layer norm, all at once",
    "timing": "spikes that came too late or should not have been sent: none for exact codes",
}
"""From a float activation to what was sent, in this order: each cause is the difference that one more step makes."""

FORMAT_VERSION = 1
"""Of the analysis as JSON; raised whenever an older reader would misread it."""


@dataclass(frozen=True)
class Change:
    """How far one cause moves the values of a layer.

    `bias` is the mean change and `square` the mean of its square, in the layer's own units; `share` is the part of the
    layer's error that it explains, E[change x error] / E[error²]: all shares add up to 1, and one that is negative says
    that the cause undoes others. `lost` are the images that it costs, `moved` what it adds to the mean square error of
    the network's first output; both when inputs and layers go from float to spiking one after the other, so they add up
    to what the network loses.
    """

    bias: float = 0.0
    square: float = 0.0
    share: float = 0.0
    lost: int = 0
    moved: float = 0.0


@dataclass(frozen=True)
class Errors:
    """How far the values of an input, a layer or an output are from those of the float network.

    Attributes:
        square: mean square of the float values; what errors are relative to.
        bias, error: mean, and mean square, of what was sent less the float value.
        quantized_bias, quantized_error: the same for the quantised network.
        clipped: share of values above the range that counts can say.
        causes: the error taken apart, by the names of `CAUSES`.
    """

    square: float
    bias: float
    error: float
    quantized_bias: float
    quantized_error: float
    clipped: float
    causes: Mapping[str, Change]

    @property
    def lost(self) -> int:
        """Images that all causes cost."""
        return sum(change.lost for change in self.causes.values())

    @property
    def main_cause(self) -> str:
        """The cause that explains most of the error; empty where there is no error."""
        return max(self.causes, key=lambda name: self.causes[name].share) if self.error else ""

    def relative(self, square: float) -> float:
        """A mean square as a share of that of the float values; NaN where those are all zero and it is not."""
        return square / self.square if self.square else (nan if square else 0.0)


@dataclass(frozen=True)
class Firing:
    """What the neurons of a layer sent.

    Attributes:
        spikes: per neuron and image.
        silent: share of neurons that sent nothing, per image.
        off: share of neurons that did not send the count of what they received: 0 for exact codes.
        channels, dead, dead_in_float: channels; those that sent nothing for any image; those that are silent in the
            float network.
    """

    spikes: float
    silent: float
    off: float
    channels: int
    dead: int
    dead_in_float: int


@dataclass(frozen=True)
class Part:
    """An input, a layer of neurons or an output of the network, compared with the float network on all images.

    Attributes:
        name, where: what it is called, and its line in the user's model.
        kind: "input", "neurons" or "output".
        elements: neurons, or values of an input or output.
        levels: the largest count, T; 0 for an output.
        scale: what one count stands for, the smallest and largest over channels.
        errors: how far its values moved, and why.
        firing: what it sent; None where nothing spikes.
        operations: synaptic operations of what it reads; None for an input.
    """

    name: str
    where: str
    kind: str
    elements: int
    levels: int
    scale: tuple[float, float]
    errors: Errors
    firing: Firing | None
    operations: Operations | None


@dataclass(frozen=True)
class AccuracyAt:
    """What the quantised network answers with another T, at the clip ranges of this one; `chosen` marks its own T."""

    timesteps: int
    accuracy: Accuracy
    chosen: bool


@dataclass(frozen=True)
class CodeAt:
    """What a code answers with some T, at the clip ranges of this network, and after how many steps from an image.

    Exact codes answer what the quantised network answers; "free" was run. Of code "signed" the steps are the most that
    it can take. `chosen` marks the network itself.
    """

    code: str
    timesteps: int
    steps: int
    accuracy: Accuracy
    chosen: bool


@dataclass(frozen=True)
class Analysis:
    """Where a spiking network differs from the float one, on some images. Prints as three tables.

    Attributes:
        compiled: the network.
        images: how many were looked at.
        labelled: whether right answers are those of labels; else they are the float network's own.
        provenance: what ran the spiking network.
        accuracy: right answers of the "float", "quantised" and "spiking" network.
        parts: inputs, layers and outputs, in order.
        by_timesteps: accuracy against T; empty where it cannot be computed, and `no_timesteps` says why.
        by_steps: accuracy against steps from an image to its answer, for every code of the target with these T.
        raster: the spikes of the first image, step by step.
    """

    compiled: Compiled = field(repr=False, compare=False)
    images: int
    labelled: bool
    provenance: str
    accuracy: Mapping[str, Accuracy]
    parts: tuple[Part, ...]
    raster: Raster
    by_timesteps: tuple[AccuracyAt, ...] = field(default=())
    by_steps: tuple[CodeAt, ...] = field(default=())
    no_timesteps: str = ""

    @property
    def lost(self) -> int:
        """Images that the float network answers rightly, less those that the spiking network does."""
        return self.accuracy["float"].correct - self.accuracy["spiking"].correct

    def lost_by_cause(self) -> dict[str, int]:
        """Images lost over all parts, by cause; they add up to `lost`."""
        return {name: sum(part.errors.causes[name].lost for part in self.parts) for name in CAUSES}

    def figures(self) -> dict[str, Plain]:
        """Everything that the text says, as plain values."""
        return {
            "format_version": FORMAT_VERSION,
            "name": self.compiled.name,
            "target": self.compiled.target,
            "images": self.images,
            "labelled": self.labelled,
            "provenance": self.provenance,
            "accuracy": {name: accuracy_figures(found) for name, found in self.accuracy.items()},
            "lost": self.lost,
            "lost_by_cause": self.lost_by_cause(),
            "parts": [_part_figures(part) for part in self.parts],
            "by_timesteps": [
                {"timesteps": at.timesteps, "chosen": at.chosen, **accuracy_figures(at.accuracy)}
                for at in self.by_timesteps
            ],
            "by_steps": [
                {"code": at.code, "timesteps": at.timesteps, "steps": at.steps, "chosen": at.chosen}
                | accuracy_figures(at.accuracy)
                for at in self.by_steps
            ],
            "no_timesteps": self.no_timesteps,
            "raster": asdict(self.raster),
        }

    def to_json(self) -> str:
        """The figures as JSON text."""
        return json.dumps(self.figures(), indent=2)

    def save_html(self, path: str | Path) -> None:
        """Writes one page with tables and plots that needs no network and no other file.

        Raises:
            WriteError: the file cannot be written; nothing half-written is left behind.
        """
        from neurocuda.measure.page.page import save_page

        save_page(Path(path), self.compiled, self)

    def __str__(self) -> str:
        sections = (self._summary(), self._errors(), self._activity(), self._steps())
        return "\n\n".join("\n".join(section) for section in sections)

    def _summary(self) -> Iterator[str]:
        right = "right answers" if self.labelled else "answers of the float network kept (no labels were given)"
        yield f"{self.compiled.name} for {self.compiled.target}: {right} on {self.images} images"
        for name, found in self.accuracy.items():
            yield f"{name:10} {found}{f', {self.provenance}' if name == 'spiking' else ''}"
        causes = ", ".join(f"{name} {lost:+d}" for name, lost in self.lost_by_cause().items() if lost)
        yield f"images lost: {self.lost}{f' ({causes})' if causes else ''}"

    def _errors(self) -> Iterator[str]:
        width = _width(self.parts)
        yield "mean square error in % of the layer's mean square; causes one by one, so they need not add up"
        causes = " ".join(f"{name:>9}" for name in CAUSES)
        head = f"{'layer':{width}} {'T':>4} {'bias':>10} {'quantised':>9} {'spiking':>8}"
        yield f"{head} {causes}  {'mainly':9} {'lost':>5}"
        for part in self.parts:
            errors = part.errors
            cells = (percent(errors.relative(errors.causes[name].square)) for name in CAUSES)
            yield (
                f"{part.name:{width}} {part.levels or '':>4} {errors.bias:10.2g} "
                f"{percent(errors.relative(errors.quantized_error)):>9} {percent(errors.relative(errors.error)):>8} "
                f"{' '.join(f'{cell:>9}' for cell in cells)}  "
                f"{errors.main_cause:9} {errors.lost:5d}"
            )

    def _activity(self) -> Iterator[str]:
        width = _width(self.parts)
        yield (
            f"{'layer':{width}} {'neurons':>9} {'spikes':>7} {'silent':>7} {'clipped':>8} {'dead':>7} {'off':>7} "
            f"{'SynOps':>12} {'MACs':>12}  from"
        )
        for part in self.parts:
            firing, operations = part.firing, part.operations
            if operations is None:
                continue
            cells = [""] * 5
            if firing is not None:
                shares = [percent(share) for share in (firing.silent, part.errors.clipped, firing.off)]
                cells = [f"{firing.spikes:.2f}", *shares[:2], f"{firing.dead}/{firing.channels}", shares[2]]
            spikes, silent, clipped, dead, off = cells
            yield (
                f"{part.name:{width}} {part.elements:9,} {spikes:>7} {silent:>7} {clipped:>8} {dead:>7} {off:>7} "
                f"{operations.accumulations + operations.input_products:12,.0f} {operations.dense:12,.0f}  {part.where}"
            )

    def _steps(self) -> Iterator[str]:
        if not self.by_timesteps:
            yield f"accuracy against steps cannot be computed from this artefact: {self.no_timesteps}"
            return
        yield "steps from an image to its answer, by code (signed: at most), at the clip ranges of this network"
        exact = [code for code in dict.fromkeys(at.code for at in self.by_steps) if code != "free"]
        found = {(at.code, at.timesteps): at for at in self.by_steps}
        yield f"{'T':>5} {'quantised':>9} {''.join(f'{code:>9}' for code in exact)} {'free':>9} {'answers':>9}"
        for point in self.by_timesteps:
            steps = [str(at.steps) if (at := found.get((code, point.timesteps))) else "" for code in exact]
            free = found.get(("free", point.timesteps))
            ran = ("", "") if free is None else (str(free.steps), percent_of(free.accuracy))
            yield (
                f"{point.timesteps:5d} {percent_of(point.accuracy):>9} {''.join(f'{cell:>9}' for cell in steps)} "
                f"{' '.join(f'{cell:>9}' for cell in ran)}"
            )


def _width(parts: tuple[Part, ...]) -> int:
    return max(5, *(len(part.name) for part in parts))


def percent_of(found: Accuracy) -> str:
    """An accuracy without its interval: "91.08 %"."""
    return f"{100 * found.value:.2f} %"


def accuracy_figures(found: Accuracy) -> dict[str, Plain]:
    """An accuracy as plain values."""
    low, high = found.interval
    return {"accuracy": found.value, "correct": found.correct, "images": found.images, "interval": [low, high]}


def _part_figures(part: Part) -> dict[str, Plain]:
    told = {"main_cause": part.errors.main_cause, "lost": part.errors.lost}
    return {**asdict(part), "scale": list(part.scale), "errors": asdict(part.errors) | told}
