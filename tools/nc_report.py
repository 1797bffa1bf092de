"""`nc-report`: what a `.nca` artefact holds, and on images where its accuracy went.

    nc-report model.nca
    nc-report model.nca --images test.npz --labels test.npz --html report.html

Nothing in an artefact is executed; with images the network is built again from its IR, as `nc-run` does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import OptionError
from neurocuda.tools._command import ArgumentParser, Watch, run_command
from neurocuda.tools._images import of_inputs, read_images, read_labels
from neurocuda.tools._summary import report_of

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled
    from neurocuda.measure.analysis import Analysis

DESCRIPTION = "Tells what a compiled network is made of, layer by layer, what it costs, and where its accuracy went."

EXAMPLES = """examples:
  nc-report model.nca                           layers, neurons, time steps, cost
  nc-report model.nca --json                    the same for programs
  nc-report model.nca --html report.html        the same as a page for a browser; it needs no network
  nc-report model.nca --ir snn-integer          the network at one level, large weights by name only
  nc-report model.nca --ir cpu --locations      with the lines of the user's model

  nc-report model.nca --images test.npz --labels test.npz [--json] [--html report.html]
                                                every layer's error against the float network, by cause

With labels, accuracy is that of all images on the target, and NeuroBench's figures are told, counted on the first
{counted} of them. The layers are compared on the first {images}; that takes up to a second per image.
"""

ANALYZED = 256
"""So many images are looked at layer by layer, at most."""

COUNTED = 16
"""On so many images operations are counted step by step, at most."""


class Arguments(argparse.Namespace):
    """What the command line says."""

    artefact: Path
    json: bool
    ir: str | None
    locations: bool
    certificate: bool
    html: Path | None
    images: Path | None
    labels: Path | None
    quiet: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool and returns its exit code."""
    return run_command(_parser(), _run, Arguments(), argv)


def _parser() -> ArgumentParser:
    parser = ArgumentParser("nc-report", DESCRIPTION, EXAMPLES.format(images=ANALYZED, counted=COUNTED))
    add = parser.add_argument
    add("artefact", type=Path, metavar="MODEL.nca", help="the compiled network")
    add("--json", action="store_true", help="print the report as JSON")
    add("--html", type=Path, metavar="FILE", help="write the report as one page, with pictures")
    add("--images", type=Path, metavar="FILE", help="images to look into the network with, .npz or .npy")
    add("--labels", type=Path, metavar="FILE",
        help="their class numbers, .npy or .npz (default: the float network's answers)")  # fmt: skip
    add("--ir", metavar="LEVEL", help="print the network at a level instead; an unknown one names those that are there")
    add("--locations", action="store_true", help="with --ir: the line of the user's model at every operation")
    add("--certificate", action="store_true", help="print why the spikes say the integer network's counts")
    parser.add_watching()
    return parser


def _run(arguments: Arguments) -> int:
    from neurocuda.api import load

    _check(arguments)
    with Watch(quiet=arguments.quiet) as watch:
        watch.step("reading the network")
        compiled = load(arguments.artefact)
        analysis = _analysis(arguments, compiled, watch)
        if arguments.html is not None:
            from neurocuda.measure.page.page import save_page

            watch.step("writing the page")
            save_page(arguments.html, compiled, analysis)
    if arguments.ir is not None:
        print(compiled.ir(arguments.ir, locations=arguments.locations))
    elif arguments.certificate:
        print(compiled.certificate())
    elif arguments.json:
        told = report_of(compiled)
        print(json.dumps(told if analysis is None else told | {"analysis": analysis.figures()}, indent=2))
    elif arguments.html is None:
        print(compiled.report() if analysis is None else f"{compiled.report()}\n\n{analysis}")
    return 0


def _check(arguments: Arguments) -> None:
    """
    Raises:
        OptionError: options do not go together.
    """
    if arguments.labels is not None and arguments.images is None:
        raise OptionError("--labels goes with --images")
    other = "--ir" if arguments.ir is not None else "--certificate" if arguments.certificate else ""
    if other and (arguments.html is not None or arguments.images is not None):
        raise OptionError(f"{other} prints something else than the report; leave --html and --images out")


def _analysis(arguments: Arguments, compiled: Compiled, watch: Watch) -> Analysis | None:
    """What the images show; with labels, the accuracy of all of them is noted too."""
    if arguments.images is None:
        return None
    images = of_inputs(read_images(arguments.images), compiled.inputs.names)
    labels = None if arguments.labels is None else read_labels(arguments.labels)
    watch.step("building the program")
    _ = compiled.program
    if labels is not None:
        compiled.evaluate(images, labels, progress=watch.count)
        if not compiled.trains:
            watch.step("counting as NeuroBench does")
            counted = {name: array[:COUNTED] for name, array in images.items()}
            compiled.neurobench(counted, labels[:COUNTED])
    few = {name: array[:ANALYZED] for name, array in images.items()}
    watch.step("comparing the layers")
    return compiled.analyze(few, None if labels is None else labels[:ANALYZED], progress=watch.count)


if __name__ == "__main__":
    sys.exit(main())
