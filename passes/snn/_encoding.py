"""Says a network of counts in time: walks it in order, and keeps when every value may speak."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil, log2
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.shared.tables import ProductBase
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.types import GradedType, SpikesType
from neurocuda.errors import LevelError, Problem
from neurocuda.ir.attributes import element_type, integer, integers, shape_of, values_of
from neurocuda.ir.constraints import Constraints, constraints_of
from neurocuda.ir.origin import user_location
from neurocuda.ir.rewriting import replace
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn.analysis.multiples import largest_multiple
from neurocuda.passes.snn.analysis.schedule import GRADED, NO_GRADED, USE_GRADED, shortest_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


ASK_FOR_CODE = "Ask for this code alone: integers are chosen for the first of the codes."


@dataclass(frozen=True)
class Heard:
    """When what a layer reads arrives: all of it has begun by step `begun`, and from step `stop` on nothing comes."""

    begun: int
    stop: int


@dataclass(frozen=True)
class Saying:
    """How a layer says its counts: its firing window, the element type of its trains, and what sets its neurons apart.

    `carried` is the largest number that a spike itself carries.
    """

    window: tuple[int, int]
    element: RangeType
    properties: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])
    carried: int = 1


Say: TypeAlias = Callable[[int, Heard], Saying]
"""From a layer's number of levels and what it hears to what it says."""


def encode(
    module: ModuleOp,
    weights: WeightStore,
    name: str,
    code: str,
    say: Say,
    *,
    maximum_at_a_step: type[RangeType] | None = None,
) -> None:
    """Rewrites every network of counts for the pass `name`.

    The input arrives at step 0, all at once. Neurons have their bias from the start. Trains of type `maximum_at_a_step`
    that begin at one step have the maximum of their counts as the sum of their maxima at every step; all others count.
    In code "graded" a table layer speaks at the step after all that it hears, and factors of a product at one step.

    Raises:
        LevelError: there is no network of counts, or layers that the code cannot carry; lists them all.
    """
    from neurocuda.passes.snn.analysis.activity import activities
    from neurocuda.passes.snn.analysis.bounds import BoundsAnalysis
    from neurocuda.passes.snn.analysis.tables import inexact_tables

    for network in networks_of_counts(module, name):
        walk = _Walk(weights, constraints_of(module), code, say, maximum_at_a_step)
        for op in list(network.body.block.ops):
            walk.visit(op)
        network.properties["code"] = StringAttr(code)
        network.properties["steps"] = integer(walk.steps)
        if not walk.problems:
            walk.problems += inexact_tables(network, BoundsAnalysis(network, weights, activities(network)))
        if walk.problems:
            raise LevelError(f'the network has no code "{code}":', walk.problems)
        network.properties["interval"] = integer(shortest_interval(network))


