"""`nc-report`: what a `.nca` artefact holds.

    nc-report model.nca
    nc-report model.nca --ir snn-integer

Reading an artefact executes nothing from it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from neurocuda.errors import OptionError
from neurocuda.tools._command import ArgumentParser, run_command
from neurocuda.tools._summary import report_of

DESCRIPTION = "Tells what a compiled network is made of, layer by layer, and what it costs."

EXAMPLES = """examples:
  nc-report model.nca                           layers, neurons, time steps, cost
  nc-report model.nca --json                    the same for programs
  nc-report model.nca --ir snn-integer          the network at one level, large weights by name only
  nc-report model.nca --ir cpu --locations      with the lines of the user's model
"""


class Arguments(argparse.Namespace):
    """What the command line says."""

    artefact: Path
    json: bool
    ir: str | None
    locations: bool
    certificate: bool
    html: Path | None


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool and returns its exit code."""
    return run_command(_parser(), _run, Arguments(), argv)


def _parser() -> ArgumentParser:
    parser = ArgumentParser("nc-report", DESCRIPTION, EXAMPLES)
    add = parser.add_argument
    add("artefact", type=Path, metavar="MODEL.nca", help="the compiled network")
    add("--json", action="store_true", help="print the report as JSON")
    add("--ir", metavar="LEVEL", help="print the network at a level instead; an unknown one names those that are there")
    add("--locations", action="store_true", help="with --ir: the line of the user's model at every operation")
    add("--certificate", action="store_true", help="print why the spikes say the integer network's counts")
    add("--html", type=Path, metavar="FILE", help="planned")
    parser.add_watching()
    return parser


def _run(arguments: Arguments) -> int:
    from neurocuda.api import load

    if arguments.html is not None:
        raise OptionError("--html is planned but not in this version; there are text, --json and --ir LEVEL")
    compiled = load(arguments.artefact)
    if arguments.ir is not None:
        print(compiled.ir(arguments.ir, locations=arguments.locations))
    elif arguments.certificate:
        print(compiled.certificate())
    elif arguments.json:
        print(json.dumps(report_of(compiled), indent=2))
    else:
        print(compiled.report())
    return 0


if __name__ == "__main__":
    sys.exit(main())
