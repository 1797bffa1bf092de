"""The weight store: every large constant of a context, held outside the IR text under a name made from its content.

A small tensor (at most `INLINE_ELEMENTS`) is an inline `dense<...>` attribute. Any other is `dense_resource<key>`,
where the key is `<name>_<16 hexadecimal digits of BLAKE2b over element type and bytes>`: equal keys mean equal tensors,
so comparing, hashing and merging attributes never touch the data. In a file, tensors up to the store's `inline_limit`
bytes follow the IR as hexadecimal text, larger ones lie in a safetensors side file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias, cast

from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects.builtin import (
    AnyFloat,
    BytesAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    IndexType,
    IntegerType,
    Signedness,
    TensorType,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute

from neurocuda.errors import WeightsError
from neurocuda.ir.attributes import Dense
from neurocuda.ir.files import replacing
from neurocuda.ir.side_file import SideTensor, map_side_file, read_side_file, write_side_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

INLINE_ELEMENTS = 64
"""Tensors with at most so many elements stand in the IR itself."""

INLINE_BYTES = 64 * 1024
"""Tensors with at most so many bytes are written behind the IR as text, unless the store is told otherwise."""

WEIGHTS = "nc.weights"
"""The module attribute that names the side file, relative to the folder of the module's own file."""

_ALIGNMENT = "0x04000000"
"""How MLIR begins the text of a resource: an alignment of four bytes, as a little-endian 32-bit integer."""

_CONTENT_KEY = re.compile(r".+_([0-9a-f]{16})")


@dataclass(frozen=True)
class Element:
    """An element type: its names in MLIR, in safetensors and in NumPy (little-endian), and its size in bytes."""

    mlir: str
    side_file: str
    numpy: str
    size: int


_BOOL = Element("i1", "BOOL", "?", 1)
_I64 = Element("i64", "I64", "<i8", 8)

ELEMENTS: Mapping[Attribute, Element] = {
    f32: Element("f32", "F32", "<f4", 4),
    f64: Element("f64", "F64", "<f8", 8),
    i1: _BOOL,
    i8: Element("i8", "I8", "|i1", 1),
    i16: Element("i16", "I16", "<i2", 2),
    i32: Element("i32", "I32", "<i4", 4),
    i64: _I64,
    IntegerType(8, Signedness.UNSIGNED): Element("ui8", "U8", "|u1", 1),
}
"""The element types that constants may have."""

_BY_SIDE_FILE = {element.side_file: element for element in ELEMENTS.values()}


@dataclass(frozen=True)
class _Tensor:
    """Bytes with an element type and the shape they were first seen with; `source` is the file they came from."""

    element: Element
    shape: tuple[int, ...]
    buffer: memoryview
    source: Path | None = None


Numeric: TypeAlias = IntegerType | IndexType | AnyFloat
"""Element types of constants in text; complex numbers are left to xDSL."""


class _Shaped(Protocol):
    """What tensor, vector and memref types have in common."""

    element_type: Attribute

    def get_shape(self) -> tuple[int, ...]: ...


