"""Prints the processes of a network, in Lava's terms: one statement for each, and those that connect it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Operation, SSAValue

from neurocuda.backends.loihi.python_text import Names, call, comment, keywords
from neurocuda.dialects.loihi import ops as loihi
from neurocuda.ir.attributes import Dense, shape_of, values_of
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

RESERVED = (
    *("rows", "w", "build", "main", "connections", "csr_matrix", "dataclass_defaults", "per_neuron", "pulses"),
    *("lava", "lava_program", "loihi_processes", "net"),
)
"""Names that the text of a program uses itself; those of classes begin with a capital letter."""

MEMBRANES: Mapping[type[loihi.GroupOp], str] = {
    loihi.IntegrateAndFireOp: "v",
    loihi.LifOp: "v",
    loihi.SigmaDeltaOp: "sigma",
}
"""What a process calls its membrane potential."""


class Processes:
    """The body of a program's `build`.

    Attributes:
        lines: its text.
        used: what it uses of other modules, by name.
        constants: what it reads of the weights, by key.
        names: what every process is called.
    """

    def __init__(self, op: loihi.NetworkOp, weights: WeightStore, inputs: Mapping[SSAValue, str]) -> None:
        self.lines: list[str] = []
        self.used: set[str] = set()
        self.constants: dict[str, Array] = {}
        self._weights = weights
        self._inputs = inputs
        self._known: set[Operation] = set()
        self._late: list[str] = []
        ops = [each for each in op.body.block.ops if not isinstance(each, loihi.OutputOp)]
        self.names = _names_of(ops, inputs)
        for each in ops:
            self._known.add(each)
            if each in self.names:
                self._print(each)
        if self._late:
            self.lines += ["", "# Synapses that close cycles.", *self._late]

    # Statements

    def _print(self, op: Operation) -> None:
        """A comment that says what in the user's model comes next, and where it lies; then the process."""
        if self.lines:
            self.lines.append("")
        said = "; ".join(filter(None, (_words(op), _place(op) if isinstance(op, loihi.GroupOp) else "")))
        if said:
            self.lines.append(f"# {said}")
        if isinstance(op, loihi.WeightsOp):
            self._print_synapse(op)
        elif isinstance(op, loihi.GroupOp):
            self._print_group(op)
        else:
            self._print_spikes(op)

    def _print_spikes(self, op: Operation) -> None:
        assert isinstance(op, loihi.SourceOp | loihi.PulsesOp)
        if isinstance(op, loihi.SourceOp):
            data = f'rows["{self._inputs[op.input]}"]'
        else:
            data = f"{self._use('pulses')}({dict(op.pulses)}, {shape_of(op.result)}, STEPS)"
        self._make(op, "RingBuffer", [f"data={data}"])

    def _print_group(self, op: loihi.GroupOp) -> None:
        kind, arguments = self._neurons(op)
        self._make(op, kind, [f"shape={shape_of(op.spikes)}", *arguments])
        ports = (port_of(current, self.names) for current in op.currents)
        self.lines += [f"{port}.connect({self.names[op]}.a_in)" for port in ports]

    def _print_synapse(self, op: loihi.WeightsOp) -> None:
        kind, arguments = self._synapse(op)
        self._make(op, kind, arguments)
        lines = self.lines if op.input.owner in self._known else self._late
        lines.append(f"{port_of(op.input, self.names)}.connect({self.names[op]}.s_in)")

    def _make(self, op: Operation, kind: str, arguments: Sequence[str]) -> None:
        self.lines += call(f"{self.names[op]} = {self._use(kind)}", arguments, level=1)

    def _use(self, name: str) -> str:
        """A name of another module, noted."""
        self.used.add(name)
        return name

    # Arguments

    def _neurons(self, op: loihi.GroupOp) -> tuple[str, list[str]]:
        if isinstance(op, loihi.LifOp):
            numbers = keywords(du=_number(op.du), dv=_number(op.dv), vth=_number(op.vth))
            bias = keywords(bias_mant=self._field(op, "bias_mant"), bias_exp=_number(op.bias_exp) or None)
            own = [*numbers, *bias, *keywords(v=self._field(op, "initial"))]
            if op.reset_interval is None:
                return "LIF", own
            reset = keywords(reset_interval=_number(op.reset_interval), reset_offset=_number(op.reset_offset))
            return "LIFReset", own + reset
        if isinstance(op, loihi.SigmaDeltaOp):
            mode = f"{self._use('ActivationMode')}.{op.activation.data.upper()}"
            exponents = keywords(spike_exp=_number(op.spike_exp), state_exp=_number(op.state_exp))
            return "SigmaDelta", keywords(vth=_number(op.vth), bias=self._field(op, "bias"), act_mode=mode) + exponents
        assert isinstance(op, loihi.IntegrateAndFireOp)
        fields = {"threshold": "threshold", "bias": "bias", "v": "initial"}
        constants = {name: self._field(op, said) for name, said in fields.items()}
        return "IntegrateAndFire", keywords(**constants, fire=op.fire and values_of(op.fire))

    def _field(self, op: loihi.GroupOp, name: str) -> str | None:
        """A constant of every neuron: a number where it is the same for all."""
        attribute = op.constants()[name][0]
        if attribute is None:
            return None
        array = self._weights.array(attribute)
        if (array == array.flat[0]).all():
            return str(int(array.flat[0]))
        read = self._constant(op, name, attribute)
        whole = array.shape == shape_of(op.spikes)
        return read if whole else f"{self._use('per_neuron')}({read}, {shape_of(op.spikes)})"

    def _constant(self, op: Operation, name: str, attribute: Dense) -> str:
        """How the program reads a constant, which the file of weights holds."""
        key = f"{self.names[op]}.{name}"
        self.constants[key] = self._weights.array(attribute)
        return f'w["{key}"]'

    def _synapse(self, op: loihi.WeightsOp) -> tuple[str, list[str]]:
        weight = self._constant(op, "weight", op.weight)
        message = keywords(num_message_bits=op.message_bits and _number(op.message_bits))
        if isinstance(op, loihi.ConvOp):
            windows = {"stride": (op.stride, 1), "padding": (op.padding, 0), "dilation": (op.dilation, 1)}
            geometry = {
                name: values_of(said) for name, (said, usual) in windows.items() if {*values_of(said)} - {usual}
            }
            groups = _number(op.groups)
            shape = f"input_shape={shape_of(op.input)}"
            own = keywords(**geometry, groups=groups if groups > 1 else None)
            return "Conv", [f"weight={weight}", shape, *own, *message]
        assert isinstance(op, loihi.DenseOp | loihi.SparseOp)
        delay, exponent = _number(op.delay), _number(op.weight_exp) or None
        matrix, delays = weight, str(delay)
        if isinstance(op, loihi.SparseOp):
            self._constant(op, "targets", op.targets)
            self._constant(op, "sources", op.sources)
            pairs = f'w, "{self.names[op]}", {(*shape_of(op.result), *shape_of(op.input))}'
            matrix = f"{self._use('connections')}({pairs})"
            delays = f"connections({pairs}, {delay})"
        sign_mode = f"{self._use('SignMode')}.{op.sign_mode.data.upper()}"
        bits = keywords(sign_mode=sign_mode, num_weight_bits=_number(op.weight_bits))
        late = keywords(delays=delays, max_delay=delay) if delay else []
        kind = ("Delay" if delay else "") + ("Dense" if isinstance(op, loihi.DenseOp) else "Sparse")
        return kind, [f"weights={matrix}", *late, *bits, *keywords(weight_exp=exponent), *message]


