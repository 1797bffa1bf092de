"""What holds state in a spiking network: neurons, accumulators, delays, counting pools; and how values enter."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    BoolAttr,
    DenseArrayBase,
    IntegerAttr,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import ShapedOp
from neurocuda.dialects.snn.types import GradedType, SpikesType
from neurocuda.ir.attributes import Dense, dense_shape, element_type, integer, integers, shape_of, values_of

STATE = "(`shift` $shift^)? (`decay_bits` $decay_bits^)? (`state_bits` $state_bits^)? "
"""How integers of a membrane and of a synaptic current are said."""

INPUT_CODES = ("payload", "current", "spikes")
"""How the value of an input is said in time."""


@irdl_op_definition
class InputOp(ShapedOp):
    """Says the network's input in time.

    `payload`: the whole value once, at the first step. `current`: the whole value at every step. `spikes`: the first
    axis of the value is time, and at every step the next element along it is sent.

    (C2) The code is one of these.
    """

    name = "snn.input"
    input = operand_def(TensorType)
    code = prop_def(StringAttr, default_value=StringAttr("payload"))
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$input (`code` $code^)? attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, element: Attribute, code: str = "payload") -> None:
        shape = shape_of(input)[1:] if code == "spikes" else shape_of(input)
        super().__init__(
            operands=[input], properties={"code": StringAttr(code)}, result_types=[TensorType(element, shape)]
        )

    def inferred_shape(self) -> shapes.Shape:
        shape = shape_of(self.input)
        if self.code.data != "spikes":
            return shape
        if not shape:
            raise ValueError('with code "spikes" the first axis of the value is time')
        return shape[1:]

    def verify_(self) -> None:
        super().verify_()
        if self.code.data not in INPUT_CODES:  # C2
            raise VerifyException(f'snn.input: "{self.code.data}" is none of {", ".join(INPUT_CODES)}')


class ChargedOp(ShapedOp):
    """Synaptic currents of one shape, summed into a membrane; per-neuron constants broadcast onto that shape."""

    currents = var_operand_def(TensorType)
    result = result_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)

    def constants(self) -> Sequence[Dense | None]:
        """The per-neuron constants."""
        return ()

    def inferred_shape(self) -> shapes.Shape:
        constants = [dense_shape(constant) for constant in self.constants() if constant is not None]
        return shapes.neuron_layer([shape_of(current) for current in self.currents], constants)


@irdl_op_definition
class IntegrateAndFireOp(ChargedOp):
    """A layer of integrate-and-fire neurons; with decays, leaky ones.

    At step 0 the membrane potential v is `initial` and the synaptic current i is 0. At every step

        i <- current_decay i + sum of currents               (without current_decay: i <- sum of currents)
        v <- max(membrane_decay v + i + bias, lower_bound)
        s <- 1 where v >= threshold (v > threshold with `strict`), inside the firing window, while fewer than
             `levels` spikes were fired and at least `refractory` steps have passed since the last one, else 0;
             with `spikes_per_step` k > 1, min(floor(v / threshold), k);
             with `values`, values[j] where v >= values[j] threshold, at the step j of the firing window;
             with `signed`, also -1 where v < 0 and more was sent than taken back
        v <- v - threshold s with reset "subtract", `reset_value` where s > 0 with reset "zero"

    In a network of code "train" the range of the result bounds what one step sends.
    Integers say how they are rounded and kept. The sum of currents is shifted left by `shift` bits. A decay d leaves
    d x / 2^decay_bits of x, rounded toward zero. With `state_bits`, i (where it decays) and v saturate to as many bits,
    two's complement, as soon as they are computed; resets come after that.
    `fire` is the firing window [start, stop) in steps; without it the neuron may fire at every step. In a network of
    code "count" there is a single step and the result is clip(floor(v / threshold), 0, levels).
    `values` says what a spike stands for at every step of the window: what is sent is the value, so synapses stay
    linear. Hardware sends a bare spike and scales at the receiver. `levels` caps the sum of what was sent.
    `scale` (f64) is what one spike stands for; only reports read it.

    (C2) The result's elements are counts, spikes or, and with `values` or `signed` always, graded spikes.
    (C3) reset is "subtract" or "zero".
    (C4) The firing window is not empty.
    (C5) `values` are positive, one for every step of the firing window, and at most one spike is sent per step.
    (C6) A signed neuron has levels, resets by subtraction, needs no rest, and sends one plain spike per step at most.
    """

    name = "snn.integrate_and_fire"
    threshold = prop_def(Dense)
    initial = opt_prop_def(Dense)
    bias = opt_prop_def(Dense)
    scale = opt_prop_def(Dense)
    levels = opt_prop_def(IntegerAttr.constr(i64))
    reset = prop_def(StringAttr, default_value=StringAttr("subtract"))
    reset_value = opt_prop_def(Dense)
    strict = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    spikes_per_step = prop_def(IntegerAttr.constr(i64), default_value=integer(1))
    refractory = prop_def(IntegerAttr.constr(i64), default_value=integer(0))
    membrane_decay = opt_prop_def(Dense)
    current_decay = opt_prop_def(Dense)
    shift = opt_prop_def(IntegerAttr.constr(i64))
    decay_bits = opt_prop_def(IntegerAttr.constr(i64))
    state_bits = opt_prop_def(IntegerAttr.constr(i64))
    lower_bound = opt_prop_def(Dense)
    fire = opt_prop_def(DenseArrayBase.constr(i64))
    values = opt_prop_def(DenseArrayBase.constr(i64))
    signed = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    assembly_format = (
        "$currents `threshold` `(` $threshold `)` (`initial` `(` $initial^ `)`)? (`bias` `(` $bias^ `)`)? "
        "(`scale` `(` $scale^ `)`)? (`levels` $levels^)? (`reset` $reset^)? (`reset_value` `(` $reset_value^ `)`)? "
        "(`strict` $strict^)? (`spikes_per_step` $spikes_per_step^)? (`refractory` $refractory^)? "
        "(`membrane_decay` `(` $membrane_decay^ `)`)? (`current_decay` `(` $current_decay^ `)`)? "
        + STATE
        + "(`lower_bound` `(` $lower_bound^ `)`)? (`fire` $fire^)? (`values` $values^)? (`signed` $signed^)? attr-dict "
        "`:` `(` type($currents) `)` `->` type($result)"
    )

    def __init__(
        self,
        currents: Sequence[SSAValue],
        element: Attribute,
        *,
        threshold: Dense,
        initial: Dense | None = None,
        bias: Dense | None = None,
        scale: Dense | None = None,
        levels: int | None = None,
        reset: str = "subtract",
        reset_value: Dense | None = None,
        strict: bool = False,
        spikes_per_step: int = 1,
        refractory: int = 0,
        membrane_decay: Dense | None = None,
        current_decay: Dense | None = None,
        lower_bound: Dense | None = None,
        fire: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(
            operands=[currents],
            properties={
                "threshold": threshold,
                "initial": initial,
                "bias": bias,
                "scale": scale,
                "levels": None if levels is None else integer(levels),
                "reset": StringAttr(reset),
                "reset_value": reset_value,
                "strict": BoolAttr.from_bool(strict),
                "spikes_per_step": integer(spikes_per_step),
                "refractory": integer(refractory),
                "membrane_decay": membrane_decay,
                "current_decay": current_decay,
                "lower_bound": lower_bound,
                "fire": None if fire is None else integers(fire),
            },
            result_types=[TensorType(element, shape_of(currents[0]))],
        )

    def constants(self) -> Sequence[Dense | None]:
        state = [self.initial, self.bias, self.membrane_decay, self.current_decay, self.lower_bound, self.reset_value]
        return [self.threshold, self.scale, *state]

    @property
    def window(self) -> tuple[int, int] | None:
        """The firing window [start, stop), or None where the neuron may fire at every step."""
        if self.fire is None:
            return None
        start, stop = values_of(self.fire)
        return start, stop

    def value_at(self, step: int) -> int:
        """What a spike stands for at a step of the firing window."""
        if self.values is None or self.window is None:
            return 1
        return values_of(self.values)[step - self.window[0]]

    def verify_(self) -> None:
        super().verify_()
        element = element_type(self.result)
        graded = self.values is not None or self.signed.value.data
        if not isinstance(element, GradedType if graded else CountType | SpikesType | GradedType):  # C2
            expected = "graded spikes" if graded else "counts or spikes"
            raise VerifyException(f"{self.name}: expected {expected}, found {element}")
        if self.reset.data not in ("subtract", "zero"):  # C3
            raise VerifyException(f'{self.name}: reset "{self.reset.data}" is neither "subtract" nor "zero"')
        window = None if self.fire is None else values_of(self.fire)
        if window is not None and not (len(window) == 2 and 0 <= window[0] < window[1]):  # C4
            raise VerifyException(f"{self.name}: the firing window {list(window)} is empty")
        self._verify_values()
        self._verify_sign()

    def _verify_values(self) -> None:
        """C5."""
        if self.values is None:
            return
        values, window = values_of(self.values), self.window
        if window is None or len(values) != window[1] - window[0] or min(values, default=0) < 1:
            raise VerifyException(f"{self.name}: expected a positive value for every step of a firing window")
        if self.spikes_per_step.value.data != 1:
            raise VerifyException(f"{self.name}: `values` go with one spike per step")

    def _verify_sign(self) -> None:
        """C6."""
        if not self.signed.value.data:
            return
        plain = self.values is None and self.spikes_per_step.value.data == 1 and self.refractory.value.data == 0
        if not plain or self.levels is None or self.reset.data != "subtract":
            rule = "has levels, resets by subtraction, needs no rest and sends one plain spike per step at most"
            raise VerifyException(f"{self.name}: a signed neuron {rule}")


@irdl_op_definition
class AccumulateOp(ChargedOp):
    """A membrane that never fires and is read at every step: an integrator, with decays a leaky one. A readout.

    i and v are those of `snn.integrate_and_fire`, in integers, too; the result is v.
    """

    name = "snn.accumulate"
    initial = opt_prop_def(Dense)
    bias = opt_prop_def(Dense)
    membrane_decay = opt_prop_def(Dense)
    current_decay = opt_prop_def(Dense)
    shift = opt_prop_def(IntegerAttr.constr(i64))
    decay_bits = opt_prop_def(IntegerAttr.constr(i64))
    state_bits = opt_prop_def(IntegerAttr.constr(i64))
    assembly_format = (
        "$currents (`initial` `(` $initial^ `)`)? (`bias` `(` $bias^ `)`)? "
        "(`membrane_decay` `(` $membrane_decay^ `)`)? (`current_decay` `(` $current_decay^ `)`)? "
        + STATE
        + "attr-dict `:` "
        "`(` type($currents) `)` `->` type($result)"
    )

    def __init__(
        self,
        currents: Sequence[SSAValue],
        initial: Dense | None = None,
        bias: Dense | None = None,
        *,
        membrane_decay: Dense | None = None,
        current_decay: Dense | None = None,
        element: Attribute | None = None,
    ) -> None:
        super().__init__(
            operands=[currents],
            properties={
                "initial": initial,
                "bias": bias,
                "membrane_decay": membrane_decay,
                "current_decay": current_decay,
            },
            result_types=[TensorType(element or element_type(currents[0]), shape_of(currents[0]))],
        )

    def constants(self) -> Sequence[Dense | None]:
        return [self.initial, self.bias, self.membrane_decay, self.current_decay]


@irdl_op_definition
class DelayOp(IRDLOperation):
    """The signal of `steps` steps ago; nothing before that. Every element may come `extra` steps later still.

    In a network of code "train" a delay of at least one step may read what stands further down: it closes a cycle.

    (C1) The type stays. (C2) The delay is positive, with `extra` not negative.
    (C3) `extra` (i32) has the input's shape.
    """

    name = "snn.delay"
    input = operand_def(TensorType)
    steps = prop_def(IntegerAttr.constr(i64))
    extra = opt_prop_def(Dense)
    result = result_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$input `steps` $steps (`extra` `(` $extra^ `)`)? attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, steps: int, extra: Dense | None = None) -> None:
        super().__init__(
            operands=[input], properties={"steps": integer(steps), "extra": extra}, result_types=[input.type]
        )

    def verify_(self) -> None:
        if self.input.type != self.result.type:  # C1
            raise VerifyException(f"snn.delay: the type changes from {self.input.type} to {self.result.type}")
        if self.steps.value.data < (0 if self.extra is not None else 1):  # C2
            raise VerifyException("snn.delay: a delay is at least one step")
        if self.extra is not None and dense_shape(self.extra) != shape_of(self.input):  # C3
            raise VerifyException(
                f"snn.delay: {dense_shape(self.extra)} extra delays for {shape_of(self.input)} elements"
            )


@irdl_op_definition
class ThresholdOp(ShapedOp):
    """One spike wherever the signal of a step reaches the threshold (`strict`: exceeds it). It remembers nothing.

    (C2) The result's elements are spikes.
    """

    name = "snn.threshold"
    input = operand_def(TensorType)
    threshold = prop_def(Dense)
    strict = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `threshold` `(` $threshold `)` (`strict` $strict^)? attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(self, input: SSAValue, threshold: Dense, *, strict: bool = False) -> None:
        super().__init__(
            operands=[input],
            properties={"threshold": threshold, "strict": BoolAttr.from_bool(strict)},
            result_types=[TensorType(SpikesType.of(0, 1), shape_of(input))],
        )

    def inferred_shape(self) -> shapes.Shape:
        return shapes.neuron_layer([shape_of(self.input)], [dense_shape(self.threshold)])

    def verify_(self) -> None:
        super().verify_()
        if not isinstance(element_type(self.result), SpikesType):  # C2
            raise VerifyException(f"snn.threshold: expected spikes, found {element_type(self.result)}")


@irdl_op_definition
class AddOp(ShapedOp):
    """The sum of what arrives at a step by several ways, for what is no neuron and has only one input."""

    name = "snn.add"
    signals = var_operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$signals attr-dict `:` `(` type($signals) `)` `->` type($result)"

    def __init__(self, signals: Sequence[SSAValue], element: Attribute) -> None:
        super().__init__(operands=[signals], result_types=[TensorType(element, shape_of(signals[0]))])

    def inferred_shape(self) -> shapes.Shape:
        return shapes.neuron_layer([shape_of(signal) for signal in self.signals], [])
