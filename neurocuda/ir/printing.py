"""Writes IR text that reads back bit for bit and that MLIR accepts, and modules with their side files."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from io import StringIO
from pathlib import Path
from typing import IO, TypeAlias, cast

from xdsl.context import Context
from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    DictionaryAttr,
    IntegerType,
    ModuleOp,
    StringAttr,
)
from xdsl.ir import Attribute, Dialect, ParametrizedAttribute
from xdsl.printer import Printer

from neurocuda.errors import WriteError
from neurocuda.ir.context import weights_of
from neurocuda.ir.files import is_stream, replacing
from neurocuda.ir.weights import WEIGHTS, Numeric, WeightStore, numeric

External: TypeAlias = Mapping[str, Mapping[str, str | bool | int]]
"""MLIR's external resources: owner, key, value."""

_LISTED = 100
"""Elements; longer constants are written as one hexadecimal string, as MLIR does."""


def print_module(
    module: ModuleOp,
    ctx: Context,
    stream: IO[str],
    *,
    locations: bool = False,
    generic: bool = False,
    inline_limit: int | None = None,
    elide: bool = False,
    external: External | None = None,
) -> None:
    """Prints a module and behind it, as text, its tensors of at most `inline_limit` bytes.

    Larger tensors are only named; `save_module` writes them beside. `elide` leaves out all tensors: for reading, not
    for reading back. `inline_limit` defaults to that of the context's weight store.
    """
    printer = NeuroPrinter(stream, print_debuginfo=locations, print_generic_format=generic)
    printer.print_op(module)
    resources = {} if elide else printer.resources(ctx.loaded_dialects, inline_limit)
    printer.print_resources(resources, external or {})
    stream.write("\n")


def module_text(module: ModuleOp, ctx: Context, *, locations: bool = False, elide: bool = False) -> str:
    """As `print_module`, into a string."""
    stream = StringIO()
    print_module(module, ctx, stream, locations=locations, elide=elide)
    return stream.getvalue()


def save_module(
    module: ModuleOp,
    ctx: Context,
    path: Path,
    *,
    weights: Path | None = None,
    locations: bool = False,
    generic: bool = False,
    inline_limit: int | None = None,
    elide: bool = False,
    external: External | None = None,
) -> Path | None:
    """Writes a module into a file and its large tensors into a side file, `weights` or `<path>.safetensors`.

    The module's attribute `nc.weights` in the file names the side file. Returns the side file, if there is one.

    Raises:
        WeightsError: a large tensor is not at hand.
        WriteError: a file cannot be written, or both are one; nothing half-written is left behind.
    """
    large = [] if elide else large_keys(module, ctx, inline_limit)
    side = side_file_of(path, weights) if large else None
    name = None if side is None else relative_name(side, path.parent)
    with ExitStack() as stack:
        if side is not None:
            weights_of(ctx).write(stack.enter_context(replacing(side)), large)
        text = StringIO()
        with naming_weights(module, name):
            print_module(
                module,
                ctx,
                text,
                locations=locations,
                generic=generic,
                inline_limit=inline_limit,
                elide=elide,
                external=external,
            )
        stack.enter_context(replacing(path)).write(text.getvalue().encode())
    return side


def side_file_of(path: Path, weights: Path | None = None) -> Path:
    """Where the large tensors of the module in `path` go: `weights`, or `<path>.safetensors`.

    Raises:
        WriteError: both would be one file, or nothing can lie beside `path`.
    """
    if weights is None and is_stream(path):
        raise WriteError(f"{path}: cannot write: large tensors need a side file, and none can lie beside this one")
    side = weights or path.with_suffix(".safetensors")
    if os.path.realpath(side) == os.path.realpath(path):
        raise WriteError(f"{path}: cannot write: the module and its weights need two files; call the module .mlir")
    return side


def relative_name(side: Path, folder: Path) -> str:
    """How a module in `folder` names its side file: relative where that is possible, always with slashes."""
    try:
        return Path(os.path.relpath(side, folder)).as_posix()
    except ValueError:  # another drive on Windows
        return side.resolve().as_posix()


@contextmanager
def naming_weights(module: ModuleOp, name: str | None) -> Generator[None]:
    """While it lasts, the module names another side file, or none; afterwards it is as it was."""
    before = dict(module.attributes)
    if name is None:
        module.attributes.pop(WEIGHTS, None)
    else:
        module.attributes[WEIGHTS] = StringAttr(name)
    try:
        yield
    finally:
        module.attributes.clear()
        module.attributes.update(before)


def large_keys(module: ModuleOp, ctx: Context, inline_limit: int | None = None) -> list[str]:
    """The names of the module's tensors that are too large for text."""
    store = weights_of(ctx)
    limit = store.inline_limit if inline_limit is None else inline_limit
    return sorted(key for key in referenced_keys(module) if store.size(key) > limit)


def referenced_keys(module: ModuleOp) -> set[str]:
    """The names of all tensors that the module's attributes refer to."""
    return {
        key
        for op in module.walk()
        for attribute in (*op.properties.values(), *op.attributes.values())
        for key in _keys(attribute)
    }