class WeightStore(OpAsmDialectInterface):
    """The tensors of one context. Nothing that goes in or comes out can be changed."""

    def __init__(self, inline_limit: int = INLINE_BYTES) -> None:
        super().__init__()
        self.inline_limit = inline_limit
        self._tensors: dict[str, _Tensor] = {}
        self._blobs: dict[str, memoryview] = {}
        self._types: dict[str, tuple[Element, tuple[int, ...]]] = {}

    # Arrays.

    def add(self, array: Array, name: str = "tensor") -> Dense:
        """The attribute for an array: inline when small, else a name in this store.

        The array is copied unless it is read-only; its shape has no batch axis.

        Raises:
            WeightsError: the dtype is not one of `ELEMENTS`.
        """
        frozen = _frozen(array, name)
        element_type, element = _element_of(frozen, name)
        tensor_type = TensorType(element_type, frozen.shape)
        if frozen.size <= INLINE_ELEMENTS:
            return DenseIntOrFPElementsAttr(tensor_type, BytesAttr(_inline_bytes(frozen, element)))  # pyright: ignore[reportArgumentType]
        buffer = frozen.data.cast("B")
        key = f"{_sanitised(name)}_{content_hash(element, buffer)}"
        self._tensors.setdefault(key, _Tensor(element, frozen.shape, buffer))
        return DenseResourceAttr.from_params(key, tensor_type)

    def array(self, attribute: Attribute) -> Array:
        """The values of a constant: read-only, in the attribute's shape.

        Raises:
            WeightsError: the attribute is no constant tensor, names a tensor that this store does not hold, or one
                of another type or size.
        """
        import numpy as np

        if isinstance(attribute, DenseArrayBase):
            array = cast("DenseArrayBase[IntegerType]", attribute)
            element = _element(array.elt_type, "array")
            values = np.frombuffer(array.data.data, _stored_dtype(element))
            return _as_array(values, element, (len(values),))
        if isinstance(attribute, DenseIntOrFPElementsAttr):
            dense = cast("DenseIntOrFPElementsAttr[IntegerType]", attribute)
            element, shape = _typed(dense.type, "dense")
            values = np.frombuffer(dense.data.data, _stored_dtype(element))
            return _as_array(values, element, shape)
        if not isinstance(attribute, DenseResourceAttr):
            raise WeightsError(f"expected a constant tensor, found {attribute}")
        tensor, shape = self._lookup(attribute)
        return _as_array(np.frombuffer(tensor.buffer, tensor.element.numpy), tensor.element, shape)

    def _lookup(self, attribute: DenseResourceAttr) -> tuple[_Tensor, tuple[int, ...]]:
        key = attribute.resource_handle.data
        self.declare(attribute)
        tensor = self._tensors.get(key)
        if tensor is None:
            raise WeightsError(f"weights '{key}' are not at hand: their side file was not given or does not hold them")
        element, shape = _typed(attribute.type, key)
        if tensor.element != element or prod(shape) * element.size != tensor.buffer.nbytes:
            stored = "x".join([*map(str, tensor.shape), tensor.element.mlir])
            raise WeightsError(f"weights '{key}' are tensor<{stored}>, which does not fit {attribute.type}")
        return tensor, shape

    # Names.

    def __contains__(self, key: str) -> bool:
        return key in self._tensors or key in self._blobs

    def size(self, key: str) -> int:
        """The size of a tensor in bytes; 0 when it is not held."""
        if key in self._tensors:
            return self._tensors[key].buffer.nbytes
        return self._blobs[key].nbytes if key in self._blobs else 0

    def source(self, key: str) -> Path | None:
        """The side file that a tensor was loaded from or saved to, if any."""
        return self._tensors[key].source if key in self._tensors else None

    def lend(self, other: WeightStore, keys: Iterable[str]) -> None:
        """Gives tensors to another store, without copying them.

        Raises:
            WeightsError: a key is unknown.
        """
        for key in sorted(set(keys)):
            if key not in self._tensors:
                raise WeightsError(f"weights '{key}' are not at hand")
            other._tensors[key] = self._tensors[key]

    # Side files.

    def save(self, path: Path, keys: Iterable[str]) -> None:
        """Writes tensors into a safetensors file, in an order that depends on nothing but them.

        Raises:
            WeightsError: a key is unknown.
            WriteError: the file cannot be written; nothing half-written is left behind.
        """
        wanted = sorted(set(keys))
        with replacing(path) as stream:
            self.write(stream, wanted)
        for key in wanted:
            tensor = self._tensors[key]
            self._tensors[key] = _Tensor(tensor.element, tensor.shape, tensor.buffer, path)

    def write(self, stream: BinaryIO, keys: Iterable[str]) -> None:
        """As `save`, into a stream."""
        write_side_file(stream, {key: self._side_tensor(key) for key in set(keys)})

    def load(self, path: Path) -> frozenset[str]:
        """Maps a safetensors file into the store and returns its keys.

        Raises:
            WeightsError: the file is missing, malformed, or a tensor's content is not what its name promises.
        """
        return self._take(map_side_file(path), str(path), path)

    def read(self, content: bytes | memoryview, name: str) -> frozenset[str]:
        """As `load`, from memory; `name` is for messages."""
        return self._take(read_side_file(memoryview(content), name), name, None)

    def _side_tensor(self, key: str) -> SideTensor:
        tensor = self._tensors.get(key)
        if tensor is None:
            raise WeightsError(f"weights '{key}' are not at hand and cannot be written")
        return SideTensor(tensor.element.side_file, tensor.shape, tensor.buffer)

    def _take(self, tensors: Mapping[str, SideTensor], name: str, source: Path | None) -> frozenset[str]:
        for key, tensor in tensors.items():
            try:
                self._bind(key, _Tensor(_BY_SIDE_FILE[tensor.dtype], tensor.shape, tensor.buffer, source))
            except ValueError as reason:
                raise WeightsError(f"{name}: {reason}") from None
        return frozenset(tensors)

    def _bind(self, key: str, tensor: _Tensor) -> None:
        """Raises ValueError where the content is not what the key promises or what it stood for before."""
        promised = _CONTENT_KEY.fullmatch(key)
        if promised is not None and promised[1] != content_hash(tensor.element, tensor.buffer):
            raise ValueError(f"tensor '{key}' is damaged: its content does not match its name")
        known = self._tensors.get(key)
        if known is not None and (known.element != tensor.element or known.buffer != tensor.buffer):
            raise ValueError(f"tensor '{key}' stands for two different tensors")
        self._tensors[key] = tensor

    # Resources in IR text. The base class holds hexadecimal text and renames keys; nothing of it is kept.

    def declare_resource(self, key: str) -> str:
        """The key itself: one key is one tensor."""
        return key

    def declare(self, attribute: DenseResourceAttr) -> None:
        """Notes the type of a tensor seen in IR text, whose bytes come without one.

        Raises:
            WeightsError: the bytes do not fit the type or the name.
        """
        key = attribute.resource_handle.data
        if key in self._tensors or (key in self._types and key not in self._blobs):
            return
        if cast(_Shaped, attribute.type).element_type not in ELEMENTS:
            return  # not ours, e.g. f16 from another tool: kept as text
        self._types[key] = _typed(attribute.type, key)
        if key in self._blobs:
            try:
                self._adopt(key)
            except ValueError as reason:
                raise WeightsError(str(reason)) from None

    def parse_resource(self, key: str, val: str) -> None:
        """Takes the text of a resource: `0x`, four bytes of alignment, then the data.

        Raises:
            ValueError: the text is malformed, or does not fit the type or the name.
        """
        if not val.startswith("0x") or len(val) < len(_ALIGNMENT):
            raise ValueError(f"resource '{key}' is not hexadecimal text with an alignment")
        self._blobs[key] = memoryview(bytes.fromhex(val[len(_ALIGNMENT) :]))
        if key in self._types:
            self._adopt(key)

    def _adopt(self, key: str) -> None:
        element, shape = self._types[key]
        blob = self._blobs.pop(key)
        if blob.nbytes != prod(shape) * element.size:
            raise ValueError(f"resource '{key}' has {blob.nbytes} bytes, which is not shape {shape} of {element.mlir}")
        self._bind(key, _Tensor(element, shape, blob))

    def lookup(self, key: str) -> str | None:
        """The text of a resource, or None where it is not held."""
        buffer = self._tensors[key].buffer if key in self._tensors else self._blobs.get(key)
        return None if buffer is None else _ALIGNMENT + buffer.hex().upper()

    def build_resources(self, keys: Iterable[str], inline_limit: int | None = None) -> dict[str, str]:
        """The texts of the resources that are small enough to be written behind the IR, in order of their keys."""
        limit = self.inline_limit if inline_limit is None else inline_limit
        small = (key for key in sorted(set(keys)) if key in self and self.size(key) <= limit)
        return {key: cast(str, self.lookup(key)) for key in small}


