"""The shared levels, in order. Each is a contract: what may appear, and why anything else is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TypeGuard

from xdsl.dialects.builtin import AnyFloat, DenseIntOrFPElementsAttr, DenseResourceAttr, TensorType, i32
from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import acts_on_charge, is_layer, rectifies
from neurocuda.dialects.shared.bases import ConcatBase, IndexMapOp, Pointwise, Pool2dOp, SynapseOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.shared.tables import ProductBase, TableLayerOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import Problem
from neurocuda.ir.attributes import Dense, dense_type, element_type, shape_of, values_of
from neurocuda.ir.constraints import declared_constraints
from neurocuda.ir.level import Level, Rule, ValueRule
from neurocuda.ir.origin import user_location, written_name
from neurocuda.ir.weights import WeightStore

FRAME = frozenset({"builtin.module", "func.func", "func.return"})
"""What every level stands in."""

SEGMENTS = frozenset({"host.segment"})
"""Operations that run beside the chip, with anything inside."""

MERGE_FIRST = ("it was not merged into a neuron layer", "Run `merge-residual` first.")
NOT_QUANTISED = ("it was not quantised", "Run `quantize-activations` first.")
LAST_ONLY = (
    'Keep it behind the last layer, where it runs on the host, allow the host in between (host="allow"), or replace it '
    "by ReLU and train again."
)

REPLACE = "Replace it by ReLU and fine-tune."
SIGNED: Mapping[str, str] = {
    "ann.relay": "Put a ReLU between the layers, or behind the sum, as in the original residual block.",
    "ann.clamp": "Use ReLU6 or clamp(0, a).",
    **dict.fromkeys(("ann.sigmoid", "ann.tanh", "ann.hard_sigmoid", "ann.softmax"), LAST_ONLY),
    "ann.layer_norm": "Train with batch normalisation.",
    "ann.mul": "Remove the gate (squeeze-and-excite).",
    "ann.matmul": "Attention needs a target with graded spikes.",
}
"""What is converted only for targets whose spikes carry numbers, and what to do elsewhere; all else is replaced."""

REASONS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys((*SIGNED, *(activation.name for activation in ann.ACTIVATIONS)), NOT_QUANTISED),
    "ann.log_softmax": ("a log-softmax between layers has no spiking rule", LAST_ONLY),
    "ann.relu": MERGE_FIRST,
    "ann.rounded_relu": ("it still rounds", "Run `defer-rounding` first."),
    "ann.attention": ("a masked share is zero, which needs an infinite score", "Use attention without a mask."),
    "ann.add": (
        "a sum with no activation behind it is no neuron layer",
        "Put a ReLU behind the sum, as in the original residual block.",
    ),
    "ann.sub": ("a difference with no activation behind it is no neuron layer", "Put a ReLU behind it."),
    "ann.batch_norm": ("it was not folded", "Run `fold-batch-norm` first."),
    "ann.affine": ("a scale or shift is left that folds into no layer beside it", "Put it next to a convolution."),
    "ann.mean": ("only the mean over height and width becomes a pooling", "Use average pooling."),
    "ann.average_pool2d": ("it was not replaced by a sum", "Run `replace-average-pooling` first."),
    "ann.adaptive_average_pool2d": ("its windows differ in size", "Use an output size that divides the input's."),
    "ann.constant": ("a constant that is no weight has no spiking rule", "Concatenate or add it on the host."),
}


def _problem(op: Operation, why: str, remedy: str = "") -> Problem:
    return Problem(f"`{written_name(op)}`", user_location(op), why, remedy)


def _in_train(op: Operation) -> bool:
    """Whether trains of spikes stand for themselves: then anything may be sent on as it is."""
    network = op.parent_op()
    return isinstance(network, snn.NetworkOp) and network.code.data == "train"


def currents_come_from_synapses(op: Operation) -> Iterator[Problem]:
    """Every current of a neuron layer comes straight from a synapse, or of a relay the only one from a product."""
    if not isinstance(op, NEURONS) or _in_train(op):
        return
    for current in op.currents:
        alone = isinstance(current.owner, PRODUCTS) and len(op.currents) == 1
        if not isinstance(current.owner, SynapseOp) and not alone:
            yield _problem(op, "a current comes from no synapse", "Run `merge-residual` first.")


def synapses_read_counts(op: Operation) -> Iterator[Problem]:
    """No synapse, pooling or index map reads a sum that no activation has turned into counts."""
    if not isinstance(op, (SynapseOp, IndexMapOp, ConcatBase, Pool2dOp, *PRODUCTS)) or _in_train(op):
        return
    sources = [operand.owner for operand in op.operands if isinstance(operand.owner, (SynapseOp, *PRODUCTS))]
    for source in sources:
        why = f"it reads {Problem(f'`{written_name(source)}`', user_location(source))} with no activation between"
        yield _problem(op, why, "Put a ReLU between them, or merge the two layers into one.")


def rectifiers_are_merged(op: Operation) -> Iterator[Problem]:
    """What nothing below zero passes is a neuron layer, and stands nowhere by itself."""
    if rectifies(op) or isinstance(op, ann.RoundedReluOp):
        yield _problem(op, *(MERGE_FIRST if rectifies(op) else REASONS[op.name]))


def charges_are_relayed(op: Operation) -> Iterator[Problem]:
    """What acts on a charge, and is no rectifier, alone reads the relay that gathers it, and acts along rows."""
    if not acts_on_charge(op) or isinstance(op, ann.RoundedReluOp):
        return
    if not (isinstance(op.operands[0].owner, ann.RelayOp) and op.operands[0].has_one_use()):
        yield _problem(op, "its charge was not relayed", "Run `insert-relays` first.")
    rank = len(shape_of(op.results[0]))
    if isinstance(op, ann.SoftmaxOp) and op.axis.value.data != rank - 1:
        yield _problem(op, "it shares among another axis than the last", "Transpose around it.")
    if isinstance(op, ann.LayerNormOp) and len(values_of(op.normalized)) != 1:
        yield _problem(op, "it norms several axes at once", "Norm the last axis, or train with batch normalisation.")


def signs_can_be_said(op: Operation) -> Iterator[Problem]:
    """Negative numbers, tables and products need spikes that carry a number."""
    if op.name not in SIGNED and not acts_on_charge(op):
        return
    constraints = declared_constraints(op)
    if constraints is not None and "graded" not in constraints.codes:
        codes = ", ".join(constraints.codes)
        yield _problem(
            op, f"it needs spikes that carry a number (code graded), not {codes}", SIGNED.get(op.name, REPLACE)
        )


def activations_are_calibrated(op: Operation) -> Iterator[Problem]:
    """Every neuron layer has a clip range, every input of floats has statistics."""
    if is_layer(op) and "nc.clip" not in op.attributes:
        yield _problem(op, "it has no clip range", "Run `calibrate` and `balance-thresholds`, with images.")
    if isinstance(op, ann.InputOp) and op.mean is None and "nc.statistics" not in op.attributes:
        yield _problem(op, "the input has no statistics", "Run `calibrate`, with images.")


def values_are_integers(op: Operation) -> Iterator[Problem]:
    """Nothing but integers flows between the host's borders, and constants are integers."""
    if not op.name.startswith(("ann.", "snn.")):
        return
    for result in op.results:
        element = _element(result)
        if isinstance(element, AnyFloat):
            yield _problem(op, f"its result is {element}", "Run `quantize-activations` and `quantize-weights`.")
    for name, constant in op.properties.items():
        if name != "scale" and _is_of_floats(constant):
            yield _problem(op, f"its {name} is in floats", "Run `quantize-weights`.")