def _keys(attribute: Attribute) -> Iterator[str]:
    if isinstance(attribute, DenseResourceAttr):
        yield attribute.resource_handle.data
        return
    inner: Iterable[Attribute] = ()
    if isinstance(attribute, ArrayAttr):
        inner = attribute.data
    elif isinstance(attribute, DictionaryAttr):
        inner = attribute.data.values()
    elif isinstance(attribute, ParametrizedAttribute):
        inner = attribute.parameters
    for part in inner:
        yield from _keys(part)


class NeuroPrinter(Printer):
    """xDSL's printer with two differences.

    * `dense<...>` is decided by its bytes: a splat is a splat of bits (stock xDSL takes 0.0, -0.0 for one), NaNs keep
      their payload, and long i1 and odd-width constants are lists, because MLIR packs them differently.
    * Resources of several dialects are separated by commas.
    """

    def resources(self, dialects: Iterable[Dialect], inline_limit: int | None = None) -> dict[str, dict[str, str]]:
        """Dialect to key to text of the resources that were named so far and are small enough for text."""
        found: dict[str, dict[str, str]] = {}
        for dialect in sorted(dialects, key=lambda dialect: dialect.name):
            interface = dialect.get_interface(OpAsmDialectInterface)
            keys = self._dialect_resources.get(dialect.name, set())
            if isinstance(interface, WeightStore):
                found[dialect.name] = interface.build_resources(keys, inline_limit)
            elif interface is not None:
                found[dialect.name] = dict(sorted(interface.build_resources(keys).items()))
        return {dialect: texts for dialect, texts in found.items() if texts}

    def print_metadata(self, dialects: Iterable[Dialect]) -> None:
        self.print_resources(self.resources(dialects), {})

    def print_attribute(self, attribute: Attribute) -> None:
        if isinstance(attribute, DenseIntOrFPElementsAttr):
            dense = cast("DenseIntOrFPElementsAttr[IntegerType]", attribute)
            element_type = numeric(dense.get_element_type())
            if element_type is not None:
                self._print_dense(dense.data.data, element_type, dense.get_shape())
                self.print_string(" : ")
                self.print_attribute(dense.type)
                return
        super().print_attribute(cast(Attribute, attribute))

    def _print_dense(self, data: bytes, element_type: Numeric, shape: tuple[int, ...]) -> None:
        size = element_type.compile_time_size
        with self.delimited("dense<", ">"):
            if not data:
                return
            if data[size:] == data[:-size]:
                self.print_string(self._element(data[:size], element_type))
            elif len(data) // size > _LISTED and _stored_as_mlir(element_type):
                self.print_string(f'"0x{data.hex().upper()}"')
            else:
                elements = [data[start : start + size] for start in range(0, len(data), size)]
                self.print_string(_nested([self._element(element, element_type) for element in elements], shape))

    def _element(self, data: bytes, element_type: Numeric) -> str:
        value = element_type.unpack(data, 1)[0]
        if isinstance(element_type, AnyFloat) and value != value:  # NaN: its payload matters
            return f"0x{data[::-1].hex().upper()}"
        stream = StringIO()
        printer = Printer(stream)
        if isinstance(element_type, AnyFloat):
            printer.print_float(value, element_type)
        else:
            printer.print_int(int(value), element_type)
        return stream.getvalue()

    def print_resources(self, dialects: Mapping[str, Mapping[str, str]], external: External) -> None:
        """Prints the section `{-# ... #-}` behind a module, if there is anything to say."""
        quoted = {dialect: {key: _quoted(text) for key, text in found.items()} for dialect, found in dialects.items()}
        owned = {owner: {key: _quoted(value) for key, value in found.items()} for owner, found in external.items()}
        sections = [
            f"  {title}: {{\n" + ",\n".join(_section(name, entries) for name, entries in groups.items()) + "\n  }"
            for title, groups in (("dialect_resources", quoted), ("external_resources", owned))
            if groups
        ]
        if sections:
            self.print_string("\n\n{-#\n" + ",\n".join(sections) + "\n#-}", indent=0)


def _section(name: str, entries: Mapping[str, str]) -> str:
    lines = ",\n".join(f"      {key}: {value}" for key, value in entries.items())
    return f"    {name}: {{\n{lines}\n    }}"


def _quoted(value: str | bool | int) -> str:
    if isinstance(value, str):
        stream = StringIO()
        Printer(stream).print_string_literal(value)
        return stream.getvalue()
    return str(value).lower()


def _stored_as_mlir(element_type: Numeric) -> bool:
    """Whether xDSL and MLIR agree on the bytes of an element; MLIR packs i1 into bits and i24 into three bytes."""
    if not isinstance(element_type, IntegerType):
        return True
    width = element_type.width.data
    return width != 1 and -(-width // 8) == element_type.compile_time_size


def _nested(elements: Sequence[str], shape: tuple[int, ...]) -> str:
    """`[[1, 2], [3, 4]]`."""
    if not shape:
        return elements[0]
    if len(shape) == 1:
        return f"[{', '.join(elements)}]"
    step = len(elements) // shape[0]
    return f"[{', '.join(_nested(elements[row * step : (row + 1) * step], shape[1:]) for row in range(shape[0]))}]"
