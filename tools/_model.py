"""The arguments that name a model, its weights, and the images that it takes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import OptionError
from neurocuda.options import Normalize
from neurocuda.tools._checkpoint import load_weights
from neurocuda.tools._command import ArgumentParser
from neurocuda.tools._images import read_images
from neurocuda.tools._user_code import built_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    Array = NDArray[np.generic]


class ModelArguments(argparse.Namespace):
    """What the command line says of the model."""

    model_file: Path | None
    model: str | None
    weights: Path | None
    input_shape: tuple[int, ...] | None
    calibration: Path | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None


def add_model_arguments(parser: ArgumentParser) -> None:
    """Adds what `ModelArguments` holds."""
    add = parser.add_argument_group("the model").add_argument
    add(
        "model_file",
        nargs="?",
        type=Path,
        metavar="MODEL.pt2",
        help="a program that torch.export.save wrote, or a .nir file",
    )
    add("--model", metavar="MODULE:FACTORY",
        help="instead of a file: a function or class of a module or .py file, called without arguments")  # fmt: skip
    add("--weights", type=Path, metavar="FILE", help="its weights, .pth or .safetensors; every name must fit")
    add("--input-shape", type=shape, metavar="C,H,W", help="of one image, where neither model nor images say it")
    add("--calibration", type=Path, metavar="FILE",
        help="images to choose clip ranges by: an .npy, or an .npz with one array or one per input")  # fmt: skip
    add("--mean", type=numbers, metavar="M,...", help="per channel, of pixels scaled to 0 ... 1: images are then uint8")
    add("--std", type=numbers, metavar="S,...", help="standard deviation per channel, with --mean")


def model_of(arguments: ModelArguments) -> nn.Module | Path:
    """The file, or the model built and filled with its weights.

    Raises:
        OptionError: there is no model, or there are two, or weights for a file that has its own.
        ModelError, WeightsError: it cannot be built or filled.
    """
    if (arguments.model_file is None) == (arguments.model is None):
        raise OptionError("give a model: either a .pt2 or .nir file or --model package.module:factory")
    if arguments.model is None:
        assert arguments.model_file is not None
        if arguments.weights is not None:
            raise OptionError("--weights goes with --model; a .pt2 file has its own")
        return arguments.model_file
    model = built_model(arguments.model)
    if arguments.weights is not None:
        load_weights(model, arguments.weights)
    return model


def images_of(path: Path | None) -> dict[str, Array] | None:
    """The calibration images.

    Raises:
        InputError: the file is missing, corrupt, or holds no array.
    """
    return None if path is None else read_images(path)


def preprocessing_of(arguments: ModelArguments) -> Normalize | None:
    """What makes pixels the network's input, where that is asked for.

    Raises:
        OptionError: one of the two options is missing, or they do not fit together.
    """
    if arguments.mean is None and arguments.std is None:
        return None
    if arguments.mean is None or arguments.std is None:
        raise OptionError("--mean and --std go together")
    return Normalize(arguments.mean, arguments.std)


def shape(text: str) -> tuple[int, ...]:
    """ "3,32,32" as (3, 32, 32)."""
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"expected positive sizes such as 3,32,32, found '{text}'")
    return sizes


def numbers(text: str) -> tuple[float, ...]:
    """ "0.5,0.4" as (0.5, 0.4)."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers such as 0.5,0.4,0.3, found '{text}'") from None
