"""`nc-compile`: from a trained PyTorch network to a `.nca` artefact.

    nc-compile model.pt2 --target cpu --calibration images.npz -o model.nca

The artefact runs with `nc-run` and is looked at with `nc-report` and `nc-diff`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import OptionError
from neurocuda.ir.files import require_place
from neurocuda.options import CALIBRATIONS, CODES, EXECUTIONS, GRANULARITIES, HOSTS, Conversion
from neurocuda.tools._command import ArgumentParser, Watch, run_command
from neurocuda.tools._model import ModelArguments, add_model_arguments, images_of, model_of, preprocessing_of
from neurocuda.tools._nir import NirArguments, add_nir_options, nir_options
from neurocuda.tools._summary import summary_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from neurocuda.compiled import Compiled
    from neurocuda.imported import Model

    Array = NDArray[np.generic]

DESCRIPTION = "Compiles a trained PyTorch network into a spiking network for a target."

EXAMPLES = """examples:
  nc-compile model.pt2 --target cpu --calibration images.npz -o model.nca
  nc-compile --model package.module:factory --weights model.pth --input-shape 3,32,32 --target cpu -o model.nca
  nc-compile model.pt2 --target cpu --calibration uint8_images.npz --mean 0.49,0.48,0.45 --std 0.25,0.24,0.26
  nc-compile model.pt2 --target cpu --explain       list everything that cannot be converted, and do nothing
  nc-compile --list-targets                         the targets, and how to get what they need

--model runs the code it names; a .pt2 file, weights and images are data and are never executed.
"""


class Arguments(ModelArguments, NirArguments):
    """What the command line says."""

    target: str
    output: Path | None
    code: str
    firing_delay: int
    execution: str
    timesteps: int | str
    method: str
    percentile: float
    initial: float
    latency_budget: int | None
    threshold_granularity: str | None
    weight_bits: int | None
    host: str
    max_accuracy_loss: float
    portable: tuple[str, ...]
    validate: bool
    explain: bool
    list_targets: bool
    json: bool
    quiet: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool and returns its exit code."""
    return run_command(_parser(), _run, Arguments(), argv)


def _parser() -> ArgumentParser:
    parser = ArgumentParser("nc-compile", DESCRIPTION, EXAMPLES)
    add_model_arguments(parser)
    add_nir_options(parser)
    _add_conversion(parser)
    add = parser.add_argument_group("what is done").add_argument
    add("--target", default="cpu", metavar="TARGET", help="<backend> or <backend>:<chip> (default: cpu)")
    add("-o", "--output", type=Path, metavar="FILE", help="the artefact (default: the model's name with .nca)")
    add("--validate", action="store_true", help="check what every pass promises, and the target, on some images")
    add("--explain", action="store_true", help="list what cannot be converted, where, why, and what to do; no output")
    add("--list-targets", action="store_true", help="print the targets")
    add("--json", action="store_true", help="print the summary as JSON")
    parser.add_watching()
    return parser


def _add_conversion(parser: ArgumentParser) -> None:
    default = Conversion()
    add = parser.add_argument_group("the conversion").add_argument
    add("--timesteps", type=_timesteps, default=default.timesteps, metavar="T",
        help='levels of an activation, or "auto" (default: %(default)s)')  # fmt: skip
    add("--code", choices=CODES, default=default.code, help="how integers are said in time (default: %(default)s)")
    add("--firing-delay", type=int, default=default.firing_delay, metavar="STEPS",
        help="for --code free: how long a layer listens before it fires (default: %(default)s)")  # fmt: skip
    add("--execution", choices=EXECUTIONS, default=default.execution,
        help="walk through time steps, or compute exact codes as counts (default: %(default)s)")  # fmt: skip
    add("--calibration-method", "--method", dest="method", choices=CALIBRATIONS, default=default.calibration,
        help="how clip ranges are chosen and layers calibrated (default: %(default)s)")  # fmt: skip
    add("--percentile", type=float, default=default.percentile, metavar="P",
        help="for --calibration-method percentile (default: %(default)s)")  # fmt: skip
    add("--initial", type=float, default=default.initial, metavar="SHARE",
        help="share of its threshold that a membrane starts with (default: %(default)s)")  # fmt: skip
    add("--latency-budget", type=int, default=default.latency_budget, metavar="STEPS",
        help="gives every layer its own number of levels, so that their sum keeps to it")  # fmt: skip
    add("--threshold-granularity", choices=GRANULARITIES, default=default.threshold_granularity,
        help="what a threshold is chosen for (default: what the target takes)")  # fmt: skip
    add("--weight-bits", type=int, default=default.weight_bits, metavar="B",
        help="width of a weight (default: what the target takes)")  # fmt: skip
    add("--host", choices=HOSTS, default=default.host,
        help="refuse layers that cannot spike on the target, or run them in floats (default: %(default)s)")  # fmt: skip
    add("--max-accuracy-loss", type=float, default=default.max_accuracy_loss, metavar="POINTS",
        help="for --timesteps auto, against the float network's classes (default: %(default)s)")  # fmt: skip
    add("--portable", type=_names, default=default.portable, metavar="TARGET,...",
        help="further targets that the same integers must serve")  # fmt: skip


