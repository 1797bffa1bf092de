"""`nc-diff`: runs two networks on the same inputs and names the first value that differs.

    nc-diff before.mlir after.mlir
    nc-diff model.nca --level ann-quantized --level snn-integer

Values are matched by their origin, the name that they have in the user's model, and outputs by their number.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import InputError, OptionError
from neurocuda.tools._command import ArgumentParser, Watch, run_command
from neurocuda.tools._images import of_inputs, read_images
from neurocuda.tools._networks import Network, networks

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from neurocuda.ir.promise import Deviation, Promise

    Array = NDArray[Any]

DESCRIPTION = "Runs two networks on the same inputs and names the first value that differs."

EXAMPLES = """examples:
  nc-diff before.mlir after.mlir                                     on random inputs
  nc-diff a.nca b.nca --level snn-integer --inputs images.npz        one level of two artefacts
  nc-diff model.nca --level ann-quantized --level snn-integer        two levels of one artefact
  nc-diff a.nca b.mlir --rtol 0                                      bit for bit

The exit code is 0 where the networks agree and 1 where they differ or cannot be compared.
"""

DEFAULT_RTOL = 1e-5
"""What exact rewrites of floats promise; one count of an integer network is more."""


class Arguments(argparse.Namespace):
    """What the command line says."""

    before: Path
    after: Path | None
    level: list[str]
    inputs: Path | None
    rtol: float
    all: bool
    json: bool
    quiet: bool


@dataclass(frozen=True)
class Difference:
    """A value that differs: its name, where it stands in the user's model, how, and how far it moved."""

    name: str
    where: str
    how: str
    deviation: Deviation | None

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where and self.where != self.name else ""
        moved = "" if self.deviation is None else f" (root mean square {self.deviation.rms:.3g})"
        return f"{self.name}{place}: {self.how}{moved}"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool and returns its exit code."""
    return run_command(_parser(), _run, Arguments(), argv)


def _parser() -> ArgumentParser:
    parser = ArgumentParser("nc-diff", DESCRIPTION, EXAMPLES)
    add = parser.add_argument
    add("before", type=Path, metavar="BEFORE", help="an .mlir file or a .nca artefact")
    add("after", nargs="?", type=Path, metavar="AFTER", help="another one; default: another level of the same artefact")
    add("--level", action="append", default=[], metavar="LEVEL",
        help="of artefacts (default: the target's); given twice: of BEFORE, of AFTER")  # fmt: skip
    add("--inputs", type=Path, metavar="FILE", help="inputs, .npz or .npy (default: random ones)")
    add("--rtol", type=_rtol, default=DEFAULT_RTOL, metavar="R",
        help="largest difference allowed, of a value's largest magnitude (default: %(default)s)")  # fmt: skip
    add("--all", action="store_true", help="name every value that differs, not only the first")
    add("--json", action="store_true", help="print what was found as JSON")
    parser.add_watching()
    return parser


def _rtol(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not (value >= 0 and isfinite(value)):
        raise argparse.ArgumentTypeError(f"expected zero or a positive number, found '{text}'")
    return value


def _run(arguments: Arguments) -> int:
    from neurocuda.ir.promise import Equal

    with Watch(quiet=arguments.quiet) as watch:
        watch.step("reading the networks")
        before, after = networks(*_sides(arguments))
        inputs = _inputs(arguments, before, after)
        watch.step("running the networks")
        compared, differences = _differences(before, after, inputs, Equal(arguments.rtol))
    if not compared:
        raise InputError(f"{before.name} and {after.name} have no value in common")
    _report(arguments, compared, len(inputs[0]), differences)
    return int(bool(differences))


def _sides(arguments: Arguments) -> tuple[tuple[Path, str | None], tuple[Path, str | None]]:
    """(file, level) of both sides."""
    levels = arguments.level
    if len(levels) > 2:
        raise OptionError("give --level once or twice")
    if arguments.after is None and len(levels) != 2:
        raise OptionError("give two files, or one artefact and --level twice")
    first, last = (levels[0], levels[-1]) if levels else (None, None)
    return (arguments.before, first), (arguments.after or arguments.before, last)


def _inputs(arguments: Arguments, before: Network, after: Network) -> Sequence[Array]:
    """
    Raises:
        InputError: the networks take different inputs, or the given ones do not fit.
    """
    from neurocuda.images import InputSpec, checked
    from neurocuda.ir.validation import random_inputs

    if before.input_types != after.input_types:
        types = [", ".join(map(str, network.input_types)) for network in (before, after)]
        raise InputError(f"{before.name} takes {types[0]} and {after.name} takes {types[1]}")
    if arguments.inputs is None:
        random = random_inputs(before.module)
        if random is None:
            raise InputError(f"{before.name}: no random inputs can be made for {before.input_types}")
        return random
    spec = InputSpec.of(before.module, pixels=before.takes_pixels)
    arrays = of_inputs(read_images(arguments.inputs), spec.names)
    return checked(arrays, spec, str(arguments.inputs))


def _differences(
    before: Network, after: Network, inputs: Sequence[Array], promise: Promise
) -> tuple[int, list[Difference]]:
    """(values compared, those that differ in the order of the second program)"""
    from neurocuda.ir.promise import Deviation
    from neurocuda.ir.validation import observe

    old, old_places = observe(before.module, before.weights, inputs)
    new, new_places = observe(after.module, after.weights, inputs)
    old_scales, new_scales = (_scales(network) for network in (before, after))
    shared = [name for name in new if name in old]
    found: list[Difference] = []
    for name in shared:
        reason = promise.broken_by(old[name], new[name])
        if reason is None:
            continue
        same = old[name].shape == new[name].shape
        moved = Deviation.between(old[name], new[name]) if same else None
        units = (old_scales.get(name), new_scales.get(name))
        how = reason if moved is None or not isfinite(moved.rms) else _told(old[name], new[name], promise, units)
        found.append(Difference(name, old_places.get(name) or new_places.get(name, ""), how, moved))
    return len(shared), found


def _scales(network: Network) -> dict[str, Array]:
    """What one count stands for, by origin."""
    from xdsl.ir import Operation

    from neurocuda.ir.origin import origin_of
    from neurocuda.reference.scales import offsets_of, scales_of

    offset = offsets_of(network.module, network.weights)
    found: dict[str, Array] = {}
    for value, scale in scales_of(network.module, network.weights).items():
        origin = origin_of(value.owner) if isinstance(value.owner, Operation) else None
        if origin is not None and value not in offset:
            found[origin] = scale
    return found


def _told(old: Array, new: Array, promise: Promise, units: tuple[Array | None, Array | None]) -> str:
    """The largest difference, in counts too where both sides count, and how many there are."""
    import numpy as np

    difference = np.abs(new - old)
    worst = tuple(int(axis) for axis in np.unravel_index(int(difference.argmax()), difference.shape))
    counts = (
        f"count {round(float(value[worst] / unit[worst[1:]]))}" if unit is not None else ""
        for value, unit in zip((old, new), units, strict=True)
    )
    before, after = (
        f"{value[worst]:.6g}{f' ({count})' if count else ''}" for value, count in zip((old, new), counts, strict=True)
    )
    many = int((difference > (promise.tolerance(old) or 0.0)).sum())
    return (
        f"input {worst[0]}, element [{', '.join(map(str, worst[1:]))}] is {before} and becomes {after}, the largest of "
        f"{many:,} differences in {old.size:,} elements"
    )


def _report(arguments: Arguments, compared: int, images: int, differences: Sequence[Difference]) -> None:
    shown = differences if arguments.all else differences[:1]
    if arguments.json:
        listed = [asdict(difference) for difference in shown]
        figures = {"inputs": images, "values": compared, "differing": len(differences), "differences": listed}
        print(json.dumps(figures, indent=2))
        return
    for difference in shown:
        print(difference)
    if not differences and not arguments.quiet:
        print(f"{compared} values agree on {images} inputs")
    elif differences and not arguments.quiet:
        print(f"{len(differences)} of {compared} values differ on {images} inputs")


if __name__ == "__main__":
    sys.exit(main())
