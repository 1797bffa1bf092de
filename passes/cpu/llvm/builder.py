"""A structured builder of xDSL's `llvm` dialect: loops and branches as `with` blocks, arithmetic as calls.

    with b.loop(0, 64, step=16, carried=(zero,)) as turn:
        row = b.load(vector(i8, 16), b.at(weights, turn.index, i8), align=16)
        turn.next(b.add(turn.values[0], b.extend(row, vector(i16, 16))))
    (total,) = turn.results

Places are counted in 64 bits (`sum_of` adds them up), everything else has the type of its first operand. A Python
number becomes a constant of the other operand's type, in every lane. Integers wrap. Floats are computed as written.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TypeAlias, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import (
    AnyFloat,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    Float32Type,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    UnitAttr,
    VectorType,
    f32,
    f64,
    i1,
    i8,
    i16,
    i32,
    i64,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

__all__ = ["Builder", "Operand", "Turn", "element_of", "f32", "f64", "i1", "i8", "i16", "i32", "i64", "ptr", "vector"]

Operand: TypeAlias = SSAValue | int | float

ptr = llvm.LLVMPointerType()
_NONE: Mapping[str, Attribute] = {}
_WRAPS = {"overflowFlags": IntegerAttr(0, 32)}
_DOES_NOT_WRAP = {"overflowFlags": IntegerAttr(1, 32)}
_CUT = {"overflowFlags": llvm.OverflowAttr(None)}
_AS_WRITTEN = {"fastmathFlags": llvm.FastMathAttr(None)}
_ONE_PLACE = {
    "rawConstantIndices": DenseArrayBase.from_list(i32, (llvm.GEP_USE_SSA_VAL,)),
    "noWrapFlags": IntegerAttr(0, 32),
}
_INSIDE = {"inbounds": UnitAttr()}


@cache
def vector(element: Attribute, lanes: int) -> VectorType[Attribute]:
    """A vector type."""
    return VectorType(element, [lanes])


def element_of(kind: Attribute) -> Attribute:
    """The type of a lane; of a scalar, itself."""
    return kind.element_type if isinstance(kind, VectorType) else kind


def lanes_of(kind: Attribute) -> int:
    """How many lanes a type has; 1 for a scalar."""
    return kind.get_shape()[0] if isinstance(kind, VectorType) else 1


def like(kind: Attribute, element: Attribute) -> Attribute:
    """The type with other elements and as many lanes."""
    return vector(element, lanes_of(kind)) if isinstance(kind, VectorType) else element


def bits_of(kind: Attribute) -> int:
    """The bits of a lane."""
    element = element_of(kind)
    assert isinstance(element, IntegerType | Float32Type | Float64Type)
    return element.width.data if isinstance(element, IntegerType) else element.bitwidth


class Turn:
    """One turn of a loop, or the inside of a branch.

    `values` are the carried values as it begins, `next` says what they are as it ends, `results` are the last ones.
    """

    def __init__(self, values: Sequence[SSAValue], index: SSAValue | None = None) -> None:
        self.values = tuple(values)
        self.results = self.values
        self._index = index
        self.onward = self.values
        self.again: SSAValue | None = None

    @property
    def index(self) -> SSAValue:
        """The counter of a loop that counts."""
        assert self._index is not None
        return self._index

    def next(self, *values: SSAValue, again: SSAValue | None = None) -> None:
        """What is carried on; in a `repeat` also whether there is another turn."""
        assert len(values) == len(self.values)
        self.onward = values
        self.again = again


class Builder:
    """Appends operations to a function, block after block."""

    def __init__(self, body: Region) -> None:
        assert body.blocks
        self._region = body
        self._entry = body.blocks[0]
        self._block = self._entry
        self._constants: dict[tuple[Attribute, float | str], SSAValue] = {}
        self._undefined: dict[Attribute, SSAValue] = {}
        self._last_constant: Operation | None = None

    # Constants

    def constant(self, kind: Attribute, value: float) -> SSAValue:
        """A number of a type; a vector has it in every lane."""
        key = (kind, value if isinstance(value, int) else repr(value))  # 0.0 is not -0.0
        if key not in self._constants:
            self._constants[key] = self._hoisted(llvm.ConstantOp(_attribute(kind, value), kind))
        return self._constants[key]

    def lanes(self, element: Attribute, values: Sequence[int]) -> SSAValue:
        """A constant vector."""
        kind = vector(element, len(values))
        wrapped = [_wrapped(value, bits_of(element)) for value in values]
        dense = DenseIntOrFPElementsAttr.from_list(cast("VectorType[IntegerType]", kind), wrapped)
        return self._hoisted(llvm.ConstantOp(dense, kind))

    def _hoisted(self, op: Operation) -> SSAValue:
        """Constants stand at the function's beginning, in the order in which they were asked for."""
        if self._last_constant is not None:
            self._entry.insert_op_after(op, self._last_constant)
        elif self._entry.first_op is not None:
            self._entry.insert_op_before(op, self._entry.first_op)
        else:
            self._entry.add_op(op)
        self._last_constant = op
        return op.results[0]

    def _value(self, operand: Operand, kind: Attribute) -> SSAValue:
        return operand if isinstance(operand, SSAValue) else self.constant(kind, operand)

    def place(self, operand: Operand) -> SSAValue:
        """A number of 64 bits."""
        return self._value(operand, i64)

    def _pair(self, left: Operand, right: Operand) -> tuple[SSAValue, SSAValue]:
        kind = left.type if isinstance(left, SSAValue) else cast(SSAValue, right).type
        return self._value(left, kind), self._value(right, kind)

    def add_op(self, op: Operation) -> Operation:
        """Appends any operation of the `llvm` dialect."""
        self._block.add_op(op)
        return op

    def _add(
        self,
        kind: type[Operation],
        operands: Sequence[SSAValue],
        result: Attribute,
        properties: Mapping[str, Attribute] = _NONE,
    ) -> SSAValue:
        """Appends an operation with one result. `create` is much faster than constructors: kernels are large."""
        op = kind.create(operands=operands, result_types=(result,), properties=dict(properties))
        self._block.add_op(op)
        return op.results[0]

    # Places

    def sum_of(self, *terms: SSAValue | int | tuple[SSAValue, int]) -> SSAValue:
        """Places added up: values, (value, factor) pairs and numbers, without overflow."""
        total: SSAValue | None = None
        plain = 0
        for term in terms:
            if isinstance(term, int):
                plain += term
                continue
            value, factor = term if isinstance(term, tuple) else (term, 1)
            if factor == 0:
                continue
            scaled = value if factor == 1 else self._place_op(llvm.MulOp, value, factor)
            total = scaled if total is None else self._place_op(llvm.AddOp, total, scaled)
        if total is None:
            return self.place(plain)
        return self._place_op(llvm.AddOp, total, plain) if plain else total

    def _place_op(self, kind: type[llvm.AddOp | llvm.MulOp], left: SSAValue, right: Operand) -> SSAValue:
        return self._add(kind, (left, self.place(right)), i64, _DOES_NOT_WRAP)

    def at(self, pointer: SSAValue, place: Operand, element: Attribute = i8, *, inside: bool = True) -> SSAValue:
        """The pointer, so many elements on; bytes without an element type.

        It lies inside the memory that the first one points to, or just behind, unless it is said that it may not.
        """
        if place == 0:
            return pointer
        inbounds = _INSIDE if inside else _NONE
        properties = {**_ONE_PLACE, **inbounds, "elem_type": element}
        return self._add(llvm.GEPOp, (pointer, self.place(place)), ptr, properties)

    # Memory

    def load(self, kind: Attribute, pointer: SSAValue, *, align: int | None = None) -> SSAValue:
        """What stands at a pointer, a scalar or a vector; aligned to an element of it unless it is said."""
        return self._add(llvm.LoadOp, (pointer,), kind, _aligned(align or max(1, bits_of(kind) // 8)))

    def store(self, value: SSAValue, pointer: SSAValue, *, align: int | None = None) -> None:
        """Writes a value; aligned to an element of it unless it is said."""
        properties = dict(_aligned(align or max(1, bits_of(value.type) // 8)))
        self.add_op(llvm.StoreOp.create(operands=(value, self._untyped(pointer)), properties=properties))

    def _untyped(self, value: SSAValue) -> SSAValue:
        """A pointer without the type that llvmlite gives to what a `getelementptr` leads to."""
        return self._add(llvm.BitcastOp, (value,), ptr) if isinstance(value.owner, llvm.GEPOp) else value

    def load_masked(self, kind: Attribute, pointer: SSAValue, mask: SSAValue, otherwise: SSAValue) -> SSAValue:
        """What stands at a pointer in the lanes of a mask; elsewhere memory is not touched."""
        align = self.constant(i32, max(1, bits_of(kind) // 8))
        name = f"llvm.masked.load.{_mangled(kind)}.p0"
        return self.intrinsic(name, kind, pointer, align, mask, otherwise)

    def store_masked(self, value: SSAValue, pointer: SSAValue, mask: SSAValue) -> None:
        """Writes the lanes of a mask."""
        align = self.constant(i32, max(1, bits_of(value.type) // 8))
        self.call_intrinsic(f"llvm.masked.store.{_mangled(value.type)}.p0", value, pointer, align, mask)

    def scratch(self, size: int, align: int = 64) -> SSAValue:
        """Memory on the stack for the whole call, in bytes; keep it small."""
        place = self._hoisted(llvm.AllocaOp(self.constant(i64, 1), llvm.LLVMArrayType(size, i8), align))
        return self._hoisted(llvm.BitcastOp(place, ptr))

    def prefetch(self, pointer: SSAValue, *, locality: int = 3, write: bool = False) -> None:
        """Fetches a line into the cache; locality 3 is the first level, 2 the second."""
        numbers = [self.constant(i32, number) for number in (int(write), locality, 1)]
        self.call_intrinsic("llvm.prefetch.p0", pointer, *numbers)

    def copy_bytes(self, target: SSAValue, source: SSAValue, size: Operand) -> None:
        """memcpy."""
        self.call_intrinsic("llvm.memcpy.p0.p0.i64", target, source, self.place(size), self.constant(i1, 0))

    def clear_bytes(self, target: SSAValue, size: Operand) -> None:
        """memset to 0."""
        zero = self.constant(i8, 0)
        self.call_intrinsic("llvm.memset.p0.i64", target, zero, self.place(size), self.constant(i1, 0))

    # Arithmetic: the first operand's type, element by element

    def add(self, left: Operand, right: Operand) -> SSAValue:
        """left + right, of integers or floats."""
        return self._arithmetic(llvm.FAddOp, llvm.AddOp, left, right)

    def sub(self, left: Operand, right: Operand) -> SSAValue:
        """left - right, of integers or floats."""
        return self._arithmetic(llvm.FSubOp, llvm.SubOp, left, right)

    def mul(self, left: Operand, right: Operand) -> SSAValue:
        """left * right, of integers or floats."""
        return self._arithmetic(llvm.FMulOp, llvm.MulOp, left, right)

    def _arithmetic(
        self, of_floats: type[Operation], of_integers: type[Operation], left: Operand, right: Operand
    ) -> SSAValue:
        values = self._pair(left, right)
        if is_float(values[0]):
            return self._add(of_floats, values, values[0].type, _AS_WRITTEN)
        return self._add(of_integers, values, values[0].type, _WRAPS)

    def _plain(
        self, kind: type[Operation], left: Operand, right: Operand, properties: Mapping[str, Attribute] = _NONE
    ) -> SSAValue:
        values = self._pair(left, right)
        return self._add(kind, values, values[0].type, properties)

    def div(self, left: Operand, right: Operand) -> SSAValue:
        """left / right, of floats."""
        return self._plain(llvm.FDivOp, left, right, _AS_WRITTEN)

    def divide(self, left: Operand, right: Operand) -> SSAValue:
        """left / right of signed integers, rounded toward zero."""
        return self._plain(llvm.SDivOp, left, right)

    def remainder(self, left: Operand, right: Operand) -> SSAValue:
        """What is left of `divide`; of the sign of `left`."""
        return self._plain(llvm.SRemOp, left, right)

    def divide_unsigned(self, left: Operand, right: Operand) -> SSAValue:
        """left / right of unsigned integers."""
        return self._plain(llvm.UDivOp, left, right)

    def both(self, left: Operand, right: Operand) -> SSAValue:
        """Bits set in both."""
        return self._plain(llvm.AndOp, left, right)

    def either(self, left: Operand, right: Operand) -> SSAValue:
        """Bits set in either."""
        return self._plain(llvm.OrOp, left, right)

    def differ(self, left: Operand, right: Operand) -> SSAValue:
        """Bits set in one of both."""
        return self._plain(llvm.XOrOp, left, right)

    def invert(self, value: SSAValue) -> SSAValue:
        """Every bit the other way round."""
        return self.differ(value, -1)

    def shift_left(self, value: SSAValue, bits: Operand) -> SSAValue:
        """value << bits."""
        return self._plain(llvm.ShlOp, value, bits, _WRAPS)

    def shift_right(self, value: SSAValue, bits: Operand) -> SSAValue:
        """value >> bits, zeros come in."""
        return self._plain(llvm.LShrOp, value, bits)

    def shift_right_signed(self, value: SSAValue, bits: Operand) -> SSAValue:
        """value >> bits, the sign comes in: rounded down."""
        return self._plain(llvm.AShrOp, value, bits)

    def compare(self, how: str, left: Operand, right: Operand) -> SSAValue:
        """i1 per lane. Of integers: eq, ne, slt, sle, sgt, sge, ult, ule, ugt, uge; of scalar floats: oeq, olt, ..."""
        values = self._pair(left, right)
        result = like(values[0].type, i1)
        if is_float(values[0]):
            how_compared = IntegerAttr(llvm.FCmpPredicateFlag(how).to_int(), i64)
            return self._add(llvm.FCmpOp, values, result, {"predicate": how_compared, **_AS_WRITTEN})
        return self._add(llvm.ICmpOp, values, result, {"predicate": _predicate(how)})

    def select(self, condition: SSAValue, then: Operand, otherwise: Operand) -> SSAValue:
        """`then` where the condition holds. Per lane with a vector of conditions, of integers."""
        first, second = self._pair(then, otherwise)
        if not isinstance(condition.type, VectorType):
            return self._add(llvm.SelectOp, (condition, first, second), first.type, _AS_WRITTEN)
        # xDSL 0.74 selects with scalar conditions alone; LLVM makes one instruction of this.
        mask = self.extend(condition, first.type)
        if isinstance(then, int) and then == 0:
            return self.both(self.invert(mask), second)
        if isinstance(otherwise, int) and otherwise == 0:
            return self.both(mask, first)
        return self.either(self.both(mask, first), self.both(self.invert(mask), second))

    def largest(self, left: Operand, right: Operand) -> SSAValue:
        """The larger one of signed integers."""
        return self._binary("llvm.smax", left, right)

    def least(self, left: Operand, right: Operand) -> SSAValue:
        """The smaller one of signed integers."""
        return self._binary("llvm.smin", left, right)

    def _binary(self, name: str, left: Operand, right: Operand) -> SSAValue:
        first, second = self._pair(left, right)
        return self.intrinsic(f"{name}.{_mangled(first.type)}", first.type, first, second)

    # Types: the result's element type is said, lanes stay

    def extend(self, value: SSAValue, kind: Attribute) -> SSAValue:
        """Signed integers made wider."""
        return self._cast(llvm.SExtOp, value, kind)

    def extend_unsigned(self, value: SSAValue, kind: Attribute) -> SSAValue:
        """Unsigned integers made wider."""
        return self._cast(llvm.ZExtOp, value, kind)

    def truncate(self, value: SSAValue, kind: Attribute) -> SSAValue:
        """The low bits of integers."""
        return self._cast(llvm.TruncOp, value, kind)

    def _cast(self, kind: type[llvm.SExtOp | llvm.ZExtOp | llvm.TruncOp], value: SSAValue, to: Attribute) -> SSAValue:
        target = like(value.type, element_of(to))
        if target == value.type:
            return value
        return self._add(kind, (value,), target, _CUT if kind is llvm.TruncOp else _NONE)

    def resize(self, value: SSAValue, kind: Attribute, *, signed: bool = True) -> SSAValue:
        """Integers of another width: extended by sign or by zeros, or cut."""
        if bits_of(kind) < bits_of(value.type):
            return self.truncate(value, kind)
        return self.extend(value, kind) if signed else self.extend_unsigned(value, kind)

    def to_float(self, value: SSAValue, kind: Attribute) -> SSAValue:
        """Signed integers as floats, rounded to nearest."""
        return self._add(llvm.SIToFPOp, (value,), like(value.type, element_of(kind)))

    def to_integer(self, value: SSAValue, kind: Attribute) -> SSAValue:
        """Floats as signed integers, toward zero; what does not fit saturates, NaN is 0."""
        target = like(value.type, element_of(kind))
        return self.intrinsic(f"llvm.fptosi.sat.{_mangled(target)}.{_mangled(value.type)}", target, value)

    def resize_float(self, value: SSAValue, kind: Attribute) -> SSAValue:
        """Floats of another width, rounded to nearest."""
        target = like(value.type, element_of(kind))
        if bits_of(target) == bits_of(value.type):
            return value
        narrower = bits_of(target) < bits_of(value.type)
        return self._add(llvm.FPTruncOp if narrower else llvm.FPExtOp, (value,), target)

    def bitcast(self, value: SSAValue, kind: Attribute) -> SSAValue:
        """The same bits as another type: `vector(i1, 64)` as i64, `vector(i8, 64)` as `vector(i32, 16)`."""
        return value if value.type == kind else self._add(llvm.BitcastOp, (value,), kind)

    def null(self) -> SSAValue:
        """The pointer to nothing."""
        return self._hoisted(llvm.ZeroOp(result_types=[ptr]))

    def address(self, pointer: SSAValue) -> SSAValue:
        """A pointer as a number of 64 bits."""
        return self._add(llvm.PtrToIntOp, (pointer,), i64)

    # Vectors

    def splat(self, value: SSAValue, lanes: int) -> SSAValue:
        """A scalar in every lane."""
        kind = vector(value.type, lanes)
        if kind not in self._undefined:
            self._undefined[kind] = self._hoisted(llvm.UndefOp(kind))
        first = self._add(llvm.InsertElementOp, (self._undefined[kind], value, self.constant(i32, 0)), kind)
        return self.shuffle(first, first, [0] * lanes)

    def shuffle(self, left: SSAValue, right: SSAValue, lanes: Sequence[int]) -> SSAValue:
        """Lanes of two vectors in a row: 0 is the first of `left`, and the first of `right` follows its last."""
        kind = vector(element_of(left.type), len(lanes))
        return self._add(
            llvm.ShuffleVectorOp, (left, right), kind, {"mask": DenseArrayBase.from_list(i32, list(lanes))}
        )

    def lane(self, value: SSAValue, index: int) -> SSAValue:
        """One lane of a vector of numbers."""
        return self.bitcast(self.shuffle(value, value, [index]), element_of(value.type))

    def reduce_add(self, value: SSAValue) -> SSAValue:
        """The sum of all lanes of integers."""
        return self.intrinsic(f"llvm.vector.reduce.add.{_mangled(value.type)}", element_of(value.type), value)

    # Intrinsics

    def intrinsic(self, name: str, kind: Attribute, *arguments: SSAValue) -> SSAValue:
        """Calls an LLVM intrinsic by its full name: "llvm.ctpop.i64"."""
        return self._add(
            llvm.CallIntrinsicOp, [self._untyped(each) for each in arguments], kind, _called(name, len(arguments))
        )

    def call_intrinsic(self, name: str, *arguments: SSAValue) -> None:
        """Calls an LLVM intrinsic that gives nothing."""
        operands, properties = [self._untyped(each) for each in arguments], dict(_called(name, len(arguments)))
        self.add_op(llvm.CallIntrinsicOp.create(operands=operands, properties=properties))

    def count_ones(self, value: SSAValue) -> SSAValue:
        """How many bits are set."""
        return self.intrinsic(f"llvm.ctpop.{_mangled(value.type)}", value.type, value)

    def first_one(self, value: SSAValue) -> SSAValue:
        """The lowest bit that is set; there has to be one."""
        return self.intrinsic(f"llvm.cttz.{_mangled(value.type)}", value.type, value, self.constant(i1, 1))

    def call(self, function: str, *arguments: SSAValue) -> None:
        """Calls a function of the module that gives nothing."""
        self.add_op(llvm.CallOp(function, *arguments))

    def finish(self) -> None:
        """Returns."""
        self.add_op(llvm.ReturnOp())

    # Control

    @contextmanager
    def loop(
        self, begin: Operand, end: Operand, *, step: Operand = 1, carried: Sequence[SSAValue] = ()
    ) -> Generator[Turn]:
        """Counts from `begin` while below `end`."""
        header, body, behind = Block(arg_types=[i64, *(value.type for value in carried)]), Block(), Block()
        last = self.place(end)
        self.add_op(llvm.BrOp(header, self.place(begin), *carried))
        self._enter(header)
        index, *values = header.args
        self.add_op(llvm.CondBrOp(self.compare("slt", index, last), body, [], behind, []))
        self._enter(body)
        turn = Turn(values, index)
        yield turn
        onward = self._place_op(llvm.AddOp, index, step)
        self.add_op(llvm.BrOp(header, onward, *turn.onward))
        self._enter(behind)

    @contextmanager
    def repeat(self, carried: Sequence[SSAValue]) -> Generator[Turn]:
        """Turns, one at least, for as long as `next(..., again=...)` says so."""
        body, behind = Block(arg_types=[value.type for value in carried]), Block()
        self.add_op(llvm.BrOp(body, *carried))
        self._enter(body)
        turn = Turn(body.args)
        yield turn
        assert turn.again is not None, "a repeat says whether there is another turn"
        self.add_op(llvm.CondBrOp(turn.again, body, turn.onward, behind, []))
        turn.results = turn.onward
        self._enter(behind)

    @contextmanager
    def when(self, condition: SSAValue, carried: Sequence[SSAValue] = ()) -> Generator[Turn]:
        """Does what is inside where the condition holds; carried values stay as they are otherwise."""
        inside, behind = Block(), Block(arg_types=[value.type for value in carried])
        self.add_op(llvm.CondBrOp(condition, inside, [], behind, carried))
        self._enter(inside)
        turn = Turn(carried)
        yield turn
        self.add_op(llvm.BrOp(behind, *turn.onward))
        turn.results = tuple(behind.args)
        self._enter(behind)

    def _enter(self, block: Block) -> None:
        self._region.add_block(block)
        self._block = block


def is_float(value: SSAValue) -> bool:
    """Whether a value, or each lane of it, is a floating-point number."""
    return isinstance(element_of(value.type), Float32Type | Float64Type)


@cache
def _aligned(size: int) -> Mapping[str, Attribute]:
    return {"ordering": IntegerAttr(0, i64), "alignment": IntegerAttr(size, i64)}


@cache
def _called(name: str, arguments: int) -> Mapping[str, Attribute]:
    return {
        **_AS_WRITTEN,
        "intrin": StringAttr(name),
        "op_bundle_sizes": DenseArrayBase.from_list(i32, ()),
        "operandSegmentSizes": DenseArrayBase.from_list(i32, (arguments, 0)),
    }


@cache
def _predicate(how: str) -> IntegerAttr[IntegerType]:
    return IntegerAttr(llvm.ICmpPredicateFlag(how).to_int(), i64)


def _wrapped(value: int, bits: int) -> int:
    """The signed number with the same low bits."""
    low = value & (2**bits - 1)
    return low - 2**bits if bits > 1 and low >= 2 ** (bits - 1) else low


def _attribute(kind: Attribute, value: float) -> Attribute:
    element = element_of(kind)
    if isinstance(element, IntegerType):
        number = _wrapped(int(value), element.width.data)
        if isinstance(kind, VectorType):
            return DenseIntOrFPElementsAttr.from_list(cast("VectorType[IntegerType]", kind), [number] * lanes_of(kind))
        return IntegerAttr(number, element)
    if isinstance(kind, VectorType):
        return DenseIntOrFPElementsAttr.from_list(cast("VectorType[AnyFloat]", kind), [float(value)] * lanes_of(kind))
    assert isinstance(element, Float32Type | Float64Type)
    return FloatAttr(float(value), element)


@cache
def _mangled(kind: Attribute) -> str:
    """A type in an intrinsic's name: i32, f64, v16i8."""
    element = element_of(kind)
    letter = "i" if isinstance(element, IntegerType) else "f"
    lanes = f"v{lanes_of(kind)}" if isinstance(kind, VectorType) else ""
    return f"{lanes}{letter}{bits_of(kind)}"
