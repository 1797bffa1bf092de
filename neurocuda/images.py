"""Turns what users hold (tensors, arrays, loaders, dictionaries) into arrays that a network takes, or says why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import func
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp

from neurocuda.errors import InputError, warn
from neurocuda.ir.attributes import fits, shape_of, written_shape
from neurocuda.ir.origin import origin_of_argument
from neurocuda.reference.interpreter import main_function

if TYPE_CHECKING:
    import torch

Array: TypeAlias = NDArray[Any]
Images: TypeAlias = "torch.Tensor | Array | Mapping[str, torch.Tensor | Array] | Iterable[object]"
"""Images, batch axis first: one tensor or array, one per input name, or batches of them (labels are ignored)."""

Steps: TypeAlias = "torch.Tensor | Array | Mapping[str, torch.Tensor | Array]"
"""One time step without batch and time, or several with time first: a tensor or an array, or one per input name."""

TIME = (DYNAMIC_INDEX,)
"""How the shape of a recording begins: with as many steps as it has."""

FIRST_ONLY = "of a loader's batches only the first element is taken"

PREPROCESSING = "preprocessing=Normalize(mean, std), in the shell --mean and --std"
"""How a network is made to take pixels."""

MOST_CALIBRATION_IMAGES = 1024
"""Batches are drawn from a loader until there are so many images; more would hardly change a clip range."""


@dataclass(frozen=True)
class InputSpec:
    """What a network takes: per input a name and the shape of one image; uint8 pixels, or floats."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    pixels: bool

    @staticmethod
    def of(module: ModuleOp, *, pixels: bool) -> InputSpec:
        """What the module's main function takes."""
        function = main_function(module)
        arguments = function.body.block.args
        return InputSpec(_names(function), tuple(shape_of(argument) for argument in arguments), pixels)


def _names(function: func.FuncOp) -> tuple[str, ...]:
    """The user's names for the inputs."""
    count = len(function.body.block.args)
    return tuple(origin_of_argument(function, index) or f"input {index}" for index in range(count))


@runtime_checkable
class _Tensor(Protocol):
    """What a torch tensor offers, without importing torch."""

    def detach(self) -> _Tensor: ...
    def cpu(self) -> _Tensor: ...
    def numpy(self) -> Array: ...


Arrays: TypeAlias = "list[Array] | dict[str, Array]"
"""One array per input, in order or by name."""


def as_arrays(data: Images, *, what: str = "images", most: int | None = None) -> Arrays:
    """One array per input, batch axis first. `what` names the data in messages.

    Batches are joined, up to `most` images with a warning where there are more.

    Raises:
        InputError: there is nothing, or something that is no image.
    """
    given = cast(object, data)
    if isinstance(given, Mapping):
        return {name: _array(value, what) for name, value in cast("Mapping[str, object]", given).items()}
    if _is_array(given):
        return [_array(given, what)]
    if not isinstance(given, Iterable) or isinstance(given, str | bytes):
        kind = type(given).__name__
        raise InputError(f"{what}: expected a tensor, an array or batches of them, found {kind}")
    return _joined(given, what, most)


def first_arrays(data: Images, *, what: str = "the example") -> Arrays:
    """As `as_arrays`, but of batches only the first: an example."""
    given = cast(object, data)
    if _is_array(given) or isinstance(given, Mapping | str | bytes) or not isinstance(given, Iterable):
        return as_arrays(data, what=what)
    first = next(iter(given), None)
    return as_arrays([] if first is None else [first], what=what)


def _is_array(value: object) -> bool:
    return isinstance(value, _Tensor | np.ndarray)


def plain_array(value: object) -> Array:
    """A tensor, an array or a list as an array."""
    return np.asarray(value.detach().cpu().numpy() if isinstance(value, _Tensor) else value)


