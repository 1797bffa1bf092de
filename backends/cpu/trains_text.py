"""Layers of spikes and what stands around them as C: trains of bits, 64 channels to a word."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects.builtin import i1, i32

from neurocuda.backends.cpu.c_text import braces, c_type, loop, sum_of
from neurocuda.backends.cpu.loops import (
    Events,
    Nest,
    Parameter,
    Window,
    constant,
    prints,
    reads,
    value_at,
    windows,
    writes,
)
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape
from neurocuda.dialects.cpu.layers import WORD, Synapse
from neurocuda.dialects.shared.shapes import Shape
from neurocuda.ir.attributes import Dense, dense_shape, dense_type, values_of

LIST_BITS = "list_bits"
"""The helper that lists the spikes in a word."""

TRAIN = "int64_t"
"""The elements of a train; nothing else that neurons write has this type."""


def words_of(channels: int) -> int:
    """The words that hold a bit for each of so many channels."""
    return -(-channels // WORD)


# Layers


@prints(cpu.SpikeLayerOp)
def spike_layer(op: cpu.SpikeLayerOp) -> Nest:
    channels = op.neurons[-1]
    synapses = [(f"source_{index}", f"weight_{index}", synapse) for index, synapse in enumerate(op.connections())]
    pointers = [reads(source, synapse.source) for source, _, synapse in synapses]
    pointers += [writes("spikes", op.spikes), *(constant(weight, synapse.weight) for _, weight, synapse in synapses)]
    target = "membrane" if op.times == 1 else "charge"
    heard = [line for each in synapses for line in _heard(*each, op, target)]
    if op.times > 1:
        zero = loop("o", channels, ["charge[o] = 0;"])
        scaled = loop("o", channels, [f"membrane[o] += {op.times} * charge[o];"])
        heard = [f"int32_t charge[{channels}];", *zero, *heard, *scaled]
    neurons = Neurons(op)
    lines = neurons.lines(heard)
    return Nest("spike_layer", (*pointers, *neurons.pointers), tuple(lines), frozenset({LIST_BITS}))


@prints(cpu.CurrentLayerOp)
def current_layer(op: cpu.CurrentLayerOp) -> Nest:
    neurons = Neurons(op)
    channels = op.neurons[-1]
    heard = loop("o", channels, [f"membrane[o] += current[{sum_of(('at', channels))} + o];"])
    if op.gated.value.data:
        heard = braces("if (t == 0)", heard)
    lines = neurons.lines(heard)
    return Nest(
        "current_layer", (reads("current", op.current), writes("spikes", op.spikes), *neurons.pointers), tuple(lines)
    )


class Neurons:
    """Integrate-and-fire neurons, position by position: a membrane per channel lives while all steps pass."""

    def __init__(self, op: cpu.SpikeLayerOp | cpu.CurrentLayerOp) -> None:
        self.op = op
        *self.positions, self.channels = op.neurons
        self.pointers: list[Parameter] = []

    def lines(self, heard: Sequence[str]) -> list[str]:
        """The loops around what arrives at step t at the position (y, x), the `at`-th."""
        steps, channels = self.op.timesteps, self.channels
        charge = [*heard, *self._bias()]
        start = loop("o", channels, [f"membrane[o] = {self._value('initial', self.op.initial)};"])
        body = [f"int32_t membrane[{channels}];", *start]
        fire = loop("t", steps, self._fire())
        if self.op.gated.value.data:
            body += [*loop("t", steps, charge), *fire]
        else:
            body += loop("t", steps, [*charge, *self._fire()])
        return self._everywhere(body)

    def _everywhere(self, body: Sequence[str]) -> list[str]:
        if len(self.positions) == 2:
            rows, columns = self.positions
            place = f"const int32_t at = {columns} * y + x;"
            return loop("y", rows, loop("x", columns, [place, "(void)at;", *body]))
        return loop("at", prod(self.positions), ["(void)at;", *body])

    def _value(self, name: str, value: Dense | None) -> str:
        """A constant for channel o of the position, 0 where there is none."""
        if value is None:
            return "0"
        size = prod(dense_shape(value))
        text, pointers = value_at(name, value, "o" if size == self.channels else f"{self.channels} * at + o")
        self.pointers += [pointer for pointer in pointers if pointer.name not in {each.name for each in self.pointers}]
        return text

    def _bias(self) -> list[str]:
        if self.op.bias is None:
            return []
        return loop("o", self.channels, [f"membrane[o] += {self._value('bias', self.op.bias)};"])

    def _fire(self) -> list[str]:
        """Compares, resets and writes a word of spikes at a time."""
        words = words_of(self.channels)
        compare = ">" if self.op.strict.value.data else ">="
        threshold = self._value("threshold", self.op.threshold)
        reset = f"potential - (spike ? {threshold} : 0)"
        if self.op.reset_value is not None:
            reset = f"spike ? {self._value('reset_value', self.op.reset_value)} : potential"
        end = (
            str(WORD)
            if self.channels % WORD == 0
            else f"({self.channels} - {WORD} * w < {WORD} ? {self.channels} - {WORD} * w : {WORD})"
        )
        bit = [
            f"const int32_t o = {WORD} * w + bit;",
            "const int32_t potential = membrane[o];",
            f"const int spike = potential {compare} {threshold};",
            f"membrane[o] = {reset};",
            "fired |= (uint64_t)spike << bit;",
        ]
        word = [
            "uint64_t fired = 0;",
            f"const int32_t bits = {end};",
            *loop("bit", "bits", bit),
            f"spikes[{words} * ({self.op.timesteps} * at + t) + w] = (int64_t)fired;",
        ]
        return loop("w", words, word)


# Synapses: what the spikes of step t bring to the position (y, x)


def _heard(source: str, weight: str, synapse: Synapse, op: cpu.SpikeLayerOp, target: str) -> list[str]:
    neurons = op.neurons_of(synapse.source)
    kind = synapse.how.kind.data
    if kind == "linear":
        tap = [
            f"const int32_t tap = {neurons[-1]} * place;",
            *_word_of_rows(source, weight, synapse, neurons, op, target),
        ]
        return loop("place", prod(neurons[:-1]), tap)
    if kind == "diagonal":
        size = prod(dense_shape(synapse.weight))
        each = "channel" if size == neurons[-1] else f"{neurons[-1]} * at + channel"
        added = f"{target}[channel] += {weight}[{each if size > 1 else '0'}];"
        return [
            "{",
            "    const int32_t place = at;",
            *("    " + line for line in _words(source, neurons, op, [added])),
            "}",
        ]
    vertical, horizontal = _windows(synapse, op)
    pool_rows, pool_columns = values_of(synapse.how.pool)
    columns = neurons[1]
    if kind == "conv2d":
        tap = _word_of_rows(source, weight, synapse, neurons, op, target)
    else:
        width = dense_shape(synapse.weight)[1]
        place = f"{neurons[-1]} * ({width} * ky + kx) + channel"
        tap = _words(source, neurons, op, [f"{target}[channel] += {weight}[{place}];"])
    row = sum_of(("row", pool_rows), *([("py", 1)] if pool_rows > 1 else []))
    column = sum_of(("column", pool_columns), *([("px", 1)] if pool_columns > 1 else []))
    tap = [f"const int32_t place = {columns} * ({row}) + {column};", *tap]
    for name, side in (("px", pool_columns), ("py", pool_rows)):
        tap = loop(name, side, tap) if side > 1 else tap
    return [
        "{",
        *("    " + line for line in vertical.taps("y", "ky", "row", horizontal.taps("x", "kx", "column", tap))),
        "}",
    ]


def _windows(synapse: Synapse, op: cpu.SpikeLayerOp) -> tuple[Window, Window]:
    neurons, how = op.neurons_of(synapse.source), synapse.how
    shape = dense_shape(synapse.weight)
    kernel = shape[1:3] if how.kind.data == "conv2d" else shape[:2]
    pooled = [size // side for size, side in zip(neurons, values_of(how.pool), strict=False)]
    return windows(pooled, op.neurons, kernel, how)


def _words(source: str, neurons: Shape, op: cpu.SpikeLayerOp, added: Sequence[str]) -> list[str]:
    """Something for every spike of the source's `place` at step t, in its channel."""
    words = words_of(neurons[-1])
    body = [
        f"uint16_t event[{WORD + 1}];",
        f"const int32_t events = {LIST_BITS}((uint64_t){source}[{words} * ({op.timesteps} * place + t) + w], event);",
        *loop("e", "events", [f"const int32_t channel = {WORD} * w + event[e];", *added]),
    ]
    return loop("w", words, body)


