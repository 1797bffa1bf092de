"""Every loop nest of the `cpu` dialect as a C function. Each printer looks at one operation and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import gcd, prod
from typing import TypeVar, cast

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, f32, i1, i32
from xdsl.ir import Attribute, SSAValue

from neurocuda.backends.cpu.c_text import between, braces, c_type, literal, loop, lowest, sum_of
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import PoolOp, buffer_element, buffer_shape, element_bytes, is_float
from neurocuda.dialects.shared.tables import NORM_BITS
from neurocuda.ir.attributes import Dense, dense_shape, dense_type, values_of

LoopT = TypeVar("LoopT", bound=cpu.LoopOp)


@dataclass(frozen=True)
class Parameter:
    """What a function takes: a pointer to a buffer (`value`) or to a constant, or a number that `expression` spells."""

    name: str
    declaration: str
    value: SSAValue | None = None
    constant: Dense | None = None
    expression: str = ""


@dataclass(frozen=True)
class Nest:
    """A loop nest as a C function: what it is called after, its parameters and its lines."""

    kind: str
    parameters: tuple[Parameter, ...]
    lines: tuple[str, ...]
    helpers: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """Two nests with one text can share a function."""
        return "\n".join([self.kind, *(parameter.declaration for parameter in self.parameters), *self.lines])


Printer = Callable[[cpu.LoopOp], Nest]
_PRINTERS: dict[type[cpu.LoopOp], Printer] = {}


def prints(kind: type[LoopT]) -> Callable[[Callable[[LoopT], Nest]], Callable[[LoopT], Nest]]:
    """Marks a function as the printer of one kind of loop nest."""

    def mark(function: Callable[[LoopT], Nest]) -> Callable[[LoopT], Nest]:
        _PRINTERS[kind] = cast(Printer, function)
        return function

    return mark


def print_nest(op: cpu.LoopOp) -> Nest:
    """The C function of a loop nest."""
    return _PRINTERS[type(op)](op)


# Pointers


def reads(name: str, value: SSAValue) -> Parameter:
    """A buffer that is only read."""
    return Parameter(name, f"const {c_type(buffer_element(value))} *restrict {name}", value=value)


def writes(name: str, value: SSAValue) -> Parameter:
    """A buffer that is written."""
    return Parameter(name, f"{c_type(buffer_element(value))} *restrict {name}", value=value)


def constant(name: str, attribute: Dense) -> Parameter:
    """A constant tensor."""
    return Parameter(name, f"const {c_type(dense_type(attribute).element_type)} *restrict {name}", constant=attribute)


STEP = Parameter("step", "int32_t step", expression="step")


def steps_since(start: int) -> Parameter:
    """How many steps ago a window began."""
    return Parameter("passed", "int32_t passed", expression=f"step - {start}" if start else "step")


class Elementwise:
    """Loops over all elements of a buffer: flat, or rows of the last axis where a constant has one value per column.

    `at` is the index of the element; `of(name, constant)` spells a constant's value there.
    """

    def __init__(self, shape: Sequence[int], constants: Sequence[Dense]) -> None:
        self.size = prod(shape)
        self.columns = shape[-1] if shape else 1
        per_column = [prod(dense_shape(each)) == self.columns for each in constants if not _is_scalar(each)]
        self.flat = self.columns == self.size or not any(per_column)
        self.at = "i" if self.flat else f"{self.columns} * i + j"
        self.pointers: list[Parameter] = []

    def of(self, name: str, attribute: Dense) -> str:
        """The value of a constant at the element; a single number is spelled out."""
        column = not self.flat and prod(dense_shape(attribute)) == self.columns
        value, pointers = value_at(name, attribute, "j" if column else self.at)
        self.pointers += pointers
        return value

    def loops(self, body: Sequence[str]) -> tuple[str, ...]:
        """The loops around what is done to one element."""
        if self.flat:
            return tuple(loop("i", self.size, body))
        return tuple(loop("i", self.size // self.columns, loop("j", self.columns, body)))


def _is_scalar(attribute: Dense) -> bool:
    return prod(dense_shape(attribute)) == 1


# Moving and converting


@prints(cpu.FillOp)
def fill(op: cpu.FillOp) -> Nest:
    shape = buffer_shape(op.target)
    target = writes("target", op.target)
    if op.value is None:
        size = prod(shape) * element_bytes(buffer_element(op.target))
        return Nest("fill", (target,), (f"memset(target, 0, {size});",))
    each = Elementwise(shape, [op.value])
    value = each.of("value", op.value)
    return Nest("fill", (target, *each.pointers), each.loops([f"target[{each.at}] = {value};"]))


@prints(cpu.CopyOp)
def copy(op: cpu.CopyOp) -> Nest:
    sizes, reading, writing = values_of(op.sizes), values_of(op.from_strides), values_of(op.to_strides)
    names = [f"i{axis}" for axis in range(len(sizes))]
    whole_rows = reading[-1] == writing[-1] == 1
    inner = len(sizes) - 1 if whole_rows else len(sizes)
    source = sum_of(*zip(names[:inner], reading, strict=False), plus=op.from_offset.value.data)
    target = sum_of(*zip(names[:inner], writing, strict=False), plus=op.to_offset.value.data)
    size = sizes[-1] * element_bytes(buffer_element(op.source))
    body = [f"target[{target}] = source[{source}];"]
    if whole_rows:
        body = [f"memcpy(target + {target}, source + {source}, {size});"]
    for name, count in reversed(list(zip(names[:inner], sizes, strict=False))):
        body = loop(name, count, body)
    return Nest("copy", (reads("source", op.source), writes("target", op.target)), tuple(body))


@prints(cpu.QuantizeOp)
def quantize(op: cpu.QuantizeOp) -> Nest:
    each = Elementwise(buffer_shape(op.source), [op.step, op.shift])
    shift, step = each.of("shift", op.shift), each.of("unit", op.step)
    low, high = op.lowest.value.data, op.highest.value.data
    body = [
        f"const double level = rint(((double)source[{each.at}] - {shift}) / {step});",
        f"const double clipped = level < {high} ? level : {high};",
        f"target[{each.at}] = ({c_type(buffer_element(op.target))})(level >= {low} ? clipped : {low});",
    ]
    pointers = (reads("source", op.source), writes("target", op.target), *each.pointers)
    return Nest("quantize", pointers, each.loops(body))


@prints(cpu.DequantizeOp)
def dequantize(op: cpu.DequantizeOp) -> Nest:
    each = Elementwise(buffer_shape(op.source), list(op.constants().values()))
    value = f"(double)source[{each.at}] * {each.of('scale', op.scale)}"
    if op.offset is not None:
        value += f" + {each.of('offset', op.offset)}"
    body = [f"target[{each.at}] = ({c_type(buffer_element(op.target))})({value});"]
    pointers = (reads("source", op.source), writes("target", op.target), *each.pointers)
    return Nest("dequantize", pointers, each.loops(body))


# Neurons


@prints(cpu.LeakOp)
def leak(op: cpu.LeakOp) -> Nest:
    each = Elementwise(buffer_shape(op.membrane), [op.decay])
    decay = each.of("decay", op.decay)
    body = [f"membrane[{each.at}] *= {decay};"]
    if op.bits is not None:
        body = [
            f"const int64_t product = (int64_t)membrane[{each.at}] * {decay};",
            f"const int32_t left = (int32_t)((uint64_t)(product < 0 ? -product : product) >> {op.bits.value.data});",
            f"membrane[{each.at}] = product < 0 ? -left : left;",
        ]
    return Nest("leak", (writes("membrane", op.membrane), *each.pointers), each.loops(body))


@prints(cpu.ChargeOp)
def charge(op: cpu.ChargeOp) -> Nest:
    each = Elementwise(buffer_shape(op.membrane), [op.value])
    body = [f"membrane[{each.at}] += {each.of('value', op.value)};"]
    return Nest("charge", (writes("membrane", op.membrane), *each.pointers), each.loops(body))


@prints(cpu.AddOp)
def add(op: cpu.AddOp) -> Nest:
    each = Elementwise(buffer_shape(op.membrane), [])
    kind = c_type(buffer_element(op.membrane))
    body = [f"membrane[{each.at}] = ({kind})(membrane[{each.at}] + source[{each.at}]);"]
    return Nest("add", (reads("source", op.source), writes("membrane", op.membrane)), each.loops(body))


@prints(cpu.ClampOp)
def clamp(op: cpu.ClampOp) -> Nest:
    each = Elementwise(buffer_shape(op.membrane), list(op.constants().values()))
    floor = each.of("lowest", op.lowest)
    body = [f"membrane[{each.at}] = membrane[{each.at}] > {floor} ? membrane[{each.at}] : {floor};"]
    if op.highest is not None:
        ceiling = each.of("highest", op.highest)
        body.append(f"membrane[{each.at}] = membrane[{each.at}] < {ceiling} ? membrane[{each.at}] : {ceiling};")
    return Nest("clamp", (writes("membrane", op.membrane), *each.pointers), each.loops(body))


@prints(cpu.FireOp)
def fire(op: cpu.FireOp) -> Nest:
    each = Elementwise(buffer_shape(op.membrane), list(op.constants().values()))
    element = buffer_element(op.membrane)
    kind = c_type(element)
    threshold = each.of("threshold", op.threshold)
    body = [
        f"const {kind} potential = membrane[{each.at}];",
        f"const {kind} barrier = {threshold if op.values is None else f'{threshold} * ({kind})value'};",
        f"{'const int' if _plain(op) else 'int32_t'} spike = {_spike(op, each.at)};",
        *_fitting(op, element),
        *_limits(op, each.at),
        f"spikes[{each.at}] = ({c_type(buffer_element(op.spikes))})spike;",
        f"membrane[{each.at}] = {_reset(op, each, kind, threshold)};",
    ]
    pointers = [writes("membrane", op.membrane), writes("spikes", op.spikes)]
    pointers += [writes(name, value) for name, value in (("fired", op.fired), ("ready", op.ready)) if value is not None]
    numbers = [STEP] if op.ready is not None else []
    numbers += [steps_since(op.window[0])] if op.values is not None else []
    return Nest("fire", (*pointers, *each.pointers, *numbers), (*_value(op), *each.loops(body)))


def _value(op: cpu.FireOp) -> list[str]:
    """What a spike stands for at this step."""
    if op.values is None:
        return []
    values = values_of(op.values)
    table = f"static const int32_t values[{len(values)}] = {{{', '.join(map(str, values))}}};"
    return [table, "const int32_t value = values[passed];"]


def _spike(op: cpu.FireOp, at: str) -> str:
    """What the membrane alone decides."""
    over = f"potential {'>' if op.strict.value.data else '>='} barrier"
    if op.signed.value.data:
        return f"({over}) - (potential < 0 && fired[{at}] > 0)"
    return over if op.values is None else f"{over} ? value : 0"


def _plain(op: cpu.FireOp) -> bool:
    """Whether the comparison alone decides."""
    return op.spikes_per_step.value.data == 1 and op.fired is None and op.ready is None


def _fitting(op: cpu.FireOp, element: Attribute) -> list[str]:
    """Several spikes at once, as often as the threshold fits."""
    most = op.spikes_per_step.value.data
    if most == 1:
        return []
    if is_float(element):
        ratio = "floorf" if element == f32 else "floor"
        fits = [f"const {c_type(element)} fits = {ratio}(potential / barrier);"]
        many = f"fits < {most} ? (int32_t)fits : {most}"
    else:
        fits = ["const int32_t fits = potential / barrier;"]
        many = f"fits < {most} ? fits : {most}"
    return braces("if (spike)", [*fits, f"spike = fits > 1 ? ({many}) : 1;"])


def _limits(op: cpu.FireOp, at: str) -> list[str]:
    """The cap on the number of spikes, and the refractory time."""
    lines: list[str] = []
    if op.levels is not None:
        lines += [
            f"const int32_t left = {op.levels.value.data} - fired[{at}];",
            "spike = spike < left ? spike : left;",
        ]
    if op.refractory is not None:
        lines += [
            f"spike = step >= ready[{at}] ? spike : 0;",
            f"ready[{at}] = spike > 0 ? step + {1 + op.refractory.value.data} : ready[{at}];",
        ]
    if op.levels is not None:
        lines.append(f"fired[{at}] += spike;")
    return lines


def _reset(op: cpu.FireOp, each: Elementwise, kind: str, threshold: str) -> str:
    if op.reset_value is not None:
        return f"spike > 0 ? {each.of('reset_value', op.reset_value)} : potential"
    whole = op.values is None or op.levels is None
    if op.spikes_per_step.value.data == 1 and whole and not op.signed.value.data:
        return "potential - (spike ? barrier : 0)"
    return f"potential - ({kind})spike * {threshold}"


@prints(cpu.LookupOp)
def lookup(op: cpu.LookupOp) -> Nest:
    each = Elementwise(buffer_shape(op.membrane), [op.threshold])
    threshold = each.of("threshold", op.threshold)
    body = [
        f"const int32_t charge = membrane[{each.at}];",
        f"const int32_t whole = charge / {threshold} - (charge % {threshold} < 0);",
        *_clipped("int32_t", "whole", op.clip),
        f"spikes[{each.at}] = ({c_type(buffer_element(op.spikes))}){_entry(op)};",
    ]
    tables = [] if op.table is None else [constant("table", op.table)]
    return Nest("lookup", (*_neuron_pointers(op), *each.pointers, *tables), each.loops(body))


def _neuron_pointers(op: cpu.MembraneOp) -> tuple[Parameter, ...]:
    return reads("membrane", op.membrane), writes("spikes", op.spikes)


def _entry(op: cpu.LookupOp) -> str:
    """What is said of a level."""
    lowest = op.lowest.value.data
    shifted = f"level - {literal(lowest, i32)}" if lowest > 0 else f"level + {-lowest}"
    return "level" if op.table is None else f"table[{shifted if lowest else 'level'}]"


def _clipped(kind: str, value: str, clip: tuple[int, int]) -> list[str]:
    """`level`, a value within its bounds."""
    low, high = (literal(end, i32) for end in clip)
    return [f"const {kind} level = {value} < {low} ? {low} : {value} > {high} ? {high} : {value};"]


@prints(cpu.SoftmaxOp)
def softmax(op: cpu.SoftmaxOp) -> Nest:
    shape, levels, last = buffer_shape(op.membrane), op.levels.value.data, dense_shape(op.table)[0] - 1
    rows, columns = prod(shape[:-1]), shape[-1]
    divisor, pointers = value_at("divisor", op.divisor, "i")
    find = [
        f"const uint32_t below = ((uint32_t)largest - (uint32_t)charge[j]) / (uint32_t){divisor};",
        f"part[j] = table[below < {last} ? below : {last}];",
        "total += part[j];",
    ]
    share = f"({c_type(buffer_element(op.spikes))})(({levels} * (int64_t)part[j] + half) / total)"
    body = [
        f"const int32_t *charge = membrane + {sum_of(('i', columns))};",
        "int32_t largest = charge[0];",
        *loop("j", columns, ["largest = charge[j] > largest ? charge[j] : largest;"]),
        f"{c_type(dense_type(op.table).element_type)} part[{columns}];",
        "int64_t total = 0;",
        *loop("j", columns, find),
        "const int64_t half = total / 2;",
        *loop("j", columns, [f"spikes[{sum_of(('i', columns))} + j] = {share};"]),
    ]
    return Nest(
        "softmax", (*_neuron_pointers(op), *pointers, constant("table", op.table)), tuple(loop("i", rows, body))
    )


@prints(cpu.LayerNormOp)
def layer_norm(op: cpu.LayerNormOp) -> Nest:
    shape = buffer_shape(op.membrane)
    rows, columns = prod(shape[:-1]), shape[-1]
    (gain, gains), (shift, shifts) = value_at("gain", op.gain, "j"), value_at("shift", op.shift, "j")
    centred = f"const int64_t centred = {columns} * (int64_t)charge[j] - sum;"
    say = [
        centred,
        f"const int64_t quotient = deviation > 0 ? floor_divide(centred * {gain}, deviation) : 0;",
        f"const int64_t whole = floor_divide(quotient + {shift}, {2**NORM_BITS});",
        *_clipped("int64_t", "whole", op.clip),
        f"spikes[{sum_of(('i', columns))} + j] = ({c_type(buffer_element(op.spikes))})level;",
    ]
    body = [
        f"const int32_t *charge = membrane + {sum_of(('i', columns))};",
        "int64_t sum = 0;",
        *loop("j", columns, ["sum += charge[j];"]),
        f"int64_t squares = {op.epsilon.value.data};",
        *loop("j", columns, [centred, "squares += centred * centred;"]),
        "const int64_t deviation = integer_root(squares);",
        *loop("j", columns, say),
    ]
    helpers = frozenset({"floor_divide", "integer_root"})
    return Nest("layer_norm", (*_neuron_pointers(op), *gains, *shifts), tuple(loop("i", rows, body)), helpers)


def value_at(name: str, attribute: Dense, index: str) -> tuple[str, list[Parameter]]:
    """(the value of a constant at an index, its pointer); a single number is spelled out."""
    if _is_scalar(attribute) and isinstance(attribute, DenseIntOrFPElementsAttr):
        return literal(cast("float", attribute.get_values()[0]), dense_type(attribute).element_type), []
    return f"{name}[{0 if _is_scalar(attribute) else index}]", [constant(name, attribute)]


@prints(cpu.RecallOp)
def recall(op: cpu.RecallOp) -> Nest:
    slot, size = _slot(op.line)
    pointers = (reads("line", op.line), writes("target", op.target))
    if op.delays is None:
        return Nest("recall", (*pointers, STEP), (f"memcpy(target, {slot}, {size});",))
    slots, *shape = buffer_shape(op.line)
    each = Elementwise(shape, [op.delays])
    body = [
        f"const int32_t late = now - {each.of('delays', op.delays)};",
        f"target[{each.at}] = line[{prod(shape)} * (late < 0 ? late + {slots} : late) + {each.at}];",
    ]
    lines = (f"const int32_t now = step % {slots};", *each.loops(body))
    return Nest("recall", (*pointers, *each.pointers, STEP), lines)


@prints(cpu.RememberOp)
def remember(op: cpu.RememberOp) -> Nest:
    slot, size = _slot(op.line)
    return Nest(
        "remember", (reads("source", op.source), writes("line", op.line), STEP), (f"memcpy({slot}, source, {size});",)
    )


def _slot(line: SSAValue) -> tuple[str, int]:
    """(where the slot of this step begins, its bytes)."""
    slots, *shape = buffer_shape(line)
    return f"line + {prod(shape)} * (step % {slots})", prod(shape) * element_bytes(buffer_element(line))


# Pools: windows over (height, width, channels)


@dataclass(frozen=True)
class Window:
    """One axis of a moving window."""

    size: int
    count: int
    kernel: int
    stride: int
    low: int
    dilation: int

    def taps(self, output: str, tap: str, position: str, body: Sequence[str]) -> list[str]:
        """Loops over the taps of one output that lie inside the image.

        Taps outside are left out by the loop's bounds and not by a `continue`: GCC 12 with AVX-512 vectorises outer
        loops around conditional stores wrongly.
        """
        first, spread = f"{output}_first", self.dilation
        offset = f" - {self.low}" if self.low else ""
        origin = f"const int32_t {first} = {sum_of((output, self.stride))}{offset};"
        place = f"const int32_t {position} = {first} + {sum_of((tap, spread))};"
        if self.low == 0 and (self.count - 1) * self.stride + (self.kernel - 1) * spread < self.size:
            return [origin, *loop(tap, self.kernel, [place, *body])]
        rounded = f" / {spread}" if spread > 1 else ""
        begin = f"{first} < 0 ? ({spread - 1} - {first}){rounded} : 0"
        within = f"({self.size + spread - 1} - {first}){rounded}"
        end = f"{within} < {self.kernel} ? {within} : {self.kernel}"
        return [origin, *between(tap, begin, end, [place, *body])]

    def outputs(self, position: str, tap: str, output: str, body: Sequence[str]) -> list[str]:
        """Loops over the taps through which one input reaches an output inside the result; bounds as in `taps`.

        Tap t leads to output (position + low - dilation t) / stride, where that is a whole number: every `apart`-th.
        """
        last, reach = f"{output}_last", (self.count - 1) * self.stride
        offset = f" + {self.low}" if self.low else ""
        back = f"{last} - {sum_of((tap, self.dilation))}" if self.kernel > 1 else last
        place = f"const int32_t {output} = {f'({back}) / {self.stride}' if self.stride > 1 else back};"
        rounded = f" / {self.dilation}" if self.dilation > 1 else ""
        begin, end = "0", str(self.kernel)
        if self.size - 1 + self.low > reach:
            begin = f"({last} > {reach} ? ({last} - {reach - self.dilation + 1}){rounded} : 0)"
        if self.low < (self.kernel - 1) * self.dilation:
            within = f"{last}{rounded} + 1"
            end = f"({within} < {self.kernel} ? {within} : {self.kernel})"
        shared = gcd(self.stride, self.dilation)
        apart = self.stride // shared
        if shared > 1:
            end = f"{last} % {shared} == 0 ? {end} : 0"
        if apart > 1:
            inverse = pow(self.dilation // shared, -1, apart)
            whole = f"{last} / {shared}" if shared > 1 else last
            phase = f"{sum_of((whole, inverse))} % {apart}"
            begin = f"{phase} + ({begin} - {phase} + {apart - 1}) / {apart} * {apart}"
        return [f"const int32_t {last} = {position}{offset};", *between(tap, begin, end, [place, *body], apart)]


def windows(source: Sequence[int], target: Sequence[int], kernel: Sequence[int], op: object) -> tuple[Window, Window]:
    """The vertical and the horizontal window."""
    geometry = cast(PoolOp, op)
    stride, dilation = values_of(geometry.stride), values_of(geometry.dilation)
    top, _, left, _ = values_of(geometry.padding)
    return (
        Window(source[0], target[0], kernel[0], stride[0], top, dilation[0]),
        Window(source[1], target[1], kernel[1], stride[1], left, dilation[1]),
    )


def _pooled(
    op: cpu.SumPool2dOp | cpu.MaxPool2dOp | cpu.RunningMaxPool2dOp,
    start: Sequence[str],
    tap: str,
    finish: Sequence[str] = (),
) -> tuple[str, ...]:
    """Loops over outputs; at each `start`, then `tap` for every channel of every tap inside, then `finish`."""
    source, result = buffer_shape(op.source), buffer_shape(op.target)
    vertical, horizontal = windows(source, result, values_of(op.kernel), op)
    channels = source[2]
    pixel = f"const int32_t pixel = {channels} * ({source[1]} * row + column);"
    taps = vertical.taps("y", "ky", "row", horizontal.taps("x", "kx", "column", [pixel, *loop("c", channels, [tap])]))
    body = [f"const int32_t place = {channels} * ({result[1]} * y + x);", *start, *taps, *finish]
    return tuple(loop("y", result[0], loop("x", result[1], body)))


@prints(cpu.SumPool2dOp)
def sum_pool2d(op: cpu.SumPool2dOp) -> Nest:
    element = buffer_element(op.target)
    start = [f"memset(target + place, 0, {buffer_shape(op.target)[2] * element_bytes(element)});"]
    kind = c_type(element)
    tap = f"target[place + c] = ({kind})(target[place + c] + source[pixel + c]);"
    pointers = (reads("source", op.source), writes("target", op.target))
    return Nest("sum_pool2d", pointers, _pooled(op, start, tap))


@prints(cpu.MaxPool2dOp)
def max_pool2d(op: cpu.MaxPool2dOp) -> Nest:
    channels = buffer_shape(op.target)[2]
    start = loop("c", channels, [f"target[place + c] = {lowest(buffer_element(op.target))};"])
    tap = "target[place + c] = source[pixel + c] > target[place + c] ? source[pixel + c] : target[place + c];"
    pointers = (reads("source", op.source), writes("target", op.target))
    return Nest("max_pool2d", pointers, _pooled(op, start, tap))


@prints(cpu.RunningMaxPool2dOp)
def running_max_pool2d(op: cpu.RunningMaxPool2dOp) -> Nest:
    channels = buffer_shape(op.target)[2]
    element = buffer_element(op.counts)
    start = [f"{c_type(element)} best[{channels}];", *loop("c", channels, [f"best[c] = {lowest(element)};"])]
    tap = "best[c] = counts[pixel + c] > best[c] ? counts[pixel + c] : best[c];"
    grown = [
        f"target[place + c] = ({c_type(buffer_element(op.target))})(best[c] - highest[place + c]);",
        "highest[place + c] = best[c];",
    ]
    count = loop("i", prod(buffer_shape(op.source)), ["counts[i] += source[i];"])
    lines = (*count, *_pooled(op, start, tap, loop("c", channels, grown)))
    pointers = (
        reads("source", op.source),
        writes("target", op.target),
        writes("counts", op.counts),
        writes("highest", op.highest),
    )
    return Nest("running_max_pool2d", pointers, lines)


# Synapses


AT_ONCE = 4
"""Events whose rows of weights are added in one go."""


@dataclass(frozen=True)
class Events:
    """How the events of a source are found and added: scan a stretch of it, then add a row of weights for each."""

    source: Attribute
    weight: Attribute
    membrane: Attribute

    @property
    def helper(self) -> str:
        """The function that lists the elements that are not zero."""
        return f"scan_{'spikes' if element_bytes(self.source) == 1 else c_type(self.source)}"

    def scan(self, size: int | str, pointer: str) -> str:
        """Fills `event`, an array of one more element than `size`."""
        cast_to = "(const uint8_t *)" if element_bytes(self.source) == 1 and self.source != i1 else ""
        return f"const int32_t events = {self.helper}({cast_to}{pointer}, {size}, event);"

    def add(self, columns: int, pointer: str) -> list[str]:
        """`target[o] += value * weight[event][o]` for all events, several at once; spikes need no product.

        So the target is read and written less often.
        """
        several = [line for k in range(AT_ONCE) for line in self._event(columns, pointer, k, str(k))]
        together = " + ".join(self._product(str(k)) for k in range(AT_ONCE))
        return [
            "int32_t e = 0;",
            *braces(
                f"for (; e + {AT_ONCE} <= events; e += {AT_ONCE})",
                ["TURN_BY_TURN;", *several, *loop("o", columns, [f"target[o] += {together};"])],
            ),
            *braces(
                "for (; e < events; ++e)",
                [
                    "TURN_BY_TURN;",
                    *self._event(columns, pointer, 0, ""),
                    *loop("o", columns, [f"target[o] += {self._product('')};"]),
                ],
            ),
        ]

    def _event(self, columns: int, pointer: str, ahead: int, name: str) -> list[str]:
        """The row of weights of an event, and its value."""
        event = f"event[e{f' + {ahead}' if ahead else ''}]"
        kind = c_type(self.membrane)
        row = f"const {c_type(self.weight)} *restrict line{name} = taps + {columns} * {event};"
        value = f"const {kind} value{name} = ({kind}){pointer}[{event}];"
        return [row] if self.source == i1 else [row, value]

    def _product(self, name: str) -> str:
        return f"line{name}[o]" if self.source == i1 else f"value{name} * line{name}[o]"


def _events(op: cpu.Conv2dOp | cpu.LinearOp) -> Events:
    return Events(buffer_element(op.source), dense_type(op.weight).element_type, buffer_element(op.membrane))


def _synapse_pointers(op: cpu.Conv2dOp | cpu.DepthwiseConv2dOp | cpu.LinearOp) -> tuple[Parameter, ...]:
    return reads("source", op.source), writes("membrane", op.membrane), constant("weight", op.weight)


@prints(cpu.Conv2dOp)
def conv2d(op: cpu.Conv2dOp) -> Nest:
    groups, rows, columns, inner, outer = dense_shape(op.weight)
    source, result = buffer_shape(op.source), buffer_shape(op.membrane)
    vertical, horizontal = windows(source, result, (rows, columns), op)
    events, kind = _events(op), c_type(buffer_element(op.membrane))
    group = f" + {outer} * g" if groups > 1 else ""
    kernel = f"({rows} * g + ky)" if groups > 1 else "ky"
    target = [
        f"{kind} *restrict target = membrane + {groups * outer} * ({result[1]} * row + column){group};",
        f"const {c_type(events.weight)} *taps = weight + {inner * outer} * ({columns} * {kernel} + kx);",
        *events.add(outer, "pixel"),
    ]
    spread = vertical.outputs("y", "ky", "row", horizontal.outputs("x", "kx", "column", target))
    channel = f" + {inner} * g" if groups > 1 else ""
    body = [
        f"const {c_type(events.source)} *pixel = source + {source[2]} * ({source[1]} * y + x){channel};",
        events.scan(inner, "pixel"),
        *braces("if (events == 0)", ["continue;"]),
        *spread,
    ]
    body = loop("g", groups, body) if groups > 1 else body
    lines = [f"{_index(inner)} event[{inner + 1}];", *loop("y", source[0], loop("x", source[1], body))]
    return Nest("conv2d", _synapse_pointers(op), tuple(lines), frozenset({events.helper}))


def _index(size: int) -> str:
    """All scans write 16-bit indices: stretches are shorter than that."""
    assert size < 2**16
    return "uint16_t"


@prints(cpu.DepthwiseConv2dOp)
def depthwise_conv2d(op: cpu.DepthwiseConv2dOp) -> Nest:
    rows, columns, channels = dense_shape(op.weight)
    source, result = buffer_shape(op.source), buffer_shape(op.membrane)
    vertical, horizontal = windows(source, result, (rows, columns), op)
    kind = c_type(buffer_element(op.membrane))
    tap = [
        f"const {c_type(buffer_element(op.source))} *pixel = source + {channels} * ({source[1]} * row + column);",
        f"const {c_type(dense_type(op.weight).element_type)} *taps = weight + {channels} * ({columns} * ky + kx);",
        *loop("c", channels, [f"target[c] += ({kind})pixel[c] * taps[c];"]),
    ]
    place = f"{kind} *restrict target = membrane + {channels} * ({result[1]} * y + x);"
    body = [place, *vertical.taps("y", "ky", "row", horizontal.taps("x", "kx", "column", tap))]
    return Nest("depthwise_conv2d", _synapse_pointers(op), tuple(loop("y", result[0], loop("x", result[1], body))))


STRETCH = 512
"""Inputs of a linear synapse are scanned in stretches of so many, which bounds the stack."""


@prints(cpu.LinearOp)
def linear(op: cpu.LinearOp) -> Nest:
    inner, outer = dense_shape(op.weight)
    events = _events(op)
    lines = _rows(events, prod(buffer_shape(op.source)[:-1]), inner, outer)
    return Nest("linear", _synapse_pointers(op), tuple(lines), frozenset({events.helper}))


def _rows(events: Events, rows: int, inner: int, outer: int, membrane: str = "membrane") -> list[str]:
    """A membrane += `source` times `weight`, matrices row by row; a row of the source is scanned for events."""
    kind = c_type(events.membrane)
    stretch = min(STRETCH, inner)
    size = str(inner) if inner <= STRETCH else f"({inner} - j < {STRETCH} ? {inner} - j : {STRETCH})"
    row = sum_of(("i", inner if rows > 1 else 0), ("j", int(inner > STRETCH)))
    body = [
        f"const {c_type(events.source)} *stretch = source + {row};",
        f"const {c_type(events.weight)} *taps = weight + {sum_of(('j', outer if inner > STRETCH else 0))};",
        f"{kind} *restrict target = {membrane} + {sum_of(('i', outer if rows > 1 else 0))};",
        events.scan(size, "stretch"),
        *events.add(outer, "stretch"),
    ]
    body = loop("j", inner, body, STRETCH) if inner > STRETCH else body
    body = loop("i", rows, body) if rows > 1 else body
    return [f"{_index(stretch)} event[{stretch + 1}];", *body]


@prints(cpu.DiagonalOp)
def diagonal(op: cpu.DiagonalOp) -> Nest:
    each = Elementwise(buffer_shape(op.source), [op.weight])
    kind = c_type(buffer_element(op.membrane))
    body = [f"membrane[{each.at}] += ({kind})source[{each.at}] * {each.of('weight', op.weight)};"]
    return Nest(
        "diagonal", (reads("source", op.source), writes("membrane", op.membrane), *each.pointers), each.loops(body)
    )


@prints(cpu.ProductOp)
def product(op: cpu.ProductOp) -> Nest:
    shape = buffer_shape(op.membrane)
    names = [f"i{axis}" for axis in range(len(shape))]

    def at(buffer: Sequence[int]) -> str:
        """The place in a buffer that broadcasts onto the membrane."""
        lead = len(shape) - len(buffer)
        strides = [0 if size == 1 else prod(buffer[axis + 1 :]) for axis, size in enumerate(buffer)]
        return sum_of(*zip(names, (*(0 for _ in range(lead)), *strides), strict=True))

    left, right = (f"{name}[{at(buffer_shape(value))}]" for name, value in (("left", op.left), ("right", op.right)))
    body = [f"membrane[{at(shape)}] += (int32_t){left} * {right};"]
    for name, count in reversed(list(zip(names, shape, strict=True))):
        body = loop(name, count, body)
    return Nest("product", _factor_pointers(op), tuple(body))


def _factor_pointers(op: cpu.FactorsOp) -> tuple[Parameter, ...]:
    return reads("left", op.left), reads("right", op.right), writes("membrane", op.membrane)


@prints(cpu.MatrixProductOp)
def matrix_product(op: cpu.MatrixProductOp) -> Nest:
    (*batch, rows, inner), outer = buffer_shape(op.left), buffer_shape(op.right)[-1]
    events = Events(buffer_element(op.left), buffer_element(op.right), buffer_element(op.membrane))
    pointers = [
        f"const {c_type(events.source)} *restrict source = left + {sum_of(('b', rows * inner))};",
        f"const {c_type(events.weight)} *restrict weight = right + {sum_of(('b', inner * outer))};",
        f"{c_type(events.membrane)} *restrict sums = membrane + {sum_of(('b', rows * outer))};",
    ]
    body = loop("b", prod(batch), [*pointers, *_rows(events, rows, inner, outer, "sums")])
    return Nest("matrix_product", _factor_pointers(op), tuple(body), frozenset({events.helper}))


# Helpers


def helper(name: str) -> list[str]:
    """The text of a helper: exact division and roots, or a scan for what is not zero, bytes eight at a time."""
    if name == "list_bits":
        return [
            "/* Lists the bits that are set; `event` has room for 65. */",
            *braces(
                "static inline int32_t list_bits(uint64_t word, uint16_t *event)",
                [
                    "int32_t events = 0;",
                    "#if defined(__GNUC__)",
                    *braces(
                        "for (; word != 0; word &= word - 1)",
                        ["event[events] = (uint16_t)__builtin_ctzll(word);", "++events;"],
                    ),
                    "#else",
                    *braces(
                        "for (uint16_t bit = 0; word != 0; ++bit)",
                        ["event[events] = bit;", "events += (int32_t)(word & 1);", "word >>= 1;"],
                    ),
                    "#endif",
                    "return events;",
                ],
            ),
        ]
    if name == "floor_divide":
        return braces(
            "static inline int64_t floor_divide(int64_t value, int64_t divisor)",
            ["return value / divisor - (value % divisor < 0);"],
        )
    if name == "integer_root":
        return braces(
            "static inline int64_t integer_root(int64_t value)",
            [
                "int64_t root = (int64_t)sqrt((double)value);",
                "root -= root * root > value;",
                "return root + ((root + 1) * (root + 1) <= value);",
            ],
        )
    return ["/* Lists the elements that are not zero; `event` has room for one more than `size`. */", *_scan(name)]


def _scan(name: str) -> list[str]:
    if name != "scan_spikes":
        kind = name.removeprefix("scan_")
        append = ["event[events] = (uint16_t)i;", "events += source[i] != 0;"]
        return braces(
            f"static inline int32_t {name}(const {kind} *source, int32_t size, uint16_t *event)",
            ["int32_t events = 0;", *loop("i", "size", append), "return events;"],
        )
    words = [
        "uint64_t word;",
        "memcpy(&word, source + i, 8);",
        *braces("if (word == 0)", ["continue;"]),
        *braces("for (int32_t j = i; j < i + 8; ++j)", ["event[events] = (uint16_t)j;", "events += source[j] != 0;"]),
    ]
    rest = ["event[events] = (uint16_t)i;", "events += source[i] != 0;"]
    return braces(
        f"static inline int32_t {name}(const uint8_t *source, int32_t size, uint16_t *event)",
        [
            "int32_t events = 0;",
            "int32_t i = 0;",
            *braces("for (; i + 8 <= size; i += 8)", words),
            *braces("for (; i < size; ++i)", rest),
            "return events;",
        ],
    )
