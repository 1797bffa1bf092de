"""Networks from `.mlir` files and `.nca` artefacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import OptionError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Attribute

    from neurocuda.ir.weights import WeightStore

ARTEFACT = ".nca"


@dataclass(frozen=True)
class Network:
    """A module, its constants, and what it is called in messages."""

    name: str
    module: ModuleOp
    weights: WeightStore

    @property
    def input_types(self) -> Sequence[Attribute]:
        """The types of the main function's arguments."""
        from neurocuda.reference.interpreter import main_function

        return [argument.type for argument in main_function(self.module).body.block.args]

    @property
    def takes_pixels(self) -> bool:
        """Whether every input is uint8 images."""
        from xdsl.dialects.builtin import IntegerType, Signedness, TensorType

        pixel = IntegerType(8, Signedness.UNSIGNED)
        return all(isinstance(kind, TensorType) and kind.element_type == pixel for kind in self.input_types)


def networks(*sides: tuple[Path, str | None]) -> tuple[Network, ...]:
    """The networks in (file, level); each file is read once.

    Raises:
        OptionError: a level is missing, or given where all files are IR.
        ArtifactError, ParsingError, WeightsError: a file is missing or damaged.
    """
    from neurocuda.api import load

    if all(path.suffix != ARTEFACT for path, _ in sides) and any(level for _, level in sides):
        raise OptionError("--level goes with .nca artefacts; an .mlir file holds one level")
    compiled = {path: load(path) for path in dict.fromkeys(path for path, _ in sides) if path.suffix == ARTEFACT}
    found: list[Network] = []
    for path, level in sides:
        if path not in compiled:
            found.append(read_network(path))
            continue
        name = level or compiled[path].backend.level
        found.append(Network(f"{path} at {name}", compiled[path].level(name), compiled[path].weights))
    return tuple(found)


def read_network(path: Path) -> Network:
    """The network in an `.mlir` file, with the weights in its side file.

    Raises:
        ParsingError, VerificationError, WeightsError: a file is missing or damaged.
    """
    from neurocuda.ir.context import create_context, weights_of
    from neurocuda.ir.parsing import load_module

    context = create_context()
    return Network(str(path), load_module(context, path), weights_of(context))