def counts_have_ranges(op: Operation) -> Iterator[Problem]:
    """Every value of an integer network is a count in a declared range or an i32 accumulator."""
    if not op.name.startswith("ann."):
        return
    for result in op.results:
        element = _element(result)
        if not isinstance(element, RangeType | AnyFloat) and element != i32:
            yield _problem(op, f"its result is {element}, neither a count in a range nor an accumulator")


def constants_are_finite(op: Operation, weights: WeightStore) -> Iterator[Problem]:
    """No constant of floats holds NaN or an infinity, which would be rounded to some integer."""
    import numpy as np

    for name, constant in _float_constants(op):
        if not np.isfinite(weights.array(constant)).all():
            yield _problem(op, f"its {name} holds NaN or infinity", "Train again, or load other weights.")


def constants_are_numbers(op: Operation, weights: WeightStore) -> Iterator[Problem]:
    """As `constants_are_finite`, but what is added may be minus infinity: attention masks hold it."""
    import numpy as np

    if op.name not in MASKS:
        yield from constants_are_finite(op, weights)
        return
    for name, constant in _float_constants(op):
        values = weights.array(constant)
        if (np.isnan(values) | np.isposinf(values)).any():
            yield _problem(op, f"its {name} holds NaN or infinity", "Train again, or load other weights.")


def variances_are_positive(op: Operation, weights: WeightStore) -> Iterator[Problem]:
    """A batch norm divides by the root of its variance plus epsilon."""
    if isinstance(op, ann.BatchNormOp) and (weights.array(op.variance) + op.epsilon.value.data <= 0).any():
        yield _problem(op, "its variance plus epsilon is not positive", "Train again, or load other weights.")


def _float_constants(op: Operation) -> Iterator[tuple[str, Dense]]:
    """The constants of floats that an operation holds, by name."""
    for name, constant in (*op.properties.items(), *op.attributes.items()):
        if _is_of_floats(constant):
            yield name.removeprefix("nc."), constant