def _joined(batches: Iterable[object], what: str, most: int | None) -> list[Array]:
    """Batches put together: each a tensor, or a tuple whose first element is one."""
    parts: list[Array] = []
    count = 0
    for batch in batches:
        if most is not None and count >= most:
            warn(f"{what}: the first {most} images are used, the rest is left out")
            break
        parts.append(_array(_images_in(batch, what), what))
        count += len(parts[-1])
    if not count:
        raise InputError(f"{what}: there are no images")
    try:
        return [np.concatenate(parts)[:most]]
    except ValueError:
        shapes = ", ".join(str(shape) for shape in dict.fromkeys(part.shape[1:] for part in parts))
        alone = "; give the images alone, without labels" if any(part.ndim == 1 for part in parts) else ""
        raise InputError(f"{what}: batches have images of different shapes: {shapes}{alone}") from None


def _images_in(batch: object, what: str) -> object:
    if not isinstance(batch, tuple | list):
        return batch
    items = cast("Sequence[object]", batch)
    if not items:
        raise InputError(f"{what}: a batch is empty")
    return items[0]


def _array(value: object, what: str) -> Array:
    array = _plain(value, what, "images ")
    if not array.ndim:
        raise InputError(f"{what}: expected images as a tensor or an array, found a single number")
    if not len(array):
        raise InputError(f"{what}: there are no images")
    if not array.size:
        raise InputError(f"{what}: there is nothing in images of shape {array.shape[1:]}")
    return array


def _plain(value: object, what: str, kind: str = "") -> Array:
    if isinstance(value, np.ma.MaskedArray):
        raise InputError(f"{what}: a masked array has gaps; fill them with .filled(0)")
    if isinstance(value, np.ndarray):
        return cast(Array, value)
    if not isinstance(value, _Tensor):
        raise InputError(f"{what}: expected {kind}as a tensor or an array, found {type(value).__name__}")
    return _of_tensor(value, what)


def _of_tensor(tensor: _Tensor, what: str) -> Array:
    try:
        return tensor.detach().cpu().numpy()
    except (RuntimeError, TypeError):  # a dtype that NumPy does not have, a sparse or quantised tensor
        kind = str(getattr(tensor, "dtype", type(tensor).__name__)).removeprefix("torch.")
        sparse = bool(getattr(tensor, "is_sparse", False))
        kind, remedy = (f"sparse {kind}", ".to_dense()") if sparse else (kind, ".float()")
        raise InputError(f"{what}: a {kind} tensor has no plain array; convert it with {remedy}") from None


def checked(arrays: Arrays, spec: InputSpec, what: str = "images") -> list[Array]:
    """One array per input, in order, as float32, or as uint8 where pixels are expected.

    Raises:
        InputError: the number of inputs, a name, a shape, a type or a value is wrong, or the numbers of images differ.
    """
    listed = _in_order(arrays, spec.names, what) if isinstance(arrays, dict) else arrays
    if len(listed) != len(spec.shapes):
        names = ", ".join(repr(name) for name in spec.names)
        raise InputError(
            f"{what}: the network has {len(spec.shapes)} inputs, {len(listed)} were given; "
            f"give a dictionary with one array for each of {names} ({FIRST_ONLY})"
        )
    if len({len(array) for array in listed}) > 1:
        raise InputError(f"{what}: the inputs have different numbers of images, {[len(array) for array in listed]}")
    found = [_checked(array, shape, spec.pixels, what) for array, shape in zip(listed, spec.shapes, strict=True)]
    steps = {array.shape[1] for array, shape in zip(found, spec.shapes, strict=True) if shape[:1] == TIME}
    if len(steps) > 1:
        raise InputError(f"{what}: the inputs have different numbers of time steps, {sorted(steps)}")
    return found


def _in_order(arrays: dict[str, Array], names: tuple[str, ...], what: str) -> list[Array]:
    if len(arrays) == len(names) == 1:
        return list(arrays.values())
    if set(arrays) != set(names):
        raise InputError(
            f"{what}: the inputs are called {', '.join(names)}, not {', '.join(map(str, arrays)) or 'none'}"
        )
    return [arrays[name] for name in names]