def content_hash(element: Element, buffer: memoryview) -> str:
    """16 hexadecimal digits that stand for a tensor's element type and bytes (BLAKE2b, 64 bits)."""
    digest = blake2b(element.mlir.encode() + b":", digest_size=8)
    digest.update(buffer)
    return digest.hexdigest()


def numeric(element_type: object) -> Numeric | None:
    """The element type itself where it is an integer, index or float, else None."""
    return element_type if isinstance(element_type, Numeric) else None


def constants_named(properties: Mapping[str, Attribute], names: Iterable[str]) -> dict[str, Dense]:
    """Those of an operation's properties that have one of these names and are constants."""
    found: dict[str, Dense] = {}
    for name in names:
        attribute = properties.get(name)
        if isinstance(attribute, DenseIntOrFPElementsAttr | DenseResourceAttr):
            found[name] = attribute
    return found


def is_constant(attribute: Attribute) -> bool:
    """Whether `WeightStore.array` can read the attribute."""
    return isinstance(attribute, DenseIntOrFPElementsAttr | DenseResourceAttr | DenseArrayBase)


def _sanitised(name: str) -> str:
    """The name as an MLIR identifier, so that it may stand in `dense_resource<...>`."""
    cleaned = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:64] or "tensor"
    return cleaned if not cleaned[0].isdigit() else f"_{cleaned}"