def _is_of_floats(attribute: Attribute) -> TypeGuard[Dense]:
    dense = isinstance(attribute, DenseIntOrFPElementsAttr | DenseResourceAttr)
    return dense and isinstance(dense_type(attribute).element_type, AnyFloat)


def _element(value: SSAValue) -> Attribute | None:
    return element_type(value) if isinstance(value.type, TensorType) else None


PRODUCTS = (ann.MulOp, ann.MatmulOp, ProductBase)
NEURONS = (
    ann.NeuronOp,
    ann.RelayOp,
    ann.StaircaseOp,
    TableLayerOp,
    snn.IntegrateAndFireOp,
    snn.AccumulateOp,
)
MAPS = frozenset(
    {"ann.max_pool2d", "ann.sum_pool2d", "ann.reshape", "ann.transpose", "ann.slice", "ann.pad", "ann.concat"}
)
MASKS = frozenset({"ann.affine", "ann.constant"})
"""What adds constants."""

SYNAPSES = frozenset({"ann.conv2d", "ann.linear", "ann.diagonal"})
TABLES = frozenset({"ann.lookup", "ann.integer_softmax", "ann.integer_layer_norm", "ann.product", "ann.matrix_product"})
STRUCTURE = (
    Rule("currents come from synapses", currents_come_from_synapses),
    Rule("synapses read counts", synapses_read_counts),
)

FLOATS = frozenset(operation.name for operation in ann.DIALECT.operations) - TABLES - {"ann.staircase"}

FINITE = ValueRule("constants are finite", constants_are_finite)

ANN_IMPORTED = Level(
    "ann-imported",
    frozenset(),
    FRAME | FLOATS,
    value_rules=(
        ValueRule("constants are numbers", constants_are_numbers),
        ValueRule("variances are positive", variances_are_positive),
    ),
)
"""Float tensors, one operation per ATen operation; no aliases, no dropout, no training forms."""

ANN_CONVERTIBLE = Level(
    "ann-convertible",
    frozenset({"host"}),
    FRAME | SYNAPSES | MAPS | frozenset(SIGNED) | {"ann.input", "ann.neuron"},
    (
        *STRUCTURE,
        Rule("rectifiers are merged", rectifiers_are_merged),
        Rule("charges are relayed", charges_are_relayed),
        Rule("signs can be said", signs_can_be_said),
        Rule("activations are calibrated", activations_are_calibrated, needs_calibration=True),
    ),
    REASONS,
    SEGMENTS,
    (FINITE,),
    (Pointwise,),
)
"""Float neuron layers fed by synapses, with clip ranges; everything has a spiking rule or runs on the host."""

ANN_QUANTIZED = Level(
    "ann-quantized",
    frozenset({"host"}),
    FRAME | SYNAPSES | MAPS | TABLES | {"ann.staircase"},
    (
        *STRUCTURE,
        Rule("values are integers", values_are_integers),
        Rule("counts have ranges", counts_have_ranges),
    ),
    REASONS,
    SEGMENTS,
    (FINITE,),
)
"""Integers in declared ranges; floats only on the host."""

SNN = Level("snn", frozenset({"host", "snn"}), FRAME, STRUCTURE, REASONS, SEGMENTS)
"""Signals over time: stateless synapses, neurons with all state; floats or integers."""

SNN_INTEGER = Level(
    "snn-integer",
    frozenset({"host", "snn"}),
    FRAME,
    (*STRUCTURE, Rule("values are integers", values_are_integers)),
    REASONS,
    SEGMENTS,
)
"""The same in integers of declared widths."""

LEVELS: Mapping[str, Level] = {
    level.name: level for level in (ANN_IMPORTED, ANN_CONVERTIBLE, ANN_QUANTIZED, SNN, SNN_INTEGER)
}
"""The shared levels by name, in order."""


def find_level(name: str) -> Level | None:
    """The contract of a level by name: a shared one, or the `LEVEL` in the `level.py` beside a dialect's `ops.py`.

    `snn-count`, the integer network read as a spiking one whose code is the count, obeys `snn-integer`.
    """
    from neurocuda.registry import merged_universe

    if name in LEVELS or name == "snn-count":
        return LEVELS.get(name, SNN_INTEGER)
    dialects = merged_universe().all_dialects
    if name not in dialects:
        return None
    packages = {operation.__module__.rpartition(".")[0] for operation in dialects[name]().operations}
    modules = [f"{package}.level" for package in packages if find_spec(f"{package}.level") is not None]
    levels = [getattr(import_module(module), "LEVEL", None) for module in modules]
    return next((level for level in levels if isinstance(level, Level) and level.name == name), None)