def part_of(value: SSAValue, names: Mapping[Operation, str]) -> tuple[str, str]:
    """(port or variable of a process, what moves its train into the value's shape) of what `loihi.output` reads."""
    moves: list[str] = []
    while isinstance(op := value.owner, loihi.ReshapeOp | loihi.TransposeOp):
        if isinstance(op, loihi.ReshapeOp):
            moves.append(f".reshape({(-1, *shape_of(op.result))})")
        else:
            moves.append(f".transpose({(0, *(axis + 1 for axis in values_of(op.permutation)))})")
        value = op.input
    assert isinstance(op, Operation)
    part = "a_out" if isinstance(op, loihi.WeightsOp) else "s_out"
    if isinstance(op, loihi.GroupOp) and value is op.membrane:
        part = MEMBRANES[type(op)]
    return f"{names[op]}.{part}", "".join(reversed(moves))


def port_of(value: SSAValue, names: Mapping[Operation, str]) -> str:
    """The port that spikes leave by, reshaped: `image.s_out.reshape((6,))`."""
    op = value.owner
    if isinstance(op, loihi.ReshapeOp):
        return f"{port_of(op.input, names)}.reshape({shape_of(value)})"
    if isinstance(op, loihi.TransposeOp):
        return f"{port_of(op.input, names)}.transpose({values_of(op.permutation)})"
    assert isinstance(op, Operation)
    return f"{names[op]}.{'a_out' if isinstance(op, loihi.WeightsOp) else 's_out'}"


def _number(attribute: IntegerAttr) -> int:
    return attribute.value.data


def _names_of(ops: Sequence[Operation], inputs: Mapping[SSAValue, str]) -> dict[Operation, str]:
    """What every process is called: groups like the layers that they stand for, all else as it can."""
    names = Names(RESERVED)
    processes = [op for op in ops if not isinstance(op, loihi.ReshapeOp | loihi.TransposeOp)]
    groups = [op for op in processes if isinstance(op, loihi.GroupOp)]
    found: dict[Operation, str] = {}
    for op in (*groups, *(op for op in processes if op not in groups)):
        place = user_location(op).partition(", ")[0]
        text = origin_of(op) or ("" if ":" in place else place)
        text = inputs[op.input] if isinstance(op, loihi.SourceOp) else text
        found[op] = names.take(text, op.name.partition(".")[2])
    return found


def _words(op: Operation) -> str:
    """The layer and the line of the user's model that an operation stands for."""
    origin, place = origin_of(op), user_location(op)
    named = origin is None or place.partition(", ")[0] == origin
    return comment(place if named else f"{origin}, {place}" if place else str(origin))


def _place(op: loihi.GroupOp) -> str:
    """`on chip 0: cores 4-7, 9`."""
    chips = groupby(sorted(op.places), key=lambda place: place[0])
    return "; ".join(f"on chip {chip}: {_cores([core for _, core in places])}" for chip, places in chips)


def _cores(cores: Sequence[int]) -> str:
    """Cores in ascending order, runs of them in short."""
    runs = groupby(enumerate(cores), key=lambda pair: pair[1] - pair[0])
    ends = [(run[0][1], run[-1][1]) for run in (list(pairs) for _, pairs in runs)]
    spans = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)
    return f"core {spans}" if len(cores) == 1 else f"cores {spans}"
