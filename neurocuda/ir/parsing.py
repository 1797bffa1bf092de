"""Reads IR text. Closes what xDSL's parser leaves open: every operation knows its line, hexadecimal floats are bits,
and whatever is wrong with a text is one line that says where."""

from __future__ import annotations

import math
import os
import re
import struct
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, cast

from xdsl.context import Context
from xdsl.dialects.builtin import (
    AnyFloat,
    BytesAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    FileLineColLoc,
    IntAttr,
    IntegerType,
    LocationAttr,
    ModuleOp,
    StringAttr,
    TensorType,
    UnknownLoc,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.parser import AttrParser, Parser, ParserState, UnresolvedOperand
from xdsl.utils.exceptions import DiagnosticException, ParseError
from xdsl.utils.lexer import Input, Position, Span, Token
from xdsl.utils.mlir_lexer import MLIRLexer, MLIRToken, MLIRTokenKind, StringLiteral

from neurocuda.errors import ParsingError, WeightsError
from neurocuda.ir.context import weights_of
from neurocuda.ir.printing import referenced_keys
from neurocuda.ir.verifying import verify_module
from neurocuda.ir.weights import WEIGHTS, Numeric, WeightStore, numeric

ExternalValue: TypeAlias = str | bool | int
"""What MLIR's external resources hold, e.g. the pipeline of a reproducer."""

_LARGEST_DENSE = 1 << 30
"""Bytes that `dense<...>` may unfold to; more is a mistake or an attack, not a constant in text."""

_XDSL_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    DiagnosticException,
    LookupError,
    MemoryError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What xDSL's parser raises, beside ParseError, on text that is malformed in a way it did not foresee."""


def parse_module(ctx: Context, source: str | bytes, name: str = "-", *, verify: bool = True) -> ModuleOp:
    """The module that a text describes; `name` stands for the text in messages and locations.

    A single operation that is no module, or several, are wrapped into one.

    Raises:
        ParsingError: the text is malformed: `name:line:column: error: ...`, in one line.
        VerificationError: an operation breaks its rules, or a value is used where it is not defined.
    """
    module, _ = parse_with_resources(ctx, source, name)
    if verify:
        verify_module(module)
    return module


def parse_with_resources(
    ctx: Context, source: str | bytes, name: str = "-"
) -> tuple[ModuleOp, dict[str, dict[str, ExternalValue]]]:
    """As `parse_module` without verification, with the text's external resources (MLIR's reproducers)."""
    text = _decode(source, name) if isinstance(source, bytes) else source
    parser: NeuroParser | None = None
    try:
        parser = NeuroParser(ctx, text, name)
        return parser.parse_module(), parser.external_resources
    except ParseError as reason:
        raise ParsingError(f"{reason.span.get_location()}: error: {_reword(reason, text)}") from reason
    except _XDSL_FAILURES as reason:
        raise ParsingError(f"{_place(parser, name)}: error: {_explain(reason)}") from reason


def load_module(ctx: Context, path: Path, weights: Path | None = None, *, verify: bool = True) -> ModuleOp:
    """The module in a file, with its side file of weights: the one given, else the one that the module names.

    Raises:
        ParsingError: the file cannot be read, or its text is malformed.
        VerificationError: an operation breaks its rules, or a value is used where it is not defined.
        WeightsError: the side file is missing or damaged.
    """
    module = parse_module(ctx, read_source(path), str(path), verify=verify)
    load_side_file(module, ctx, path.parent, weights)
    return module


def read_source(path: Path) -> bytes:
    """The content of a file.

    Raises:
        ParsingError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as reason:
        raise ParsingError(f"{path}: error: cannot read: {reason.strerror or reason}") from reason


def load_side_file(module: ModuleOp, ctx: Context, folder: Path, weights: Path | None = None) -> None:
    """Loads the weights that a module from `folder` needs: from `weights`, else from the file that it names.

    Raises:
        WeightsError: the side file is missing or damaged, or lacks tensors.
    """
    named = module.attributes.get(WEIGHTS)
    side = Path(os.path.normpath(folder / named.data)) if isinstance(named, StringAttr) else None
    side = weights or side
    if side is None:
        return
    store = weights_of(ctx)
    store.load(side)
    missing = sorted(key for key in referenced_keys(module) if key not in store)
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise WeightsError(f"{side}: lacks the tensor '{missing[0]}'{more}")


class NeuroLexer(MLIRLexer):
    """xDSL's lexer with two differences.

    * A string that is not closed is an error at once; stock xDSL takes exponential time to find that out.
    * A string whose escapes are UTF-8 is text; stock xDSL prints "\u00e9" so, and reads it back as bytes.
    """

    _string = re.compile(r'"(?:[^"\\\n\v\f]++|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*+"')

    def _lex_string_literal(self, start_pos: Position) -> MLIRToken:
        match = self._string.match(self.input.content, start_pos)
        if match is None:
            raise ParseError(Span(start_pos, start_pos + 1, self.input), "this string is not closed on its line")
        self.pos = match.end()
        literal = StringLiteral(start_pos, self.pos, self.input)
        if "\\" in literal.text:
            try:
                literal.bytes_contents.decode()
            except UnicodeDecodeError:
                return Token(MLIRTokenKind.BYTES_LIT, literal)
        return Token(MLIRTokenKind.STRING_LIT, literal)


class NeuroParser(Parser):
    """xDSL's parser with three differences, over `NeuroLexer`.

    * An operation without a location gets that of its first token.
    * Hexadecimal floats in `dense<...>` and `array<...>` are bit patterns, as in MLIR; stock xDSL takes them for
      integers. Text that MLIR wrote with bit-packed i1 or three-byte i24 is understood.
    * Resources are typed and checked as soon as both their text and their type are known; external resources are kept
      in `external_resources`.
    """

    def __init__(self, ctx: Context, input: str | bytes, name: str = "<unknown>") -> None:
        super().__init__(ctx, "", name)
        text = input.decode() if isinstance(input, bytes) else input
        self._parser_state = ParserState(NeuroLexer(Input(text, name)))
        self.external_resources: dict[str, dict[str, ExternalValue]] = {}
        self._operation_start = 0
        self._first_uses: dict[str, Span] = {}
        self._line_starts: list[int] = []
        self._after_location = -1

    # Where things are.

    def parse_module(self, allow_implicit_module: bool = True) -> ModuleOp:
        try:
            return super().parse_module(allow_implicit_module)
        except ParseError as reason:
            undefined = [self._first_uses[name] for name in self.forward_ssa_references if name in self._first_uses]
            if not undefined or not reason.msg.startswith("values used but not defined"):
                raise
            first = min(undefined, key=lambda span: span.start)
            raise ParseError(first, f"value {first.text} is not defined") from reason

    def resolve_operand(self, operand: UnresolvedOperand, type: Attribute) -> SSAValue:
        self._first_uses.setdefault(operand.operand_name, operand.span)
        return super().resolve_operand(operand, type)

    def parse_operation(self) -> Operation:
        start = self._operation_start = self.pos
        op = super().parse_operation()
        if isinstance(op.location, UnknownLoc) and self._after_location != self.pos:
            op.location = self._location_at(start)
        return op

    def parse_optional_location(self) -> LocationAttr | None:
        location = super().parse_optional_location()
        if location is not None:
            self._after_location = self.pos
        return location

    def _location_at(self, position: int) -> FileLineColLoc:
        text = self.lexer.input
        if not self._line_starts:
            self._line_starts = [0, *(end.end() for end in re.finditer("\n", text.content))]
        line = bisect_right(self._line_starts, position)
        column = position - self._line_starts[line - 1] + 1
        return FileLineColLoc(StringAttr(text.name), IntAttr(line), IntAttr(column))

    def _get_op_by_name(self, name: str) -> type[Operation]:
        known = self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack)
        if known is None:
            self.raise_error(f"operation '{name}' is not known", self._operation_start, self.pos)
        return known

    # Constants.

    def parse_dense_int_or_fp_elements_attr(self, type: Attribute | None) -> DenseIntOrFPElementsAttr:  # pyright: ignore[reportIncompatibleMethodOverride]
        start = self.pos
        self.parse_punctuation("<", " in dense attribute")
        text, literals, shape = None, list[AttrParser._TensorLiteralElement](), [0]  # pyright: ignore[reportPrivateUsage]
        if self.parse_optional_punctuation(">") is None:
            text = self.parse_optional_str_literal()
            if text is None:
                literals, shape = self._parse_tensor_literal()
            self.parse_punctuation(">", " in dense attribute")
        if type is None:
            self.parse_punctuation(":", " in dense attribute")
            type = self._parse_dense_literal_type()
        shaped = cast("TensorType[Numeric]", type)
        element_type = numeric(shaped.element_type)
        if element_type is None:  # complex numbers
            self._resume_from(start)
            return super().parse_dense_int_or_fp_elements_attr(None)
        count = math.prod(shaped.get_shape())
        if count * element_type.compile_time_size > _LARGEST_DENSE:
            self.raise_error(f"dense attribute of {count} elements is too large for text", start, self.pos)
        if text is not None:
            data = self._data_of_text(text, element_type, count, start)
        else:
            data = self._data_of_literals(literals, shape, element_type, shaped.get_shape(), start)
        return DenseIntOrFPElementsAttr(shaped, BytesAttr(data))

    def _data_of_literals(
        self,
        literals: Sequence[AttrParser._TensorLiteralElement],  # pyright: ignore[reportPrivateUsage]
        shape: list[int],
        element_type: Numeric,
        type_shape: tuple[int, ...],
        start: int,
    ) -> bytes:
        """The bytes of the elements of `[[1, 2], [3, 4]]`, or of a splat, whose shape is empty."""
        count = math.prod(type_shape)
        if shape and tuple(shape) != type_shape and (literals or count):
            self.raise_error(f"dense attribute has shape {shape}, its type {list(type_shape)}", start, self.pos)
        if not shape:
            return self._element_bytes(literals[0], element_type) * count
        return b"".join([self._element_bytes(literal, element_type) for literal in literals])

    def _element_bytes(
        self,
        literal: AttrParser._TensorLiteralElement,  # pyright: ignore[reportPrivateUsage]
        element_type: Numeric,
    ) -> bytes:
        value = literal.value
        try:
            if isinstance(element_type, AnyFloat):
                if literal.span.text[:2] in ("0x", "0X"):
                    return cast(int, value).to_bytes(element_type.compile_time_size, "little")
                return element_type.pack((literal.to_float(self),))
            value = cast(int, literal.to_type(self, element_type))
            if isinstance(element_type, IntegerType):
                value = element_type.get_normalized_value(value)
            return element_type.pack((value,))
        except (ArithmeticError, ValueError, struct.error):
            self.raise_error(f"{literal.span.text} does not fit {element_type}", literal.span)

    def _data_of_text(self, text: str, element_type: Numeric, count: int, start: int) -> bytes:
        """The bytes of `"0x..."`; a single element is a splat."""
        try:
            if not text.startswith("0x"):
                raise ValueError
            data = bytes.fromhex(text[2:])
        except ValueError:
            self.raise_error("dense attribute is not a hexadecimal string", start, self.pos)
        size = element_type.compile_time_size
        if isinstance(element_type, IntegerType):
            data = _unpacked(data, element_type, count)
        if len(data) == size != count * size:
            data *= count
        if len(data) != count * size:
            self.raise_error(
                f"dense attribute has {len(data)} bytes, its type {count} elements of {size}", start, self.pos
            )
        return data

    def _parse_builtin_densearray_attr(self) -> DenseArrayBase | None:
        start = self.pos
        self.parse_characters("<", " in dense array")
        element_type = self.parse_attribute()
        if not isinstance(element_type, AnyFloat) or self.parse_optional_punctuation(":") is None:
            self._resume_from(start)
            return super()._parse_builtin_densearray_attr()
        literals = self.parse_comma_separated_list(self.Delimiter.NONE, self._parse_tensor_literal_element)
        self.parse_characters(">", " in dense array")
        data = b"".join([self._element_bytes(literal, element_type) for literal in literals])
        return DenseArrayBase(element_type, BytesAttr(data))

    # Resources.

    def _parse_builtin_dense_resource_attr(self) -> DenseResourceAttr:
        start = self.pos
        attribute = super()._parse_builtin_dense_resource_attr()
        store = self.ctx.get_dialect("builtin").get_interface(WeightStore)
        if store is not None:
            try:
                store.declare(attribute)
            except WeightsError as reason:
                self.raise_error(str(reason), start, self.pos)
        return attribute

    def _parse_external_resources(self) -> None:
        self.parse_comma_separated_list(self.Delimiter.BRACES, self._parse_external_resource)

    def _parse_external_resource(self) -> None:
        owner = self.parse_identifier(" in external resources")
        self.parse_characters(":")
        entries: list[tuple[str, ExternalValue]] = self.parse_comma_separated_list(
            self.Delimiter.BRACES, self._parse_external_entry
        )
        self.external_resources[owner] = dict(entries)

    def _parse_external_entry(self) -> tuple[str, ExternalValue]:
        key = self.parse_identifier(" in external resources")
        self.parse_characters(":")
        text = self.parse_optional_str_literal()
        if text is not None:
            return key, text
        boolean = self.parse_optional_boolean()
        return key, boolean if boolean is not None else self.parse_integer()


def _unpacked(data: bytes, element_type: IntegerType, count: int) -> bytes:
    """MLIR's bytes of integers as xDSL's: i1 comes as bits, other odd widths in the fewest bytes."""
    width, size = element_type.width.data, element_type.compile_time_size
    fewest = -(-width // 8)
    if width == 1:
        packed = len(data) == -(-count // 8) and count != 1 and not (len(data) == 1 and data in (b"\x00", b"\xff"))
        bits = [data[index // 8] >> index % 8 & 1 for index in range(count)] if packed else [byte & 1 for byte in data]
        return b"".join([element_type.pack((element_type.get_normalized_value(bit),)) for bit in bits])
    if fewest == size or len(data) not in (fewest, count * fewest):
        return data
    values = [data[start : start + fewest] for start in range(0, len(data), fewest)]
    signs = [b"\xff" if value[-1] & 0x80 else b"\x00" for value in values]
    return b"".join([value + sign * (size - fewest) for value, sign in zip(values, signs, strict=True)])


def _decode(source: bytes, name: str) -> str:
    try:
        return source.decode()
    except UnicodeDecodeError as reason:
        before = source[: reason.start]
        line, column = before.count(b"\n") + 1, reason.start - before.rfind(b"\n")
        raise ParsingError(f"{name}:{line}:{column}: error: this is not text (invalid UTF-8)") from reason


def _place(parser: NeuroParser | None, name: str) -> str:
    """Where a parser stands, e.g. `model.mlir:3:7`."""
    if parser is None:
        return f"{name}:1:1"
    position = min(parser.pos, parser.lexer.input.len)
    text = parser.lexer.input.content
    start = text.rfind("\n", 0, position)
    return f"{name}:{text.count(chr(10), 0, position) + 1}:{position - start}"


def _reword(reason: ParseError, text: str) -> str:
    """The parser's message, clearer where it says little."""
    message = _one_line(reason.msg)
    if not text.strip():
        return "the text is empty"
    if message in ("in block definition", "Could not parse entire input!"):
        message = "expected an operation"
    return f"the text ends too early: {message}" if reason.span.start >= len(text.rstrip()) else message


def _explain(reason: BaseException) -> str:
    if isinstance(reason, RecursionError):
        return "the text is nested too deeply"
    if isinstance(reason, MemoryError):
        return "the text describes more data than fits into memory"
    return _one_line(str(reason)) or f"malformed ({type(reason).__name__})"


def _one_line(message: str) -> str:
    """A message without line breaks and without characters that a terminal would act on."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in " ".join(message.split()))
