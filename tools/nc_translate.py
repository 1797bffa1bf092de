"""`nc-translate`: between IR and other formats.

    nc-translate --import-torch model.pt2 -o model.mlir
    nc-translate --import-nir net.nir --dt 1e-4 -o net.mlir
    nc-translate --emit-c model.nca -o folder

Importing gives level `ann-imported`, or `snn` for .nir files; emitting walks what a target's passes have made and
prints it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import InputError, OptionError, TargetError
from neurocuda.ir.files import write_all
from neurocuda.tools._command import ArgumentParser, Watch, run_command
from neurocuda.tools._model import shape
from neurocuda.tools._networks import ARTEFACT, networks
from neurocuda.tools._nir import NirArguments, add_nir_options, nir_options

if TYPE_CHECKING:
    from neurocuda.imported import ImportedModel

DESCRIPTION = "Translates between IR and other formats."

EXAMPLES = """examples:
  nc-translate --import-torch model.pt2 -o model.mlir      IR, with large weights in model.safetensors
  nc-translate --import-nir net.nir --dt 1e-4 -o net.mlir  the spiking network of a NIR file, in floats
  nc-translate --emit-c model.nca -o folder                C11 code, header and weights of an artefact
  nc-translate --emit model.nca -o folder                  the same for any target
  nc-translate --emit-nir nir.mlir -o folder               a .nir file
  nc-translate --list                                      every translation
"""


class Arguments(NirArguments):
    """What the command line says."""

    translation: str | None
    input: Path | None
    output: Path | None
    input_shape: tuple[int, ...] | None
    list: bool
    quiet: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool and returns its exit code."""
    return run_command(_parser(), _run, Arguments(), argv)


def _parser() -> ArgumentParser:
    parser = ArgumentParser("nc-translate", DESCRIPTION, EXAMPLES)
    group = parser.add_argument_group("translations").add_mutually_exclusive_group()
    for name, (summary, _) in TRANSLATIONS.items():
        group.add_argument(f"--{name}", dest="translation", action="store_const", const=name,
            help=summary)  # fmt: skip
    add = parser.add_argument
    add("input", nargs="?", type=Path, metavar="INPUT", help="the file to translate")
    add("-o", "--output", type=Path, metavar="PATH", help="where to write: a file, or a folder for several files")
    add("--input-shape", type=shape, metavar="C,H,W", help="for --import-torch: the shape that the program must take")
    add("--list", action="store_true", help="print the names of all translations")
    add_nir_options(parser)
    parser.add_watching()
    return parser


def _run(arguments: Arguments) -> int:
    if arguments.list:
        for name in TRANSLATIONS:
            print(f"{name}: {TRANSLATIONS[name][0]}")
        return 0
    if arguments.translation is None:
        raise OptionError(f"say what to do: --{', --'.join(TRANSLATIONS)}")
    if arguments.input is None:
        raise OptionError("give a file to translate")
    _, translate = TRANSLATIONS[arguments.translation]
    with Watch(quiet=arguments.quiet) as watch:
        watch.step(f"translating {arguments.input.name}")
        written = translate(arguments, arguments.input)
    if not arguments.quiet:
        for path in written:
            print(path)
    return 0


def _import_torch(arguments: Arguments, path: Path) -> list[Path]:
    """Writes an exported program as IR and a side file."""
    from neurocuda.api import import_model

    output = _module_path(arguments, path)
    return _saved(import_model(path, input_shape=arguments.input_shape), output)


def _saved(imported: ImportedModel, output: Path) -> list[Path]:
    from neurocuda.ir.printing import save_module

    side = save_module(imported.module, imported.context, output, locations=True)
    return [output] if side is None else [output, side]


def _module_path(arguments: Arguments, path: Path) -> Path:
    output = arguments.output or Path(path.stem + ".mlir")
    if output.suffix == ".safetensors":
        raise OptionError(f"{output}: the weights go there; give the .mlir file a name")
    return output


def _import_nir(arguments: Arguments, path: Path) -> list[Path]:
    """Writes the network of a .nir file as IR and a side file."""
    from neurocuda.api import import_model

    output = _module_path(arguments, path)
    return _saved(import_model(path, nir=nir_options(arguments, path)), output)


def _emit(arguments: Arguments, path: Path) -> list[Path]:
    """Writes the files of an artefact's target into a folder."""
    from neurocuda.api import load

    compiled = load(path)
    files = compiled.backend.emit(compiled.level(compiled.backend.level), compiled.weights)
    return _write_all(arguments.output or Path(), files)


def _emit_c(arguments: Arguments, path: Path) -> list[Path]:
    """Writes the C files of a network at level `cpu` into a folder."""
    return _write_all(arguments.output or Path(), _lowered(path, "cpu"))


def _emit_nir(arguments: Arguments, path: Path) -> list[Path]:
    """Writes the .nir file of a network at level `nir` into a folder."""
    return _write_all(arguments.output or Path(), _lowered(path, "nir"))


def _lowered(path: Path, target: str) -> Mapping[str, bytes]:
    """The files of the network in an artefact for a target, or in IR at the target's level.

    Raises:
        TargetError: the artefact is for another target, or nothing is lowered.
    """
    from neurocuda.api import load
    from neurocuda.targeting import resolve_target

    backend, _ = resolve_target(target)
    found = load(path).backend.name if path.suffix == ARTEFACT else target
    if found != target:
        raise TargetError(f"{path} is compiled for {found}; --emit writes what that target takes")
    (network,) = networks((path, backend.level if path.suffix == ARTEFACT else None))
    files = backend.emit(network.module, network.weights)
    if not files:
        what = f"there is no program at level {backend.level}"
        raise TargetError(f"{path}: {what}; lower it with convert-snn-to-{backend.level}")
    return files


def _write_all(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """All files or none.

    Raises:
        InputError: the folder is a file.
        WriteError: a file cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: expected a folder, this is a file")
    placed = {folder / name: content for name, content in files.items()}
    write_all(placed)
    return list(placed)


Translation = Callable[[Arguments, Path], list[Path]]
"""From arguments and the input to the files written."""

TRANSLATIONS: Mapping[str, tuple[str, Translation]] = {
    "import-torch": ("a program that torch.export.save wrote (.pt2) as IR of level ann-imported", _import_torch),
    "import-nir": ("a .nir file as IR of level snn", _import_nir),
    "emit": ("an artefact as the files that its target takes", _emit),
    "emit-c": ("an artefact, or IR of level cpu, as C11 files", _emit_c),
    "emit-nir": ("an artefact, or IR of level nir, as a .nir file", _emit_nir),
}
"""What can be translated: name to summary and function."""


if __name__ == "__main__":
    sys.exit(main())