class _Walk:
    """One network being encoded. Per value: when its elements begin, which decides what is aligned; and what is heard.

    `held_back` has values that wait for a step; `problems` collects the layers that the code cannot carry.
    """

    def __init__(
        self,
        weights: WeightStore,
        constraints: Constraints,
        code: str,
        say: Say,
        maximum_at_a_step: type[RangeType] | None,
    ) -> None:
        self.weights = weights
        self.constraints = constraints
        self.code = code
        self.say = say
        self.maximum_at_a_step = maximum_at_a_step
        self.held_back: dict[tuple[SSAValue, int], SSAValue] = {}
        self.begins: dict[SSAValue, Field] = {}
        self.heard: dict[SSAValue, Heard] = {}
        self.steps = 1
        self.problems: list[Problem] = []

    def visit(self, op: Operation) -> None:
        """Encodes one operation; its operands have been encoded."""
        if isinstance(op, snn.OutputOp):
            return
        if isinstance(op, snn.InputOp):
            self._input(op)
        elif isinstance(op, snn.IntegrateAndFireOp):
            self._neuron(op)
        elif isinstance(op, GRADED) and self.code != "graded":
            self._refuse(op, NO_GRADED, USE_GRADED)
            self._set(op, self._reads(op))
        elif isinstance(op, snn.FiringTableOp):
            self._table(op)
        elif isinstance(op, ProductBase):
            self._product(op)
        elif isinstance(op, snn.AccumulateOp):
            if op.bias is not None:
                self._charge_at_once(op)
            self._set(op, self._reads(op))
        elif isinstance(op, SynapseOp):
            self._set(op, self._reads(op))
        else:
            self._index_map(op)

    def _set(self, op: Operation, heard: Heard) -> None:
        import numpy as np

        self.begins[op.results[0]] = np.full(shape_of(op.results[0]), float(heard.begun))
        self.heard[op.results[0]] = heard

    def _reads(self, op: Operation) -> Heard:
        heard = [self.heard[operand] for operand in op.operands]
        return Heard(max(each.begun for each in heard), max(each.stop for each in heard))

    def _input(self, op: snn.InputOp) -> None:
        element = element_type(op.input)
        assert isinstance(element, CountType)
        retype(op, GradedType.of(*element.bounds))
        self._set(op, Heard(0, 1))

    def _neuron(self, op: snn.IntegrateAndFireOp) -> None:
        if op.levels is None:
            self._refuse(op, "it has no number of levels", "Quantise its activation.")
            self._set(op, self._reads(op))
            return
        saying = self.say(op.levels.value.data, self._reads(op))
        self._check(op, saying)
        self._charge_at_once(op)
        op.properties.update(saying.properties)
        op.properties["fire"] = integers(saying.window)
        retype(op, saying.element)
        self._set(op, Heard(*saying.window))
        self.steps = max(self.steps, saying.window[1])

    def _check(self, op: snn.IntegrateAndFireOp, saying: Saying) -> None:
        """Refuses what the target's registers do not hold, and thresholds that no proof covers."""
        assert op.levels is not None
        thresholds = self.weights.array(op.threshold).astype("int64")
        if thresholds.min() < 1:
            self._refuse(op, f"a threshold is {thresholds.min()}, and neurons fire exactly above zero only")
        if self.constraints.threshold_exponent and (thresholds & (thresholds - 1)).any():
            self._refuse(op, "its thresholds are no powers of two, as the target's are", ASK_FOR_CODE)
        multiple = largest_multiple(self.code, op.levels.value.data)
        highest, bits = int(thresholds.max()) * multiple, self.constraints.threshold_bits
        if multiple > 1 and highest >= 2 ** (bits - 1):
            why = f"it compares with {multiple} times its threshold, {highest}, which leaves {bits} bits"
            narrower = ceil(log2(highest / (2 ** (bits - 1) - 1)))
            self._refuse(op, why, f"{ASK_FOR_CODE} Weights narrower by {narrower} of their bits would fit.")
        self._check_carried(op, saying.carried, "Use fewer timesteps or another code.")

    def _check_carried(self, op: Operation, carried: int, remedy: str) -> None:
        """Refuses spikes that carry more than the target's do."""
        bits = self.constraints.graded_bits
        if carried > 1 and carried >= 2 ** (bits - 1):
            self._refuse(op, f"its spikes carry numbers up to {carried}, and the target's have {bits} bits", remedy)

    def _table(self, op: snn.FiringTableOp) -> None:
        """A table layer speaks at the one step after all that it hears."""
        lowest, highest = op.range
        window = self._reads(op).stop, self._reads(op).stop + 1
        self._check_carried(op, max(highest, -lowest), "Use fewer levels.")
        op.properties["fire"] = integers(window)
        retype(op, GradedType.of(lowest, highest))
        self._set(op, Heard(*window))
        self.steps = max(self.steps, window[1])

    def _product(self, op: ProductBase) -> None:
        """Both factors speak at the step at which the later one can; what is said earlier is held back."""
        step = self._reads(op).stop - 1
        for index, factor in enumerate(list(op.operands)):
            op.operands[index] = self._speaking_at(factor, step, op)
            _erase_unread(factor)
        self._set(op, Heard(step, step + 1))

    def _speaking_at(self, value: SSAValue, step: int, reader: Operation) -> SSAValue:
        """The value with all its elements at one step: held back, or moved once more, its parts held back."""
        import numpy as np

        begins = self.begins[value]
        steps = np.unique(begins[~np.isnan(begins)])
        if len(steps) == 0 or (len(steps) == 1 and steps[0] == step):
            return value
        if (value, step) not in self.held_back:
            op = value.owner
            if len(steps) == 1 and steps[0] >= 0:
                new: Operation = snn.DelayOp(value, step - int(steps[0]))
                new.location = reader.location
            else:
                assert isinstance(op, Operation)
                new = _at_a_step(op, [self._speaking_at(operand, step, reader) for operand in op.operands])
            Rewriter.insert_op(new, InsertPoint.before(reader))
            self.held_back[(value, step)] = new.results[0]
            self._set(new, Heard(step, step + 1))
        return self.held_back[(value, step)]

    def _refuse(self, op: Operation, why: str, remedy: str = "") -> None:
        self.problems.append(Problem(f"`{op.name}`", user_location(op), why, remedy))

    def _charge_at_once(self, op: snn.IntegrateAndFireOp | snn.AccumulateOp) -> None:
        """Moves the bias, which code "count" adds once, into the initial membrane potential."""
        import numpy as np

        constants = [self.weights.array(constant) for constant in (op.initial, op.bias) if constant is not None]
        total = sum((array.astype(np.int64) for array in constants), np.zeros(1, np.int64))
        if np.abs(total).max() >= 2**31:
            self._refuse(op, "its bias + initial membrane potential leave 32 bits", "Use narrower weights.")
            return
        op.properties["initial"] = self.weights.add(np.asarray(total, np.int32), "initial")
        op.properties.pop("bias", None)

    def _index_map(self, op: Operation) -> None:
        from neurocuda.passes.ann._fields import carried

        begins = carried(op, self.weights, [self.begins[operand] for operand in op.operands])
        heard = self._reads(op)
        if isinstance(op, snn.MaxPool2dOp) and not self._has_maximum_at_a_step(op, begins):
            op, begins = counting(op), None
        retype(op, carried_element(op))
        self.heard[op.results[0]] = heard
        self.begins[op.results[0]] = _scattered(op) if begins is None else begins

    def _has_maximum_at_a_step(self, op: snn.MaxPool2dOp, begins: Field | None) -> bool:
        kind = self.maximum_at_a_step
        return begins is not None and kind is not None and isinstance(carried_element(op), kind)