def _timesteps(text: str) -> int | str:
    if text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number of time steps or \"auto\", found '{text}'") from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _run(arguments: Arguments) -> int:
    from neurocuda import api
    from neurocuda.targeting import resolve_target

    if arguments.list_targets:
        print(api.targets())
        return 0
    conversion, preprocessing = _conversion(arguments), preprocessing_of(arguments)
    resolve_target(arguments.target)  # mistakes are told before anything takes time
    output = None if arguments.explain else _output(arguments)
    with Watch(quiet=arguments.quiet) as watch:
        watch.step("reading the model")
        images, model = images_of(arguments.calibration), model_of(arguments)
        if output is None:
            return _explain(arguments, model, images, watch)
        compiled = api.compile(
            model,
            target=arguments.target,
            calibration=images,
            input_shape=arguments.input_shape,
            preprocessing=preprocessing,
            conversion=conversion,
            nir=nir_options(arguments, arguments.model_file),
            validate=arguments.validate,
            progress=watch.step,
        )
        watch.step(f"writing {output.name}")
        compiled.save(output)
    _summarise(arguments, compiled, output)
    return 0


def _conversion(arguments: Arguments) -> Conversion:
    return Conversion(
        code=arguments.code,
        firing_delay=arguments.firing_delay,
        execution=arguments.execution,
        timesteps=arguments.timesteps,
        calibration=arguments.method,
        percentile=arguments.percentile,
        initial=arguments.initial,
        latency_budget=arguments.latency_budget,
        threshold_granularity=arguments.threshold_granularity,
        weight_bits=arguments.weight_bits,
        host=arguments.host,
        max_accuracy_loss=arguments.max_accuracy_loss,
        portable=arguments.portable,
    )


def _output(arguments: Arguments) -> Path:
    """Where the artefact goes, checked before anything takes time.

    Raises:
        OptionError: nothing gives the file a name.
        WriteError: the folder is missing, or there is a folder of that name.
    """
    if arguments.output is not None:
        output = arguments.output
    elif arguments.model_file is not None:
        output = Path(arguments.model_file.stem + ".nca")
    elif arguments.model is not None:
        output = Path(arguments.model.rpartition(":")[2].rpartition(".")[2] + ".nca")
    else:
        raise OptionError("give a model: either a .pt2 or .nir file or --model package.module:factory")
    require_place(output)
    return output


def _explain(arguments: Arguments, model: Model, images: Mapping[str, Array] | None, watch: Watch) -> int:
    """Prints what stands in the way; 1 where anything does."""
    from neurocuda import api

    watch.step("looking at the model")
    explanation = api.explain(
        model,
        images,
        target=arguments.target,
        input_shape=arguments.input_shape,
        preprocessing=preprocessing_of(arguments),
    )
    if arguments.json:
        problems = [asdict(problem) for problem in explanation.problems]
        print(json.dumps({"target": explanation.target, "problems": problems}, indent=2))
    else:
        print(explanation)
    return int(not explanation.convertible)


def _summarise(arguments: Arguments, compiled: Compiled, output: Path) -> None:
    if arguments.json:
        print(json.dumps({"artefact": str(output), **summary_of(compiled)}, indent=2))
    elif not arguments.quiet:
        from neurocuda.measure.words import size_of

        steps = f'code "{compiled.code}"' + ("" if compiled.trains else f", T = {compiled.conversion.timesteps}")
        print(f"{output}: {compiled.name} for {compiled.target}, {steps}, {size_of(output.stat().st_size)}")
        if compiled.validation is not None:
            print(compiled.validation.headline)


if __name__ == "__main__":
    sys.exit(main())
