"""Checks that a pass kept its promise, by running the module before and after it on the same inputs."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xdsl.context import Context
from xdsl.dialects.builtin import DYNAMIC_INDEX, AnyFloat, IntegerType, ModuleOp, TensorType
from xdsl.ir import Attribute, Operation
from xdsl.passes import ModulePass

from neurocuda.errors import ModelError, PromiseError, warn
from neurocuda.ir.context import weights_of
from neurocuda.ir.origin import forget_origins, name_origins, origin_of, user_location
from neurocuda.ir.promise import Deviation, Equal, Promise
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Observed = dict[str, NDArray[np.float64]]

IMAGES = 3
"""How many random inputs a promise is checked on where none are given."""


STEPS = 16
"""Time steps of random inputs whose first axis is time."""

NOT_RUN = "the module has no single function @main of tensors that could be run"

KEEPING = frozenset({"canonicalize", "cse", "dce", "licm"})
"""Passes of xDSL that change no value; they declare no promise of their own."""


@dataclass(frozen=True)
class ValueReport:
    """How far one value, named by its origin or as an output, moved; and where it stands in the user's model."""

    name: str
    location: str
    deviation: Deviation


def validate_pass(
    step: ModulePass, ctx: Context, module: ModuleOp, inputs: Sequence[Array] | None = None
) -> list[ValueReport]:
    """Applies a pass and checks its promise on inputs (batch axis first), random ones where none are given.

    Raises:
        PromiseError: the pass declares no promise, or broke it; names the first value that differs.
    """
    promise = getattr(step, "promise", Equal() if step.name in KEEPING else None)
    if not isinstance(promise, Promise):
        raise PromiseError(f"pass {step.name} declares no promise")
    # Names of ours would tell apart what xDSL's passes merge.
    given = frozenset[str]() if step.name in KEEPING else name_origins(module)
    before = module.clone()
    step.apply(ctx, module)
    reports = check_promise(before, module, promise, weights_of(ctx), inputs, name=step.name)
    forget_origins(module, given)
    return reports


def check_promise(
    before: ModuleOp,
    after: ModuleOp,
    promise: Promise,
    weights: WeightStore,
    inputs: Sequence[Array] | None = None,
    *,
    name: str,
) -> list[ValueReport]:
    """Compares two modules value by value: what shares an origin, and the outputs.

    Warns:
        NeuroCudaWarning: no inputs are given and the module is no network, so nothing was compared.

    Raises:
        PromiseError: names the first value, in program order, that breaks the promise.
        ModelError: a value is NaN or infinite already before the pass, and nothing can be promised of it.
    """
    given = random_inputs(before) if inputs is None else list(inputs)
    if given is None:
        warn(f"{name} was not validated: {NOT_RUN}")
        return []
    old, places = observe(before, weights, given)
    for key, value in old.items():
        _require_numbers(value, key, places.get(key, ""), name)
    new, locations = observe(after, weights, given)
    reports: list[ValueReport] = []
    for key, value in new.items():
        if key not in old:
            continue
        where = locations.get(key, "")
        reason = promise.broken_by(old[key], value)
        if reason is not None:
            place = f" ({where})" if where else ""
            raise PromiseError(f"{name} changed {key}{place}: {reason}")
        reports.append(ValueReport(key, where, Deviation.between(old[key], value)))
    return reports


def _require_numbers(value: NDArray[np.float64], key: str, where: str, name: str) -> None:
    """Minus infinity may stand: attention masks hold it."""
    import numpy as np

    if (np.isnan(value) | np.isposinf(value)).any():
        place = f" ({where})" if where else ""
        raise ModelError(f"{key}{place} is NaN or infinite before {name} runs: there is nothing to compare with")


def observe(module: ModuleOp, weights: WeightStore, inputs: Sequence[Array]) -> tuple[Observed, dict[str, str]]:
    """Every value with an origin and every output, in float64 and the user's units; and where each stands.

    Floats stand for themselves; counts and sums of spikes are multiplied by their scale. A counted value whose scale
    is not known is left out, and so are the currents of an integer network, whose unit is arbitrary.
    """
    import numpy as np

    from neurocuda.reference.interpreter import interpret
    from neurocuda.reference.scales import offsets_of, scales_of

    scales, offsets = scales_of(module, weights), offsets_of(module, weights)
    values: Observed = {}
    locations: dict[str, str] = {}

    def note(op: Operation, array: Array) -> None:
        origin = origin_of(op)
        scale = scales.get(op.results[0]) if op.results else _own_scale(op, weights)
        if origin is None or (scale is None and array.dtype.kind != "f"):
            return
        offset = offsets.get(op.results[0], 0.0) if op.results else 0.0
        values[origin] = array.astype(np.float64) * (1.0 if scale is None else scale) + offset
        locations[origin] = user_location(op)

    for index, output in enumerate(interpret(module, weights, inputs, note)):
        values[f"output {index}"] = output.astype(np.float64)
    return values, locations


def _own_scale(op: Operation, weights: WeightStore) -> NDArray[np.float64] | None:
    """The scale that an operation on buffers, which has no result, says in its property `scale`."""
    import numpy as np

    scale = op.properties.get("scale")
    return None if scale is None else weights.array(scale).astype(np.float64)


def random_inputs(module: ModuleOp) -> list[Array] | None:
    """Inputs that fit the module, the same for the same types; None where it has no single network to run."""
    import numpy as np

    from neurocuda.reference.interpreter import main_function

    try:
        arguments = main_function(module).body.block.args
    except ModelError:
        return None
    seed = zlib.crc32(" ".join(str(argument.type) for argument in arguments).encode())
    random = np.random.default_rng(seed)
    found = [_random(random, argument.type) for argument in arguments]
    return [array for array in found if array is not None] if all(a is not None for a in found) else None


def _random(random: np.random.Generator, kind: Attribute) -> Array | None:
    import numpy as np

    from neurocuda.reference.scales import Ranged

    if not isinstance(kind, TensorType):
        return None
    sizes = [STEPS if size == DYNAMIC_INDEX else size for size in kind.get_shape()]
    shape, element = (IMAGES, *sizes), kind.element_type
    if isinstance(element, AnyFloat):
        return random.standard_normal(shape).astype(np.float32)
    if isinstance(element, Ranged):
        return random.integers(element.bounds[0], element.bounds[1] + 1, shape)
    if isinstance(element, IntegerType):
        width = min(element.width.data, 8)
        return random.integers(0, 2**width, shape).astype(np.uint8 if width == 8 else np.int64)
    return None