def _at_a_step(op: Operation, operands: list[SSAValue]) -> Operation:
    """The same index map or pooling of values that speak at one step."""
    kind = snn.MaxPool2dOp if isinstance(op, snn.RunningMaxPool2dOp) else type(op)
    types = list(op.result_types)
    return kind.create(operands=operands, properties=dict(op.properties), result_types=types, location=op.location)


def _erase_unread(value: SSAValue) -> None:
    """Erases an index map that nothing reads any more, and what it alone has read."""
    op = value.owner
    if value.uses or not isinstance(op, Operation) or op.parent is None:
        return
    operands = list(op.operands)
    op.parent.erase_op(op)
    for operand in operands:
        _erase_unread(operand)


def _scattered(op: Operation) -> Field:
    """Beginnings that differ everywhere: no window of these trains is aligned."""
    import numpy as np

    shape = shape_of(op.results[0])
    return -1.0 - np.arange(np.prod(shape), dtype=np.float64).reshape(shape)


def networks_of_counts(module: ModuleOp, name: str) -> Iterator[snn.NetworkOp]:
    """The networks that are still said in counts.

    Raises:
        LevelError: there is none.
    """
    found = [op for op in module.walk() if isinstance(op, snn.NetworkOp)]
    if not found:
        why, remedy = "no part of it computes with counts", "It needs at least one layer that does not run on the host."
        raise LevelError(f"{name} has nothing to say in spikes:", [Problem("the network", "", why, remedy)])
    coded = [op for op in found if op.code.data != "count"]
    if coded:
        problems = [
            Problem("`snn.network`", user_location(op), f'it has code "{op.code.data}" already') for op in coded
        ]
        raise LevelError(f"{name} takes networks of counts:", problems)
    yield from found


def retype(op: Operation, element: Attribute) -> None:
    """Gives the operation's result another element type, in place."""
    result = op.results[0]
    Rewriter.replace_value_with_new_type(result, TensorType(element, shape_of(result)))


def counting(op: snn.MaxPool2dOp) -> snn.RunningMaxPool2dOp:
    """Puts a counting max pooling, exact for any train, where an OR stood."""
    new = snn.RunningMaxPool2dOp.create(
        operands=list(op.operands), properties=dict(op.properties), result_types=[op.result.type]
    )
    replace(op, new)
    return new


def carried_element(op: Operation) -> Attribute:
    """The element type of an index map's or a pooling's result: spikes stay spikes, sums and mixtures are graded."""
    elements = [element_type(operand) for operand in op.operands]
    if isinstance(op, snn.SumPool2dOp):
        kernel = values_of(op.kernel)
        return _graded(elements, kernel[0] * kernel[1])
    if len(set(elements)) == 1:
        return elements[0]
    if all(isinstance(element, SpikesType) for element in elements):
        low, high = _united(elements)
        return SpikesType.of(low, high)
    return _graded(elements, 1)


def _graded(elements: list[Attribute], count: int) -> GradedType:
    low, high = _united(elements)
    return GradedType.of(min(0, low * count), max(0, high * count))


def _united(elements: list[Attribute]) -> tuple[int, int]:
    bounds = [e.bounds for e in elements if isinstance(e, CountType | SpikesType | GradedType)]
    return min(low for low, _ in bounds), max(high for _, high in bounds)
