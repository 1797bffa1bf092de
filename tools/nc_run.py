"""`nc-run`: runs a `.nca` artefact on images.

    nc-run model.nca --inputs images.npz --labels labels.npy

The images are raw: preprocessing travels in the artefact.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import OptionError
from neurocuda.ir.backend import REFERENCE
from neurocuda.ir.files import is_stream, replacing, require_place
from neurocuda.tools._command import ArgumentParser, Watch, run_command
from neurocuda.tools._images import of_inputs, read_images, read_labels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from neurocuda.compiled import Result
    from neurocuda.measure.accuracy import Accuracy
    from neurocuda.measure.evaluation import Evaluation

    Array = NDArray[np.generic]

DESCRIPTION = "Runs a compiled network on images."

EXAMPLES = """examples:
  nc-run model.nca --inputs images.npz                          the classes found, and how long it took
  nc-run model.nca --inputs images.npy --labels labels.npy      accuracy with its 95 % interval
  nc-run model.nca --inputs images.npz --counts --output out.npz   outputs and spikes of every neuron
  nc-run model.nca --inputs images.npz --threads 1 --json       for programs
  nc-run model.nca --inputs images.npz --on reference           by the interpreter, without the target's tools

An .npz holds one array of images, batch axis first, or one per input of the network, by its name. A network compiled
with --mean and --std takes raw uint8 images.
"""

SHOWN = 20
"""So many classes are printed."""


class Arguments(argparse.Namespace):
    """What the command line says."""

    artefact: Path
    inputs: Path
    labels: Path | None
    output: Path | None
    counts: bool
    on: str | None
    threads: int | None
    json: bool
    quiet: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool and returns its exit code."""
    return run_command(_parser(), _run, Arguments(), argv)


def _parser() -> ArgumentParser:
    parser = ArgumentParser("nc-run", DESCRIPTION, EXAMPLES)
    add = parser.add_argument
    add("artefact", type=Path, metavar="MODEL.nca", help="the compiled network")
    add("--inputs", type=Path, required=True, metavar="FILE", help="images, .npz or .npy")
    add("--labels", type=Path, metavar="FILE", help="class numbers, .npy or .npz; may be the file of the images")
    add("-o", "--output", type=Path, metavar="FILE.npz",
        help="where outputs go: 'outputs', with --counts also 'counts/<layer>'")  # fmt: skip
    add("--counts", action="store_true", help="count the spikes of every neuron")
    add("--on", choices=[REFERENCE], help="run what was lowered for the target in the reference interpreter instead")
    add("--threads", type=int, metavar="N", help="how many threads (default: one per processor)")
    add("--json", action="store_true", help="print the figures as JSON")
    parser.add_watching()
    return parser


