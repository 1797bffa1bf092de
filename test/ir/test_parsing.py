"""Reading IR: locations, floats by their bits, resources, and errors in one line that say where."""

from __future__ import annotations

import time
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    FileLineColLoc,
    IntegerType,
    NameLoc,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Operation
from xdsl.parser import Parser

from neurocuda.errors import ParsingError, VerificationError, WeightsError
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import NeuroParser, load_module, parse_module, parse_with_resources

PARSERS = [
    pytest.param(NeuroParser, id="ours"),
    pytest.param(Parser, id="stock", marks=pytest.mark.xfail(strict=True, reason="a hole of xDSL 0.74.0")),
]
"""The strict marks tell us when xDSL closes a hole."""


def operation(text: str, *, parser: type[Parser] = NeuroParser) -> Operation:
    """The first operation of a text."""
    context = create_context()
    first = parser(context, text, "x.mlir").parse_module().body.block.first_op
    assert first is not None
    return first


def constant(literal: str, parser: type[Parser] = NeuroParser) -> DenseIntOrFPElementsAttr[IntegerType]:
    """The attribute of a literal."""
    attribute = operation(f'"test.op"() {{value = {literal}}} : () -> ()', parser=parser).attributes["value"]
    assert isinstance(attribute, DenseIntOrFPElementsAttr)
    return cast("DenseIntOrFPElementsAttr[IntegerType]", attribute)


def error_of(text: str | bytes) -> str:
    """What is wrong with a text, in one line."""
    with pytest.raises(ParsingError) as caught:
        parse_module(create_context(), text, "x.mlir")
    message = str(caught.value)
    assert message.isprintable()
    return message


# Floats.


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    ("literal", "bits"),
    [
        ("dense<[0x4996B438, 1.0]> : tensor<2xf32>", "38b4964" + "90000803f"),
        ("dense<[0x7F800000, 0xFF800000]> : tensor<2xf32>", "0000807f000080ff"),
        ("dense<0x7FC00001> : tensor<2xf32>", "0100c07f0100c07f"),
        ("dense<0x7C00> : tensor<1xf16>", "007c"),
        ("dense<0x7FF0000000000000> : tensor<1xf64>", "000000000000f07f"),
    ],
)
def test_hexadecimal_floats_are_bits(parser: type[Parser], literal: str, bits: str) -> None:
    assert constant(literal, parser).data.data.hex() == bits


@pytest.mark.parametrize("parser", PARSERS)
def test_hexadecimal_floats_in_arrays_are_bits(parser: type[Parser]) -> None:
    text = '"test.op"() {value = array<f32: 0x7F800000, 0x4996B438, -1.5>} : () -> ()'
    values = operation(text, parser=parser).attributes["value"]
    assert weights_of(create_context()).array(values).tolist() == [float("inf"), 1234567.0, -1.5]


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>", [1, 2, 3, 4]),
        ("dense<-7> : tensor<3xi16>", [-7, -7, -7]),
        ("dense<[true, false]> : tensor<2xi1>", [True, False]),
        ("dense<> : tensor<0xf32>", []),
        ("dense<> : tensor<2x0xf32>", []),
        ("dense<255> : tensor<2xui8>", [255, 255]),
        ("dense<0xFF> : tensor<2xui8>", [255, 255]),
        ('dense<"0x0102"> : tensor<2xi8>', [1, 2]),
        ('dense<"0x07"> : tensor<3xi8>', [7, 7, 7]),
        ('dense<"0x0000803F"> : tensor<2xf32>', [1.0, 1.0]),
        ("dense<[1, 2.5, -0.0]> : tensor<3xf32>", [1.0, 2.5, 0.0]),
    ],
)
def test_constants(literal: str, expected: list[float]) -> None:
    assert weights_of(create_context()).array(constant(literal)).reshape(-1).tolist() == expected


def test_complex_numbers_are_left_to_xdsl() -> None:
    assert constant("dense<(1.0, 2.0)> : tensor<1xcomplex<f32>>").get_values() == ((1.0, 2.0),)


@pytest.mark.parametrize("count", [3, 8, 9, 200])
def test_bits_as_mlir_packs_them(count: int) -> None:
    bits = np.random.default_rng(count).integers(0, 2, count).astype(bool)
    bits[:2] = (True, False)
    packed = np.packbits(bits, bitorder="little").tobytes().hex()
    attribute = constant(f'dense<"0x{packed}"> : tensor<{count}xi1>')
    assert np.array_equal(weights_of(create_context()).array(attribute), bits)


