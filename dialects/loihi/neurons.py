"""Groups of neurons: all state, on cores of chips; and where spikes come from."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from math import prod
from typing import ClassVar

from xdsl.dialects.builtin import (
    DenseArrayBase,
    IntegerAttr,
    IntegerType,
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

from neurocuda.dialects.loihi.synapses import WeightsOp
from neurocuda.dialects.loihi.types import CURRENT, GRADED, MEMBRANE, SPIKE, carries_spikes
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import IndexMapOp, ShapedOp
from neurocuda.ir.attributes import Dense, dense_shape, dense_type, element_type, integer, integers, shape_of, values_of
from neurocuda.ir.resources import ResourceUser

PLACE = (
    "(`worth` $worth^)? (`since` $since^)? (`until` $until^)? (`tiles` $tiles^)? (`chips` $chips^)? (`cores` $cores^)? "
    "attr-dict `:` `(` type($currents) `)` `->` type($spikes) `,` type($membrane)"
)


@irdl_op_definition
class SourceOp(ShapedOp):
    """Sends row t of its input at step t, and nothing after the last row. Lava's `RingBuffer`, without the repetition.

    (C1) The result has the shape of a row. (C2) It holds spikes, plain (i1) or graded (i32), as the input does.
    """

    name = "loihi.source"
    input = operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    assembly_format = "$input attr-dict `:` type($input) `->` type($result)"

    def inferred_shape(self) -> shapes.Shape:
        if not shape_of(self.input):
            raise ValueError("the input has no rows")
        return shape_of(self.input)[1:]

    def verify_(self) -> None:
        super().verify_()  # C1
        if not carries_spikes(self.result) or element_type(self.input) != element_type(self.result):  # C2
            raise VerifyException(f"{self.name}: expected i1 or i32 all along, found {self.input.type}")


@irdl_op_definition
class PulsesOp(IRDLOperation):
    """Neurons outside of the network that all send given payloads at given steps, whatever the input: a clock.

    It releases layers, raises ramps and brings biases in their time. Lava's `RingBuffer`; on a chip a spike generator.

    (C2) It sends graded spikes (i32). (C3) Steps ascend from 0 on, one payload for each.
    """

    name = "loihi.pulses"
    steps = prop_def(DenseArrayBase.constr(i64))
    payloads = prop_def(DenseArrayBase.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "`steps` $steps `payloads` $payloads attr-dict `:` type($result)"

    def __init__(self, pulses: Mapping[int, int], shape: Sequence[int] = (1,)) -> None:
        steps = sorted(pulses)
        super().__init__(
            properties={"steps": integers(steps), "payloads": integers([pulses[step] for step in steps])},
            result_types=[TensorType(GRADED, shape)],
        )

    @property
    def pulses(self) -> Mapping[int, int]:
        """The payload by step."""
        return dict(zip(values_of(self.steps), values_of(self.payloads), strict=True))

    def verify_(self) -> None:
        if element_type(self.result) != GRADED:  # C2
            raise VerifyException(f"{self.name}: expected {GRADED}, found {element_type(self.result)}")
        steps, payloads = values_of(self.steps), values_of(self.payloads)
        ascending = all(before < after for before, after in zip((-1, *steps), steps, strict=False))
        if not steps or not ascending or len(steps) != len(payloads):  # C3
            raise VerifyException(f"{self.name}: payloads {list(payloads)} at steps {list(steps)}")


def behind_ports(value: SSAValue) -> SSAValue:
    """What a port, or several behind each other, show in another shape; the value itself where there is none."""
    while isinstance(value.owner, IndexMapOp):
        value = value.owner.input
    return value


class GroupOp(ShapedOp, ResourceUser, ABC):
    """Neurons of one model. The currents of all their synapses add up; per-neuron constants broadcast.

    `spikes` are what they send, `membrane` is a probe: the membrane potential behind every step. With `tiles`, `chips`
    and `cores` the group has its place: along every axis it is cut into `tiles` parts, as even as can be with the
    larger ones first, and of the blocks, in row-major order, block i lies on core `cores[i]` of chip `chips[i]`. Groups
    may share a core. What a spike says of the count of its layer, reports read: `worth`, or with `until` as many times
    that as there are steps from the spike to this one; nothing before step `since`. Groups of one origin say one count
    together.

    (C1) Currents and results have one shape.
    (C2) Currents and membranes are i24, spikes i1, graded ones i32.
    (C3) Tiles, chips and cores go together: every axis has at least one part and no more than elements, every block a
         core of its own, and no number is negative.
    (C4) Per-neuron constants are integers within the widths below. Level `loihi` checks it.
    """

    currents = var_operand_def(TensorType)
    worth = prop_def(IntegerAttr.constr(i64), default_value=integer(1))
    since = prop_def(IntegerAttr.constr(i64), default_value=integer(0))
    until = opt_prop_def(IntegerAttr.constr(i64))
    tiles = opt_prop_def(DenseArrayBase.constr(i64))
    chips = opt_prop_def(DenseArrayBase.constr(i64))
    cores = opt_prop_def(DenseArrayBase.constr(i64))
    spikes = result_def(TensorType)
    membrane = result_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)

    SENDS: ClassVar[Attribute] = SPIKE
    STATE: ClassVar[int]
    """The words of state that the model of one neuron has."""

    def uses(self) -> Mapping[str, float]:
        """The words of state of one neuron: its model's, and one for every step that a current may be on its way.

        As in Loihi 1, where dendritic accumulators keep currents that come later; assumed of Loihi 2.
        """
        synapses = [behind_ports(current).owner for current in self.currents]
        latency = max((synapse.latency for synapse in synapses if isinstance(synapse, WeightsOp)), default=1)
        return {"state_words": self.STATE + latency}

    def constants(self) -> Mapping[str, tuple[Dense | None, int, int]]:
        """The per-neuron constants by name, each with the lowest and the highest that the chip can hold."""
        return {}

    def inferred_shape(self) -> shapes.Shape:
        constants = [dense_shape(constant) for constant, _, _ in self.constants().values() if constant is not None]
        return shapes.neuron_layer([shape_of(current) for current in self.currents], constants)

    def verify_(self) -> None:
        super().verify_()  # C1
        if shape_of(self.membrane) != shape_of(self.spikes):  # C1
            raise VerifyException(f"{self.name}: spikes and membrane have {self.spikes.type} and {self.membrane.type}")
        elements = [element_type(value) for value in (*self.currents, self.membrane)]
        if set(elements) != {CURRENT} or element_type(self.spikes) != self.SENDS:  # C2
            raise VerifyException(f"{self.name}: expected {CURRENT} currents and membranes, and {self.SENDS} spikes")
        self._verify_place()
        for name, (constant, _, _) in self.constants().items():  # C4
            if constant is not None and not isinstance(dense_type(constant).element_type, IntegerType):
                raise VerifyException(f"{self.name}: its {name} holds no integers")

    def worth_at(self, step: int) -> int:
        """What a spike of this step says of the count of its layer."""
        if step < self.since.value.data:
            return 0
        return self.worth.value.data * (1 if self.until is None else max(0, self.until.value.data - step))

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """(chip, core) of every block, in row-major order; empty where the group has no place."""
        if self.chips is None or self.cores is None:
            return ()
        return tuple(zip(values_of(self.chips), values_of(self.cores), strict=True))

    def _verify_place(self) -> None:
        """C3."""
        if self.tiles is None and self.chips is None and self.cores is None:
            return
        if self.tiles is None or self.chips is None or self.cores is None:
            raise VerifyException(f"{self.name}: a place is made of tiles, chips and cores")
        tiles, chips, cores, shape = *map(values_of, (self.tiles, self.chips, self.cores)), shape_of(self.spikes)
        if len(tiles) != len(shape) or not all(1 <= parts <= size for parts, size in zip(tiles, shape, strict=True)):
            raise VerifyException(f"{self.name}: neurons of shape {shape} are not cut into {list(tiles)} tiles")
        places = set(zip(chips, cores, strict=False))
        if not len(chips) == len(cores) == len(places) == prod(tiles) or min(*chips, *cores) < 0:
            found = f"chips {list(chips)} and cores {list(cores)}"
            raise VerifyException(f"{self.name}: {found} are not one place for each of {prod(tiles)} blocks")

    def require(self, value: IntegerAttr, name: str, lowest: int, highest: int) -> None:
        """Raises VerifyException where a property leaves its register."""
        if not lowest <= value.value.data <= highest:
            raise VerifyException(f"{self.name}: {name} = {value.value.data} leaves {lowest} ... {highest}")


@irdl_op_definition
class LifOp(GroupOp):
    """Leaky integrate-and-fire neurons with a hard reset, as in Loihi's silicon. Lava's `LIF`, or `LIFReset`.

    Membrane potential v and current u begin at `initial` and 0. At every step

        u <- wrap24(decay(u, du + 1) + 64 sum of currents)
        v <- saturate24(decay(v, dv) + u + bias_mant 2^bias_exp)
        s <- 1 where v > 64 vth, else 0;  v <- 0 where s = 1

    decay(x, d) = sign(x) floor(|x| (4096 - d) / 4096): du = 4095 forgets the current at every step. With du = -1 it
    lasts, in Lava's model, where du = 0 still decays; whether silicon takes -1 is not known. wrap24 adds or takes off
    2^24 once, saturate24 clips to ±(2^23 - 1). With `reset_interval` n, v and u are first set to 0 at every step t,
    counted from 1 as in Lava, where t and `reset_offset` leave the same rest by n: with n = 1 nothing is remembered.
    Source: lava-nc 0.10.0, proc/lif/models.py, PyLifModelBitAcc and PyLifResetModelBitAcc.

    (C4) `initial` lies within ±(2^23 - 1), `bias_mant` within -4096 ... 4095 (13 bits).
    (C5) Decays have 12 bits: du is in -1 ... 4095, dv in 0 ... 4095.
    (C6) The threshold has 17 bits, 0 ... 131071.
    (C7) The exponent of the bias has three bits, 0 ... 7.
    (C8) The reset interval is positive, its offset not negative.
    """

    name = "loihi.lif"
    du = prop_def(IntegerAttr.constr(i64))
    dv = prop_def(IntegerAttr.constr(i64))
    vth = prop_def(IntegerAttr.constr(i64))
    bias_mant = opt_prop_def(Dense)
    bias_exp = prop_def(IntegerAttr.constr(i64), default_value=integer(0))
    initial = opt_prop_def(Dense)
    reset_interval = opt_prop_def(IntegerAttr.constr(i64))
    reset_offset = prop_def(IntegerAttr.constr(i64), default_value=integer(0))
    assembly_format = (
        "$currents `du` $du `dv` $dv `vth` $vth (`bias_mant` `(` $bias_mant^ `)`)? (`bias_exp` $bias_exp^)? "
        "(`initial` `(` $initial^ `)`)? (`reset_interval` $reset_interval^)? (`reset_offset` $reset_offset^)? " + PLACE
    )

    STATE: ClassVar[int] = 2

    def constants(self) -> Mapping[str, tuple[Dense | None, int, int]]:
        return {"bias_mant": (self.bias_mant, -4096, 4095), "initial": (self.initial, -MEMBRANE, MEMBRANE)}

    def verify_(self) -> None:
        super().verify_()
        self.require(self.du, "du", -1, 4095)  # C5
        self.require(self.dv, "dv", 0, 4095)  # C5
        self.require(self.vth, "vth", 0, 2**17 - 1)  # C6
        self.require(self.bias_exp, "bias_exp", 0, 7)  # C7
        if self.reset_interval is not None:
            self.require(self.reset_interval, "reset_interval", 1, 2**31 - 1)  # C8
        self.require(self.reset_offset, "reset_offset", 0, 2**31 - 1)  # C8

    def forgets_at(self, step: int) -> bool:
        """Whether current and membrane are set to 0 before a step, counted from 0."""
        if self.reset_interval is None:
            return False
        return (step + 1 - self.reset_offset.value.data) % self.reset_interval.value.data == 0


@irdl_op_definition
class IntegrateAndFireOp(GroupOp):
    """Integrate-and-fire neurons with a soft reset: a microcode program, as neither Loihi nor Lava has them.

    The membrane potential v begins at `initial`. At every step, the firing window [start, stop) `fire` permitting,

        v <- saturate24(v + sum of currents + bias)           (outside the window without the bias)
        s <- 1 where v >= threshold, else 0;  v <- v - threshold s            (inside the window alone)

    saturate24 clips to ±(2^23 - 1). Nothing is scaled by 64. Without a window, all steps are inside.

    (C4) `initial` and `bias` lie within ±(2^23 - 1), thresholds in 1 ... 2^23 - 1.
    (C5) The firing window is not empty.
    """

    name = "loihi.integrate_and_fire"
    threshold = prop_def(Dense)
    bias = opt_prop_def(Dense)
    initial = opt_prop_def(Dense)
    fire = opt_prop_def(DenseArrayBase.constr(i64))
    assembly_format = (
        "$currents `threshold` `(` $threshold `)` (`bias` `(` $bias^ `)`)? (`initial` `(` $initial^ `)`)? "
        "(`fire` $fire^)? " + PLACE
    )

    STATE: ClassVar[int] = 1

    def constants(self) -> Mapping[str, tuple[Dense | None, int, int]]:
        return {
            "threshold": (self.threshold, 1, MEMBRANE),
            "bias": (self.bias, -MEMBRANE, MEMBRANE),
            "initial": (self.initial, -MEMBRANE, MEMBRANE),
        }

    def fires_at(self, step: int) -> bool:
        """Whether a step lies in the firing window."""
        if self.fire is None:
            return True
        start, stop = values_of(self.fire)
        return start <= step < stop

    def verify_(self) -> None:
        super().verify_()
        window = (0, 1) if self.fire is None else values_of(self.fire)
        if len(window) != 2 or not 0 <= window[0] < window[1]:  # C5
            raise VerifyException(f"{self.name}: the firing window {list(window)} is empty")


@irdl_op_definition
class SigmaDeltaOp(GroupOp):
    """Neurons that say changes of their activation as graded spikes. Lava's `SigmaDelta`, without cumulative error.

    Everything begins at 0. With e = spike_exp + state_exp, at every step

        sigma <- sigma + sum of currents;  now <- activation(sigma + 2^e bias);  d <- now - before + residue
        sent <- d where |d| >= 2^e vth, else 0;  residue <- d - sent;  before <- now;  s <- floor(sent / 2^state_exp)

    The activation is "relu", max(x, 0), or "unit", x. The membrane that is probed is sigma.
    Source: lava-nc 0.10.0, proc/sdn/models.py, PySigmaDeltaModelFixed.

    (C4) `bias` lies within ±32768 (16 bits).
    (C5) The threshold is in 0 ... 2^23 - 1, exponents have three bits, 0 ... 7.
    (C6) The activation is "relu" or "unit".
    """

    name = "loihi.sigma_delta"
    vth = prop_def(IntegerAttr.constr(i64))
    bias = opt_prop_def(Dense)
    activation = prop_def(StringAttr, default_value=StringAttr("relu"))
    spike_exp = prop_def(IntegerAttr.constr(i64), default_value=integer(0))
    state_exp = prop_def(IntegerAttr.constr(i64), default_value=integer(0))
    assembly_format = (
        "$currents `vth` $vth (`bias` `(` $bias^ `)`)? (`activation` $activation^)? (`spike_exp` $spike_exp^)? "
        "(`state_exp` $state_exp^)? " + PLACE
    )

    SENDS: ClassVar[Attribute] = GRADED
    STATE: ClassVar[int] = 3

    def constants(self) -> Mapping[str, tuple[Dense | None, int, int]]:
        return {"bias": (self.bias, -(2**15), 2**15 - 1)}

    def verify_(self) -> None:
        super().verify_()
        self.require(self.vth, "vth", 0, MEMBRANE)  # C5
        self.require(self.spike_exp, "spike_exp", 0, 7)  # C5
        self.require(self.state_exp, "state_exp", 0, 7)  # C5
        if self.activation.data not in ("relu", "unit"):  # C6
            raise VerifyException(f'{self.name}: activation "{self.activation.data}" is neither "relu" nor "unit"')