def _run(arguments: Arguments) -> int:
    from neurocuda.api import load

    _check_output(arguments.output)
    images = read_images(arguments.inputs)
    labels = None if arguments.labels is None else read_labels(arguments.labels)
    with Watch(quiet=arguments.quiet) as watch:
        watch.step("reading the network")
        compiled = load(arguments.artefact)
        images = of_inputs(images, compiled.inputs.names)
        if arguments.on is None:
            watch.step("building the program")
            _ = compiled.program
        if labels is not None and arguments.output is None and not arguments.counts and arguments.on is None:
            found = compiled.evaluate(images, labels, threads=arguments.threads, progress=watch.count)
            told, figures = str(found), _figures_of_evaluation(found)
        else:
            result = compiled.run(
                images, counts=arguments.counts, on=arguments.on, threads=arguments.threads, progress=watch.count
            )
            accuracy = None if labels is None else _accuracy(result, labels)
            told, figures = _told(result, accuracy), _figures_of_run(result, accuracy)
            _save(arguments.output, result)
    if arguments.output is not None and not arguments.quiet:
        print(f"nc-run: wrote {arguments.output}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(figures, indent=2))
    elif not arguments.quiet:
        print(told)
    return 0


def _check_output(output: Path | None) -> None:
    """
    Raises:
        WriteError, OptionError: nothing can be written there, or the name promises another format.
    """
    if output is None or is_stream(output):
        return
    require_place(output)
    if output.suffix != ".npz":
        raise OptionError(f"{output}: outputs are written as .npz; give the file such a name")


def _outputs(result: Result) -> Sequence[NDArray[np.float32]]:
    return result.outputs if isinstance(result.outputs, tuple) else (result.outputs,)


def _accuracy(result: Result, labels: Array) -> Accuracy:
    """
    Raises:
        InputError: labels do not fit the images, or the network gives no scores.
    """
    from neurocuda.measure.accuracy import Accuracy
    from neurocuda.measure.evaluation import correct_answers, labels_of

    scores = result.scores
    truth = labels_of(labels, len(scores))
    return Accuracy(correct_answers(scores, truth), len(scores))


def _classes(result: Result) -> list[int]:
    """The largest output of every image, of trains the largest sum, where outputs are scores of classes."""
    first = _outputs(result)[0]
    scores = first.sum(axis=1) if result.over_time else first
    return [int(best) for best in scores.argmax(axis=1)] if scores.ndim == 2 else []


def _mean_counts(result: Result) -> dict[str, float]:
    """Mean count per neuron and image, by layer."""
    return {layer: float(counts.mean()) for layer, counts in result.counts.items()}


def _told(result: Result, accuracy: Accuracy | None) -> str:
    from neurocuda.measure.words import counted

    images, classes = len(_outputs(result)[0]), _classes(result)
    latency = f"{1e3 * result.seconds / max(1, images):.3g} ms per image (measured)"
    lines = [f"{counted(images, 'image')}, {latency}, {counted(result.steps, 'step')}, {result.provenance}"]
    if accuracy is not None:
        lines.append(str(accuracy))
    elif classes:
        more = f" ... ({images} in all)" if images > SHOWN else ""
        lines.append(f"classes: {' '.join(map(str, classes[:SHOWN]))}{more}")
    if result.counts:
        lines += ["count per neuron and image", *(f"  {n:32} {mean:.4g}" for n, mean in _mean_counts(result).items())]
    return "\n".join(lines)


def _figures_of_run(result: Result, accuracy: Accuracy | None) -> dict[str, object]:
    figures: dict[str, object] = {
        "images": len(_outputs(result)[0]),
        "classes": _classes(result),
        "steps": result.steps,
        "seconds": result.seconds,
        "provenance": result.provenance,
    }
    if result.counts:
        figures["count_per_neuron"] = _mean_counts(result)
    return figures if accuracy is None else figures | _figures_of_accuracy(accuracy)


def _figures_of_evaluation(found: Evaluation) -> dict[str, object]:
    return _figures_of_accuracy(found.accuracy) | {
        "spikes_per_neuron": found.spikes_per_neuron,
        "sparsity": found.sparsity,
        "seconds_per_image": found.seconds_per_image,
        "steps": found.steps,
        "provenance": found.provenance,
    }


def _figures_of_accuracy(accuracy: Accuracy) -> dict[str, object]:
    return {
        "images": accuracy.images,
        "correct": accuracy.correct,
        "accuracy": accuracy.value,
        "interval": list(accuracy.interval),
    }


def _save(path: Path | None, result: Result) -> None:
    """Writes outputs and counts; where there are several outputs they are numbered.

    Raises:
        WriteError: the file cannot be written; nothing half-written is left behind.
    """
    if path is None:
        return
    import numpy as np

    outputs = _outputs(result)
    names = ["outputs"] if len(outputs) == 1 else [f"outputs{index}" for index in range(len(outputs))]
    arrays: dict[str, Array] = dict(zip(names, outputs, strict=True))
    arrays |= {f"counts/{layer}": counts for layer, counts in result.counts.items()}
    with replacing(path) as stream:
        np.savez(stream, allow_pickle=False, **arrays)


if __name__ == "__main__":
    sys.exit(main())