def _checked(array: Array, shape: tuple[int, ...], pixels: bool, what: str) -> Array:
    if not fits(array.shape[1:], shape):
        expected = f"{'recordings' if shape[:1] == TIME else 'images'} of shape {written_shape(shape)}"
        raise InputError(f"{what}: expected {expected}, found {array.shape[1:]}{_hint(array, shape)}")
    if pixels:
        if array.dtype != np.uint8:
            raise InputError(f"{what}: expected uint8 pixels (the network normalises them), found {array.dtype}")
        return array
    if array.dtype.kind != "f" and not (shape[:1] == TIME and array.dtype.kind in "biu"):
        remedy = f"normalise them, or compile with {PREPROCESSING}"
        raise InputError(f"{what}: expected float images, found {array.dtype}; {remedy}")
    return _singles(array, what, "image")


def _singles(array: Array, what: str, row: str) -> Array:
    """The numbers as float32, where a processor can read them. `row` is what the first axis counts."""
    if array.dtype.kind != "f":
        return array.astype(np.float32)
    single = array
    if array.dtype != np.float32 or not array.flags.aligned:
        with np.errstate(over="ignore"):
            single = np.require(array, np.float32, "A")
    if not np.isfinite(single).all():
        raise InputError(f"{what}: there are NaN or infinite values in {row} {_first_bad(single)}")
    return single


def as_steps(data: Steps, spec: InputSpec, what: str = "steps") -> tuple[list[Array], bool]:
    """One (steps, *shape) float32 array per input, in order; and whether it was one step, given without such an axis.

    Raises:
        InputError: a name, a shape, a type or a value is wrong, or the numbers of steps differ.
    """
    listed = one_per_input(data, spec, what)
    one = listed[0].ndim < len(spec.shapes[0])
    found = [_steps(array, shape, one, what) for array, shape in zip(listed, spec.shapes, strict=True)]
    if len(found) > 1 and len({len(array) for array in found}) > 1:
        raise InputError(f"{what}: the inputs have different numbers of steps, {[len(array) for array in found]}")
    return found, one


def one_per_input(data: Steps, spec: InputSpec, what: str) -> list[Array]:
    """The arrays in the order of the inputs.

    Raises:
        InputError: a name or a type is wrong, or an input is missing.
    """
    if isinstance(data, Mapping):
        return _in_order({name: _plain(value, what) for name, value in data.items()}, spec.names, what)
    if len(spec.names) > 1:
        names = ", ".join(repr(name) for name in spec.names)
        raise InputError(f"{what}: the network has {len(spec.names)} inputs; give a dictionary with each of {names}")
    return [_plain(data, what)]


def _steps(array: Array, shape: tuple[int, ...], one: bool, what: str) -> Array:
    """An array of one step, or of several with time first, as several."""
    steps = array[None] if one else array
    if steps.shape[1:] != shape[1:]:
        expected = f"one step of shape {shape[1:]}, or several of shape {written_shape(shape)}"
        raise InputError(f"{what}: expected {expected}, found {array.shape}")
    if steps.dtype.kind not in "fbiu":
        raise InputError(f"{what}: expected numbers, found {array.dtype}")
    return _singles(steps, what, "step")


def _hint(array: Array, shape: tuple[int, ...]) -> str:
    if fits(array.shape, shape):
        return " (a batch axis is missing: images[None])"
    last = array.ndim == len(shape) + 1 == 4 and (array.shape[3], *array.shape[1:3]) == shape
    return " (channels come first: images.transpose(0, 3, 1, 2))" if last else ""


def _first_bad(array: Array) -> int:
    return int(np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))[0])


def require_channels_first(arrays: Arrays, channels: int, what: str) -> None:
    """Tells users of channels-last images what is wrong before a model fails on them in its own words.

    Raises:
        InputError: the last axis has the number of channels, and the first one has not.
    """
    for array in arrays.values() if isinstance(arrays, dict) else arrays:
        if array.ndim == 4 and array.shape[3] == channels != array.shape[1]:
            raise InputError(
                f"{what}: images of shape {array.shape[1:]} have channels last; channels come first: "
                "images.transpose(0, 3, 1, 2)"
            )