def _element(element_type: Attribute, name: str) -> Element:
    if isinstance(element_type, IndexType):
        return _I64
    if element_type not in ELEMENTS:
        raise WeightsError(f"constant '{name}' has element type {element_type}, which weights cannot have")
    return ELEMENTS[element_type]


def _typed(shaped: Attribute, name: str) -> tuple[Element, tuple[int, ...]]:
    """(element, shape) of a tensor type."""
    if not hasattr(shaped, "get_shape"):
        raise WeightsError(f"constant '{name}' has type {shaped}, which has no shape")
    typed = cast(_Shaped, shaped)
    shape = typed.get_shape()
    if min(shape, default=0) < 0:
        raise WeightsError(f"constant '{name}' has no fixed shape: {shaped}")
    return _element(typed.element_type, name), shape


def _frozen(array: Array, name: str) -> Array:
    """The array itself where nobody can change it, else a little-endian copy in C order."""
    import numpy as np

    if not isinstance(array, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]  a user may pass a list
        raise WeightsError(f"weights '{name}' are a {type(array).__name__}, expected a NumPy array")
    little = array.dtype.newbyteorder("<")
    if array.flags.c_contiguous and array.dtype == little and _immutable(array):
        return array
    copy = np.array(array, dtype=little, order="C", copy=True)
    copy.flags.writeable = False
    return copy


def _immutable(holder: object) -> bool:
    """Whether neither an array nor what it is a view of can be written."""
    import numpy as np

    if isinstance(holder, np.ndarray):
        return not holder.flags.writeable and _immutable(holder.base)
    return holder is None or isinstance(holder, bytes) or (isinstance(holder, memoryview) and holder.readonly)


def _element_of(array: Array, name: str) -> tuple[Attribute, Element]:
    import numpy as np

    for element_type, element in ELEMENTS.items():
        if array.dtype == np.dtype(element.numpy):
            return element_type, element
    known = ", ".join(np.dtype(element.numpy).name for element in ELEMENTS.values())
    raise WeightsError(f"weights '{name}' have dtype {array.dtype}, expected one of {known}")


def _inline_bytes(array: Array, element: Element) -> bytes:
    """The bytes of an inline constant. xDSL stores the i1 `true` as -1."""
    import numpy as np

    return (-array.astype(np.int8)).tobytes() if element is _BOOL else array.tobytes()


def _stored_dtype(element: Element) -> str:
    """The NumPy dtype of an inline constant's bytes."""
    return "|i1" if element is _BOOL else element.numpy


def _as_array(values: Array, element: Element, shape: tuple[int, ...]) -> Array:
    if element is _BOOL:
        values = values != 0  # any byte but 0 is true
        values.flags.writeable = False
    if values.size != prod(shape):
        raise WeightsError(f"a constant has {values.size} elements, which is not shape {shape}")
    return values.reshape(shape)