def _word_of_rows(
    source: str, weight: str, synapse: Synapse, neurons: Shape, op: cpu.SpikeLayerOp, target: str
) -> list[str]:
    """A row of weights for every spike of the source's `place` at step t."""
    shape = dense_shape(synapse.weight)
    outer = shape[-1]
    kind = c_type(dense_type(synapse.weight).element_type)
    if synapse.how.kind.data == "conv2d" and shape[0] > 1:
        _, rows, columns, inner, _ = shape
        row = (
            f"{inner * outer} * ({columns} * ({rows} * (channel / {inner}) + ky) + kx) + {outer} * (channel % {inner})"
        )
        added = [
            f"const {kind} *line = {weight} + {row};",
            *loop("o", outer, [f"{target}[{outer} * (channel / {inner}) + o] += line[o];"]),
        ]
        return _words(source, neurons, op, added)
    words = words_of(neurons[-1])
    first = "tap" if synapse.how.kind.data == "linear" else f"{neurons[-1]} * ({shape[2]} * ky + kx)"
    events = Events(i1, dense_type(synapse.weight).element_type, i32)
    body = [
        f"uint16_t event[{WORD + 1}];",
        f"const int32_t events = {LIST_BITS}((uint64_t){source}[{words} * ({op.timesteps} * place + t) + w], event);",
        *braces("if (events == 0)", ["continue;"]),
        f"const {kind} *taps = {weight} + {outer} * ({first} + {WORD} * w);",
        f"int32_t *const target = {target};",
        *events.add(outer, ""),
    ]
    return loop("w", words, body)


