"""Follows the batch axis through a graph, and writes every ATen call as if there were only one image.

torch computes on (batch, channels, height, width); the IR has no batch axis. A rule takes one call, finds out where the
batch lies in its result, renumbers axis arguments and rewrites shape arguments, and refuses calls that mix, reduce or
index the batch. Two facts carry all rules: where the batch lies (`BatchAxis`), and that a reshape keeps the number of
elements before it. The batch may be merged with other axes for a while, as attention does with its heads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Final, TypeAlias, cast

from xdsl.ir import SSAValue

from neurocuda.frontend.operands import Constant, Refusal, Shape

MANY: Final = 1_000_003
"""The number of images that symbolic sizes are evaluated for: a prime larger than any other axis, so that a size holds
the batch where it is divisible by it."""


@dataclass(frozen=True)
class BatchAxis:
    """The batch is a factor of axis `axis`, whose elements count as (outer, batch, inner)."""

    axis: int
    outer: int = 1
    inner: int = 1

    @property
    def alone(self) -> bool:
        """Whether nothing is merged with the batch, so that the axis vanishes from the IR."""
        return self.outer * self.inner == 1

    def without(self, shape: Shape) -> Shape:
        """A torch shape as the IR has it."""
        merged = () if self.alone else (self.outer * self.inner,)
        return *shape[: self.axis], *merged, *shape[self.axis + 1 :]

    def before(self, shape: Shape) -> int:
        """How many elements lie before the batch in row-major order."""
        return prod(shape[: self.axis]) * self.outer

    def renumbered(self, dim: int, rank: int) -> int:
        """An axis of torch as the IR counts it.

        Raises:
            Refusal: it is the batch axis.
        """
        dim = normalised(dim, rank)
        if dim == self.axis:
            raise Refusal("it works along the batch axis", "every image must be computed on its own")
        return dim - (self.alone and dim > self.axis)

    def without_constant(self, constant: Constant, rank: int) -> Constant:
        """A constant that meets a tensor of `rank` axes, without the axis that meets the batch.

        Raises:
            Refusal: it differs from image to image.
        """
        axis = self.axis - (rank - constant.tensor.dim())
        if axis < 0:
            return constant
        one = constant.tensor.narrow(axis, 0, 1)
        if not bool((constant.tensor == one).all()):
            raise Refusal(f"constant '{constant.name}' differs from image to image")
        return replace(constant, tensor=one.squeeze(axis) if self.alone else one)


@dataclass(frozen=True)
class Traced:
    """A tensor that depends on the input: its value in the IR, its shape in torch, and where the batch lies in that."""

    value: SSAValue
    shape: Shape
    batch: BatchAxis


def normalised(dim: int, rank: int) -> int:
    """A possibly negative axis as a position in 0 ... rank - 1."""
    return dim + rank if dim < 0 else dim


def locate(shape: Shape, before: int, batch: int) -> BatchAxis:
    """Where the batch lies in a shape that has `before` elements ahead of it.

    Raises:
        Refusal: nowhere as a whole.
    """
    prefixes = [prod(shape[:axis]) for axis in range(len(shape))]
    for axis, (prefix, size) in enumerate(zip(prefixes, shape, strict=True)):
        if prefix == before and size == batch:
            return BatchAxis(axis)
    for axis, (prefix, size) in enumerate(zip(prefixes, shape, strict=True)):
        outer, rest = divmod(before, prefix) if prefix else (0, 1)
        if outer and not rest and size and not size % (outer * batch):
            return BatchAxis(axis, outer, size // (outer * batch))
    raise Refusal("it takes the batch apart", "reshape within one image only")


@dataclass(frozen=True)
class Call:
    """One ATen call: arguments by name, tensors as `Traced` or `Constant`; the shape of its first result; the batch."""

    arguments: Mapping[str, object]
    shape: Shape
    batch: int

    def traced(self, name: str = "x") -> Traced:
        """A tensor argument that must depend on the input.

        Raises:
            Refusal: it is a constant.
        """
        operand = self.arguments[name]
        if not isinstance(operand, Traced):
            raise Refusal("it applies weights that depend on the input to a constant")
        return operand

    def integer(self, name: str) -> int:
        """An argument that is one integer."""
        return cast(int, self.arguments[name])

    def integers(self, name: str) -> Sequence[int]:
        """An argument that is a list of integers, or one of them."""
        value = self.arguments[name]
        return [value] if isinstance(value, int) else cast(Sequence[int], value)

    def with_arguments(self, *dropped: str, **changed: object) -> dict[str, object]:
        """The arguments with some dropped and some changed."""
        return {name: value for name, value in self.arguments.items() if name not in dropped} | changed


Batchless: TypeAlias = tuple[dict[str, object], BatchAxis]
"""The arguments as if there were one image, and where the batch lies in the result in torch."""

Rule: TypeAlias = Callable[[Call], Batchless]


def pointwise(call: Call) -> Batchless:
    """Elements meet where torch broadcasts them; the batch stays where it is."""
    batch = _common_batch(call.arguments.values(), len(call.shape))
    return _without_constants(call.arguments, batch, len(call.shape)), batch


def _common_batch(arguments: Iterable[object], rank: int) -> BatchAxis:
    """Where the batches of all arguments lie, counted in the broadcast result."""
    operands = [argument for argument in arguments if isinstance(argument, Traced)]
    found = {_lifted(x, rank) for x in operands}
    if len(found) != 1:
        raise Refusal("it mixes the batch axis of one tensor with another axis of another")
    return found.pop()


def _without_constants(arguments: Mapping[str, object], batch: BatchAxis, rank: int) -> dict[str, object]:
    return {
        name: batch.without_constant(value, rank) if isinstance(value, Constant) else value
        for name, value in arguments.items()
    }


def leading(call: Call) -> Batchless:
    """Convolutions, pooling, batch norm: the batch is the first axis, and stays."""
    batch = call.traced().batch
    if batch != BatchAxis(0):
        raise Refusal("its first axis is not the batch", "fold time or views into channels instead")
    return dict(call.arguments), batch


def ahead_of(count: Callable[[Call], int]) -> Rule:
    """The operation works on the last axes, `count` of them; the batch lies ahead of these, and stays."""

    def rule(call: Call) -> Batchless:
        x = call.traced()
        if x.batch.axis >= len(x.shape) - count(call):
            raise Refusal("it works along the batch axis", "every image must be computed on its own")
        return dict(call.arguments), x.batch

    return rule


def along(call: Call) -> Batchless:
    """The operation works along axis `dim`; all axes stay."""
    x = call.traced()
    dim = x.batch.renumbered(call.integer("dim"), len(x.shape))
    return call.with_arguments(dim=dim), x.batch


def reducing(call: Call) -> Batchless:
    """The axes `dim` vanish, or shrink to one with `keepdim`. No `dim` means all axes."""
    x = call.traced()
    rank = len(x.shape)
    given = call.integers("dim") if call.arguments.get("dim") is not None else ()
    dims = sorted(normalised(dim, rank) for dim in given or range(rank))
    renumbered = [x.batch.renumbered(dim, rank) for dim in dims]
    gone = 0 if call.arguments.get("keepdim") else sum(dim < x.batch.axis for dim in dims)
    return call.with_arguments(dim=renumbered), replace(x.batch, axis=x.batch.axis - gone)


def selecting(call: Call) -> Batchless:
    """Axis `dim` vanishes."""
    x = call.traced()
    rank = len(x.shape)
    dim = normalised(call.integer("dim"), rank)
    arguments = call.with_arguments(dim=x.batch.renumbered(dim, rank))
    return arguments, replace(x.batch, axis=x.batch.axis - (dim < x.batch.axis))


def stacking(call: Call) -> Batchless:
    """Several tensors of one shape are joined along a new axis `dim`."""
    tensors = cast(Sequence[object], call.arguments["tensors"])
    rank = len(call.shape)
    dim = normalised(call.integer("dim"), rank)
    inner = _common_batch(tensors, rank - 1)
    batch = replace(inner, axis=inner.axis + (dim <= inner.axis))
    dim = batch.renumbered(dim, rank)
    return call.with_arguments(tensors=_list_without_constants(tensors, inner, rank - 1), dim=dim), batch


def joining(call: Call) -> Batchless:
    """Several tensors are joined along axis `dim`."""
    tensors = cast(Sequence[object], call.arguments["tensors"])
    rank = len(call.shape)
    batch = _common_batch(tensors, rank)
    dim = batch.renumbered(call.integer("dim"), rank)
    return call.with_arguments(tensors=_list_without_constants(tensors, batch, rank), dim=dim), batch


def _list_without_constants(tensors: Sequence[object], batch: BatchAxis, rank: int) -> list[object]:
    return [batch.without_constant(x, rank) if isinstance(x, Constant) else x for x in tensors]


def reshaped(call: Call) -> Batchless:
    """The elements keep their row-major order; `shape` says the new axes, whatever the arguments were."""
    x = call.traced()
    batch = locate(call.shape, x.batch.before(x.shape), call.batch)
    return {"x": x, "shape": batch.without(call.shape)}, batch


def unsqueezed(call: Call) -> Batchless:
    """A new axis of size one at `dim`."""
    x = call.traced()
    dim = normalised(call.integer("dim"), len(call.shape))
    batch = replace(x.batch, axis=x.batch.axis + (dim <= x.batch.axis))
    return {"x": x, "shape": batch.without(call.shape)}, batch


def squeezed(call: Call) -> Batchless:
    """Axes of size one vanish: those in `dim`, or all."""
    x = call.traced()
    rank = len(x.shape)
    dims = {normalised(dim, rank) for dim in (call.integers("dim") if "dim" in call.arguments else range(rank))}
    gone = {dim for dim in dims if x.shape[dim] == 1}
    if x.batch.axis in gone:
        raise Refusal("it removes the batch axis", "squeeze named axes only, not the first")
    batch = replace(x.batch, axis=x.batch.axis - sum(dim < x.batch.axis for dim in gone))
    return {"x": x, "shape": batch.without(call.shape)}, batch


def _moved(x: Traced, order: Sequence[int]) -> Batchless:
    """Axis i of the result is axis order[i] of x."""
    batch = replace(x.batch, axis=order.index(x.batch.axis))
    kept = [dim for dim in order if dim != x.batch.axis or not x.batch.alone]
    return {"x": x, "dims": [dim - (x.batch.alone and dim > x.batch.axis) for dim in kept]}, batch


def permuted(call: Call) -> Batchless:
    """The axes come in the order `dims`."""
    x = call.traced()
    return _moved(x, [normalised(dim, len(x.shape)) for dim in call.integers("dims")])


def swapped(call: Call) -> Batchless:
    """The axes `dim0` and `dim1`, by default the first two, change places."""
    x = call.traced()
    order = list(range(len(x.shape)))
    first, second = (cast(int, call.arguments.get(name, i)) for i, name in enumerate(("dim0", "dim1")))
    order[first], order[second] = order[second], order[first]
    return _moved(x, order)


def sliced(call: Call) -> Batchless:
    """`start:end:step` along `dim`. The whole batch may be sliced from end to end, which changes nothing."""
    x = call.traced()
    if call.shape == x.shape:
        return {"x": x}, x.batch
    return along(call)


def scattering(call: Call) -> Batchless:
    """`src`, which may lack axis `dim`, replaces a part of `x` along it; or all of `x`, the batch from end to end."""
    x, src = call.traced(), call.arguments["src"]
    if not isinstance(src, Traced):
        raise Refusal("it puts a constant into what depends on the input", "assign it: x[:, 0] = constant")
    rank = len(x.shape)
    dim = normalised(call.integer("dim"), rank)
    if src.shape == x.shape:
        arguments = call.with_arguments("dim", "start", "end", "step")
    else:
        arguments = call.with_arguments(dim=x.batch.renumbered(dim, rank))
    lacks = len(src.shape) < rank and dim < x.batch.axis
    if src.batch != replace(x.batch, axis=x.batch.axis - lacks):
        raise Refusal("it mixes the batch axis of one tensor with another axis of another")
    return arguments, x.batch


def padded(call: Call) -> Batchless:
    """`pad` holds (low, high) for the last axis first; the batch is not padded."""
    x = call.traced()
    rank = len(x.shape)
    pairs = [tuple(call.integers("pad")[i : i + 2]) for i in range(0, len(call.integers("pad")), 2)]
    amounts = [(0, 0)] * (rank - len(pairs)) + pairs[::-1]
    if amounts[x.batch.axis] != (0, 0):
        raise Refusal("it pads the batch axis")
    if x.batch.alone:
        del amounts[x.batch.axis]
    low, high = zip(*amounts, strict=True) if amounts else ((), ())
    return call.with_arguments("pad", low=low, high=high), x.batch


def expanded(call: Call) -> Batchless:
    """Axes of size one are repeated, new axes come first; the batch is not repeated."""
    x = call.traced()
    batch = _lifted(x, len(call.shape))
    if call.shape[batch.axis] != x.shape[x.batch.axis]:
        raise Refusal("it repeats the batch axis")
    return {"x": x, "shape": batch.without(call.shape)}, batch


def product(call: Call) -> Batchless:
    """A matrix product of `x` and `other`. Rows of `x` meet nothing but a constant `other`, and so with columns."""
    x, other = call.arguments["x"], call.arguments["other"]
    rank = len(call.shape)
    batch = _common_batch([x, other], rank)
    rows, columns = rank - 2, rank - 1
    if (batch.axis == rows and isinstance(other, Constant)) or (batch.axis == columns and isinstance(x, Constant)):
        return dict(call.arguments), batch
    if batch.axis >= rows:
        raise Refusal("it works along the batch axis", "every image must be computed on its own")
    return _without_constants(call.arguments, batch, rank), batch


def _lifted(x: Traced, rank: int) -> BatchAxis:
    """Where the batch of x lies in a tensor of `rank` axes that x broadcasts to."""
    return replace(x.batch, axis=x.batch.axis + rank - len(x.shape))
