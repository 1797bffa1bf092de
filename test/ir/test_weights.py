"""The weight store: names from content, nothing that goes in or out can be changed, side files that are checked."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from xdsl.dialects.builtin import DenseArrayBase, DenseIntOrFPElementsAttr, DenseResourceAttr, TensorType, f16, f32, i8
from xdsl.ir import Attribute

from neurocuda.errors import WeightsError, WriteError
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.weights import INLINE_ELEMENTS, WeightStore

Array = NDArray[Any]

DTYPES = ("float32", "float64", "bool", "int8", "int16", "int32", "int64", "uint8")


def named(attribute: object) -> str:
    """The key of a large constant."""
    assert isinstance(attribute, DenseResourceAttr)
    return attribute.resource_handle.data


def large(dtype: str = "float32", seed: int = 0) -> Array:
    """An array that is not inline."""
    return np.random.default_rng(seed).integers(0, 2, (8, 25)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (3, 4), (0,), (INLINE_ELEMENTS,), (INLINE_ELEMENTS + 1,), (5, 6, 7)])
def test_an_array_comes_back(dtype: str, shape: tuple[int, ...]) -> None:
    store = WeightStore()
    array = np.asarray(np.random.default_rng(1).integers(0, 2, shape)).astype(dtype)
    back = store.array(store.add(array, "x"))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


def test_small_is_inline_and_large_is_named() -> None:
    store = WeightStore()
    assert isinstance(store.add(np.zeros(INLINE_ELEMENTS, np.int8)), DenseIntOrFPElementsAttr)
    assert isinstance(store.add(np.zeros(INLINE_ELEMENTS + 1, np.int8)), DenseResourceAttr)


def test_equal_tensors_have_equal_attributes() -> None:
    store = WeightStore()
    assert store.add(large(), "w") == store.add(large().copy(), "w")
    assert store.add(large(), "w") != store.add(large(seed=1), "w")


def test_the_name_depends_on_the_element_type() -> None:
    store = WeightStore()
    zeros = np.zeros(100, np.int32)
    assert named(store.add(zeros, "w")) != named(store.add(zeros.view(np.float32), "w"))


def test_the_name_is_the_same_in_every_process() -> None:
    assert named(WeightStore().add(np.arange(100, dtype=np.int32), "layer1.0.conv")) == "layer1_0_conv_0960e025575274d4"


@pytest.mark.parametrize("name", ["", "1x", "é", "a b", "layer1.0.conv1.weight", "x" * 200, "-", 'a"b'])
def test_the_name_is_a_bare_identifier(name: str) -> None:
    key = named(WeightStore().add(large(), name))
    assert key.isidentifier()
    assert key.isascii()


def test_arrays_are_copied_unless_they_cannot_change() -> None:
    store = WeightStore()
    array = large()
    attribute = store.add(array)
    expected = array.copy()
    array[:] = 7
    assert np.array_equal(store.array(attribute), expected)

    frozen = store.array(attribute)
    assert np.shares_memory(store.array(store.add(frozen, "again")), frozen)


def test_a_read_only_view_of_a_writable_array_is_copied() -> None:
    store = WeightStore()
    array = large()
    view = array.view()
    view.flags.writeable = False
    attribute = store.add(view)
    array[:] = 7
    assert not np.array_equal(store.array(attribute), array)


def test_what_comes_out_is_read_only() -> None:
    store = WeightStore()
    for array in (large(), np.ones(3, np.float32), np.ones(3, np.bool_), large("bool")):
        assert not store.array(store.add(array)).flags.writeable


def test_order_and_byte_order_do_not_matter() -> None:
    store = WeightStore()
    array = np.random.default_rng(0).standard_normal((20, 30)).astype(np.float32)
    assert store.add(np.asfortranarray(array), "w") == store.add(array, "w")
    assert store.add(array.astype(">f4"), "w") == store.add(array, "w")
    assert store.add(array.T, "w") == store.add(np.ascontiguousarray(array.T), "w")


@pytest.mark.parametrize("dtype", ["float16", "complex64", "uint16", "object", "datetime64[s]"])
def test_other_dtypes_are_refused(dtype: str) -> None:
    with pytest.raises(WeightsError, match="'w' have dtype"):
        WeightStore().add(np.zeros(3, dtype), "w")


def test_something_else_than_an_array_is_refused() -> None:
    with pytest.raises(WeightsError, match="'w' are a list, expected a NumPy array"):
        WeightStore().add([1.0], "w")  # pyright: ignore[reportArgumentType]


def test_dense_arrays_are_read_too() -> None:
    assert WeightStore().array(DenseArrayBase.from_list(i8, [1, 2])).tolist() == [1, 2]


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(WeightsError, match="weights 'w_1' are not at hand"):
        WeightStore().array(DenseResourceAttr.from_params("w_1", TensorType(f32, [100])))


@pytest.mark.parametrize("wrong", [TensorType(f32, [99]), TensorType(i8, [800]), TensorType(f16, [400])])
def test_a_type_that_does_not_fit_is_an_error(wrong: TensorType[Attribute]) -> None:
    store = WeightStore()
    key = named(store.add(np.zeros(200, np.float32), "w"))
    with pytest.raises(WeightsError, match="which"):
        store.array(DenseResourceAttr.from_params(key, wrong))


def test_every_context_has_its_own_store() -> None:
    one, other = create_context(), create_context()
    key = named(weights_of(one).add(large()))
    assert key in weights_of(one)
    assert key not in weights_of(other)
    assert weights_of(one.clone()) is weights_of(one)


def saved(folder: Path, *arrays: Array) -> tuple[Path, list[DenseResourceAttr]]:
    """A side file of arrays, and their attributes."""
    store = WeightStore()
    attributes = [store.add(array, f"w{index}") for index, array in enumerate(arrays)]
    path = folder / "w.safetensors"
    store.save(path, map(named, attributes))
    return path, [attribute for attribute in attributes if isinstance(attribute, DenseResourceAttr)]


def test_side_files_come_back(tmp_path: Path) -> None:
    arrays = [large(dtype) for dtype in DTYPES]
    path, attributes = saved(tmp_path, *arrays)
    store = WeightStore()
    assert store.load(path) == {named(attribute) for attribute in attributes}
    for array, attribute in zip(arrays, attributes, strict=True):
        assert np.array_equal(store.array(attribute), array)
        assert store.source(named(attribute)) == path


def test_the_safetensors_library_reads_side_files(tmp_path: Path) -> None:
    from safetensors.numpy import load_file  # pyright: ignore[reportUnknownVariableType]

    arrays = [large(dtype) for dtype in DTYPES]
    path, attributes = saved(tmp_path, *arrays)
    loaded = load_file(path)
    for array, attribute in zip(arrays, attributes, strict=True):
        assert np.array_equal(loaded[named(attribute)], array)


def test_we_read_what_the_safetensors_library_writes(tmp_path: Path) -> None:
    from safetensors.numpy import save_file  # pyright: ignore[reportUnknownVariableType]

    save_file({"conv": large(), "bias": large("int8")}, tmp_path / "w.safetensors", metadata={"format": "np"})
    store = WeightStore()
    assert store.load(tmp_path / "w.safetensors") == {"conv", "bias"}
    assert np.array_equal(store.array(DenseResourceAttr.from_params("conv", TensorType(f32, [8, 25]))), large())


def test_the_same_tensors_give_the_same_file(tmp_path: Path) -> None:
    arrays = [large(dtype, seed) for seed, dtype in enumerate(DTYPES)]
    store = WeightStore()
    keys = [named(store.add(array, "w")) for array in arrays]
    store.save(tmp_path / "a", keys)
    store.save(tmp_path / "b", reversed(keys))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_side_file_from_memory(tmp_path: Path) -> None:
    path, attributes = saved(tmp_path, large())
    store = WeightStore()
    store.read(path.read_bytes(), "model.nca/weights")
    assert np.array_equal(store.array(attributes[0]), large())


def test_an_unknown_name_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="'w' are not at hand"):
        WeightStore().save(tmp_path / "w.safetensors", ["w"])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    store = WeightStore()
    with pytest.raises(WriteError, match="cannot write: No such file or directory"):
        store.save(tmp_path / "none" / "w.safetensors", [named(store.add(large()))])


@pytest.mark.parametrize("size", [0, 4, 20, 60, -1])
def test_truncated_side_files(tmp_path: Path, size: int) -> None:
    path, _ = saved(tmp_path, large())
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(WeightsError, match=r"w\.safetensors: .*(truncated|empty|not JSON)"):
        WeightStore().load(path)


def test_a_missing_side_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot read weights: No such file"):
        WeightStore().load(tmp_path / "none.safetensors")


def test_a_flipped_bit_is_found_and_named(tmp_path: Path) -> None:
    path, attributes = saved(tmp_path, large())
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=f"tensor '{named(attributes[0])}' is damaged"):
        WeightStore().load(path)


def test_a_name_cannot_stand_for_two_tensors() -> None:
    store = WeightStore()
    store.parse_resource("w", "0x0400000001000000")
    store.declare(DenseResourceAttr.from_params("w", TensorType(i8, [4])))
    with pytest.raises(ValueError, match="'w' stands for two different tensors"):
        store.parse_resource("w", "0x0400000002000000")


def entry(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"a": entry(offsets=(0, 9))}, "lies outside the file"),
        ({"a": entry(offsets=(0, 4))}, "has 4 bytes"),
        ({"a": entry(shape=(10**9, 10**9))}, "is not shape"),
        ({"a": entry(shape=(-2,))}, "malformed description"),
        ({"a": entry(shape=(True, 2))}, "malformed description"),
        ({"a": entry(shape="ab")}, "malformed description"),
        ({"a": entry(offsets=(8, 0))}, "lies outside the file"),
        ({"a": entry(offsets=(0, 8, 9))}, "malformed description"),
        ({"a": entry(dtype="BF16")}, "has dtype BF16"),
        ({"a": entry(dtype=3)}, "malformed description"),
        ({"a": 3}, "malformed description"),
        ({"a": entry(shape=(1,), offsets=(4, 8))}, "leaves a gap"),
        ({"a": entry(), "b": entry()}, "overlaps"),
        ({}, "end at byte 0 of 8"),
        ([], "not a JSON object"),
        ("nonsense", "not a JSON object"),
    ],
)
def test_headers_that_lie(tmp_path: Path, header: object, reason: str) -> None:
    text = json.dumps(header).encode()
    (tmp_path / "w").write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 8)
    with pytest.raises(WeightsError, match=reason):
        WeightStore().load(tmp_path / "w")


@pytest.mark.parametrize("length", [2**63, 2**40, 10**8 + 1, 17])
def test_a_header_length_that_lies(length: int) -> None:
    with pytest.raises(WeightsError, match="does not fit"):
        WeightStore().read(struct.pack("<Q", length) + b"{}", "w")


@given(st.binary(max_size=200))
def test_garbage_is_an_error_in_one_line(content: bytes) -> None:
    try:
        WeightStore().read(content, "w")
    except WeightsError as reason:
        assert "\n" not in str(reason)  # noqa: PT017  a valid empty file may come by