def test_three_byte_integers_as_mlir_packs_them() -> None:
    assert constant('dense<"0x010000FFFFFF"> : tensor<2xi24>').get_values() == (1, -1)


@pytest.mark.parametrize(
    ("literal", "reason"),
    [
        ("dense<300> : tensor<2xi8>", "300 does not fit i8"),
        ("dense<-1> : tensor<2xui8>", "Expected non-negative integer values"),
        ("dense<1.5> : tensor<2xi8>", "Expected integer value"),
        ("dense<1.0e300> : tensor<2xf32>", "does not fit f32"),
        ("dense<0x1FFFFFFFF> : tensor<2xf32>", "does not fit f32"),
        ("dense<[1, 2, 3]> : tensor<2xi8>", "has shape [3], its type [2]"),
        ("dense<[[1], [2, 3]]> : tensor<3xi8>", "inconsistent ranks"),
        ("dense<> : tensor<2xi8>", "its type [2]"),
        ('dense<"0x010203"> : tensor<2xi8>', "has 3 bytes, its type 2 elements of 1"),
        ('dense<"0x01zz"> : tensor<2xi8>', "not a hexadecimal string"),
        ('dense<"nonsense"> : tensor<2xi8>', "not a hexadecimal string"),
        ("dense<1> : tensor<?xi8>", "static shape"),
        ("dense<0> : tensor<1000000000x1000000000xi8>", "too large for text"),
        ("dense<0.0> : tensor<4294967296xf64>", "too large for text"),
    ],
)
def test_constants_that_are_wrong(literal: str, reason: str) -> None:
    message = error_of(f'"test.op"() {{value = {literal}}} : () -> ()')
    assert message.startswith("x.mlir:1:")
    assert reason in message


# Locations.


def test_an_operation_knows_its_line() -> None:
    inner = parse_module(create_context(), 'module {\n\n  %a, %b = "test.op"() : () -> (i1, i1)\n}', "x.mlir")
    first = inner.body.block.first_op
    assert first is not None
    assert str(first.location) == 'loc("x.mlir":3:3)'
    assert str(inner.location) == 'loc("x.mlir":1:1)'


def test_a_location_in_the_text_wins() -> None:
    op = operation('"test.op"() : () -> () loc("layer1"("model.py":31:0))')
    assert isinstance(op.location, NameLoc)
    assert isinstance(operation('"test.op"() : () -> () loc(unknown)').location, UnknownLoc)


def test_a_location_of_something_else_does_not_count() -> None:
    assert isinstance(operation('"test.op"() {value = loc(unknown)} : () -> ()').location, FileLineColLoc)
    nested = operation('"test.op"() ({\n  "test.op"() : () -> () loc(unknown)\n}) : () -> ()')
    assert isinstance(nested.location, FileLineColLoc)
    inner = nested.regions[0].block.first_op
    assert inner is not None
    assert isinstance(inner.location, UnknownLoc)


# Strings.


@pytest.mark.parametrize("parser", PARSERS)
def test_escaped_utf8_is_text(parser: type[Parser]) -> None:
    op = operation('"test.op"() {value = "caf\\C3\\A9"} : () -> ()', parser=parser)
    assert op.attributes["value"] == StringAttr("café")


def test_a_string_that_is_not_closed_is_found_at_once() -> None:
    # Stock xDSL takes 2 to the power of the string's length: a file cut within a resource would never be read.
    start = time.perf_counter()
    message = error_of('{-# dialect_resources: { builtin: { w: "0x04000000' + "0" * 10_000)
    assert "this string is not closed" in message
    assert time.perf_counter() - start < 1


# Resources.

RESOURCE = """
"test.op"() {{value = dense_resource<{key}> : tensor<{type}>}} : () -> ()
{{-# dialect_resources: {{ builtin: {{ {key}: "{text}" }} }} #-}}
"""


def test_a_resource_is_typed() -> None:
    context = create_context()
    module = parse_module(context, RESOURCE.format(key="w", type="2xi16", text="0x0400000001000200"))
    first = module.body.block.first_op
    assert first is not None
    assert weights_of(context).array(first.attributes["value"]).tolist() == [1, 2]


def test_a_resource_keeps_its_name_when_it_is_read_again() -> None:
    context = create_context()
    text = RESOURCE.format(key="w", type="2xi16", text="0x0400000001000200")
    assert str(parse_module(context, text)) == str(parse_module(context, text))