# Around layers


@prints(cpu.MaxPoolTrainOp)
def max_pool_train(op: cpu.MaxPoolTrainOp) -> Nest:
    *target, steps, words = buffer_shape(op.target)
    place = f"{words} * ({steps} * ({target[1]} * y + x) + t) + w"
    if op.counted.value.data:
        body = _counted_window(op, place)
    else:
        body = ["uint64_t fired = 0;", *_taps(op, ["fired |= word;"]), f"target[{place}] = (int64_t)fired;"]
        body = loop("t", steps, loop("w", words, body))
    pointers = (reads("source", op.source), writes("target", op.target))
    return Nest("max_pool_train", pointers, tuple(loop("y", target[0], loop("x", target[1], body))))


def _taps(op: cpu.MaxPoolTrainOp, tap: Sequence[str]) -> list[str]:
    """Something for every `word` of a window at step t."""
    *source, steps, words = buffer_shape(op.source)
    vertical, horizontal = windows(source, buffer_shape(op.target)[:2], values_of(op.kernel), op)
    read = f"source[{words} * ({steps} * ({source[1]} * row + column) + t) + w]"
    body = [f"const uint64_t word = (uint64_t){read};", *tap]
    return vertical.taps("y", "ky", "row", horizontal.taps("x", "kx", "column", body))


def _counted_window(op: cpu.MaxPoolTrainOp, place: str) -> list[str]:
    """Follows how often each neuron of a window has fired; the window fires when the largest count grows."""
    *_, steps, words = buffer_shape(op.target)
    kernel = values_of(op.kernel)
    count = [
        "tap[bit] += (int32_t)((word >> bit) & 1);",
        "now[bit] = tap[bit] > now[bit] ? tap[bit] : now[bit];",
    ]
    tap = [f"int32_t *const tap = said + {WORD} * ({kernel[1]} * ky + kx);", *loop("bit", WORD, count)]
    grown = ["fired |= (uint64_t)(now[bit] > highest[bit]) << bit;", "highest[bit] = now[bit];"]
    step = [
        f"int32_t now[{WORD}] = {{0}};",
        "uint64_t fired = 0;",
        *_taps(op, tap),
        *loop("bit", WORD, grown),
        f"target[{place}] = (int64_t)fired;",
    ]
    state = [f"int32_t said[{WORD * prod(kernel)}] = {{0}};", f"int32_t highest[{WORD}] = {{0}};"]
    return loop("w", words, [*state, *loop("t", steps, step)])


@prints(cpu.CountTrainOp)
def count_train(op: cpu.CountTrainOp) -> Nest:
    *positions, steps, words = buffer_shape(op.train)
    channels, kind = op.channels.value.data, c_type(buffer_element(op.counts))
    at = f"counts[{channels} * i + c]"
    word = f"(uint64_t)train[{words} * ({steps} * i + t) + c / {WORD}]"
    count = [f"{at} = ({kind})({at} + (({word} >> (c % {WORD})) & 1));"]
    body = [*loop("c", channels, [f"{at} = 0;"]), *loop("t", steps, loop("c", channels, count))]
    pointers = (reads("train", op.train), writes("counts", op.counts))
    return Nest("count_train", pointers, tuple(loop("i", prod(positions), body)))


def tally_size(op: cpu.NeuronsOp) -> str:
    """What a tally has to know besides where things are: neurons; of a train positions, steps and channels."""
    if not isinstance(op, cpu.SpikeLayerOp | cpu.CurrentLayerOp):
        return str(prod(op.neurons))
    *positions, channels = op.neurons
    return f"{prod(positions)}, {op.timesteps}, {channels}"


def tally_train(counter: str) -> list[str]:
    """The function that adds the spikes of a train to counters."""
    word = f"(uint64_t)train[words * (steps * i + t) + c / {WORD}]"
    add = f"counts[channels * i + c] = ({counter})(counts[channels * i + c] + (({word} >> (c % {WORD})) & 1));"
    head = (
        f"static void tally_int64({counter} *restrict counts, const int64_t *restrict train, int32_t positions, "
        "int32_t steps, int32_t channels)"
    )
    words = f"const int32_t words = (channels + {WORD - 1}) / {WORD};"
    return braces(head, [words, *loop("i", "positions", loop("t", "steps", loop("c", "channels", [add])))])