def test_a_foreign_resource_is_kept_as_text() -> None:
    context = create_context()
    parse_module(context, RESOURCE.format(key="w", type="2xf16", text="0x0400000001000200"))
    assert weights_of(context).lookup("w") == "0x0400000001000200"


@pytest.mark.parametrize(
    ("key", "type", "text", "reason"),
    [
        ("w", "2xi16", "0x04000000010002", "has 3 bytes, which is not shape (2,) of i16"),
        ("w", "2xi16", "0x04", "not hexadecimal text"),
        ("w", "2xi16", "0x04000000zz", "non-hexadecimal"),
        ("w", "2xi16", "04000000", "not hexadecimal text"),
        ("w_0123456789abcdef", "2xi16", "0x0400000001000200", "damaged: its content does not match its name"),
    ],
)
def test_resources_that_are_wrong(key: str, type: str, text: str, reason: str) -> None:
    assert reason in error_of(RESOURCE.format(key=key, type=type, text=text))


def test_external_resources_are_returned() -> None:
    text = 'module {}\n{-# external_resources: { mlir_reproducer: { pipeline: "a,b", verify_each: true, n: -3 } } #-}'
    _, external = parse_with_resources(create_context(), text)
    assert external == {"mlir_reproducer": {"pipeline": "a,b", "verify_each": True, "n": -3}}


# Errors.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.mlir:1:1: error: the text is empty"),
        ("func.func @f( {", "x.mlir:1:15: error: Expected argument or type"),
        (
            'module {\n  %0 = "test.op"() : () -> i1\n',
            "x.mlir:3:1: error: the text ends too early: expected an operation",
        ),
        ("\n  foo.bar", "x.mlir:2:3: error: operation 'foo.bar' is not known"),
        ("module {} }", "x.mlir:1:11: error: expected an operation"),
        ("module {} \x00", "x.mlir:1:11: error: Unexpected character: \\x00"),
        ('"test.op"(%a) : (i1) -> ()', "x.mlir:1:11: error: value %a is not defined"),
        ("module {}\n{-# nonsense: 3 #-}", "x.mlir:2:15: error: got an unexpected key in file metadata: nonsense"),
        (b"module {\n  \xff\xfe }", "x.mlir:2:3: error: this is not text (invalid UTF-8)"),
        (b"module {\n}\n\xe9", "x.mlir:3:1: error: this is not text (invalid UTF-8)"),
        (bytes(range(256)), "x.mlir:2:118: error: this is not text (invalid UTF-8)"),
    ],
)
def test_errors_say_where(text: str | bytes, message: str) -> None:
    assert error_of(text) == message


@pytest.mark.parametrize("text", ["module {" * 3000, '"test.op"() ({' * 3000, "dense<" + "[" * 5000, "tuple<" * 5000])
def test_deep_nesting_is_an_error(text: str) -> None:
    assert "error: " in error_of(text if text.startswith(("m", '"')) else f'"test.op"() {{value = {text}')


def test_invalid_ir_is_an_error_with_its_line() -> None:
    text = 'module {\n  %x = "test.op"() : () -> tensor<2xf32>\n  %y = ann.relu %x : tensor<2xf32> -> tensor<3xf32>\n}'
    with pytest.raises(VerificationError, match=r"^x\.mlir:3:3: error: 'ann\.relu' "):
        parse_module(create_context(), text, "x.mlir")


def test_a_file_with_its_side_file(tmp_path: Path) -> None:
    store = weights_of(create_context())
    array = np.arange(100, dtype=np.int32)
    attribute = store.add(array, "w")
    assert isinstance(attribute, DenseResourceAttr)
    store.save(tmp_path / "w.safetensors", [attribute.resource_handle.data])
    source = f'module attributes {{nc.weights = "w.safetensors", test.value = {attribute}}} {{}}'
    (tmp_path / "x.mlir").write_text(source)
    context = create_context()
    module = load_module(context, tmp_path / "x.mlir")
    assert np.array_equal(weights_of(context).array(module.attributes["test.value"]), array)

    (tmp_path / "w.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"w\.safetensors: cannot read weights"):
        load_module(create_context(), tmp_path / "x.mlir")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ParsingError, match=r"none\.mlir: error: cannot read: No such file or directory"):
        load_module(create_context(), tmp_path / "none.mlir")
