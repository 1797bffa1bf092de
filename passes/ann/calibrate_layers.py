"""Calibrates layer after layer on what really reaches it: the float and the quantised network in lockstep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.ann.analysis import is_layer
from neurocuda.dialects.ann.canonicalization import TRAINED
from neurocuda.errors import InputError, LevelError, OptionError, Problem, warn
from neurocuda.ir.constraints import constraints_of
from neurocuda.ir.origin import user_location
from neurocuda.ir.promise import Approximates
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._narrowed import note_narrowed
from neurocuda.passes.ann._statistics import CLIP, named_images
from neurocuda.passes.ann._weight_grid import WeightGrid, weight_grid

if TYPE_CHECKING:
    from neurocuda.passes.ann.calibration.layer import Step
    from neurocuda.reference.meaning import Array

STEPS = ("least-squares", "rounding", "bias", "threshold", "equalize", "output-mean")
"""What may be done at a layer."""

JOINT = "joint"
"""The step behind all others, at all layers together."""

CODES = ("count", "free")
"""What a layer says: whole counts, as all exact codes do, or the spikes of free-running neurons."""

MOST_FREE_IMAGES = 64
"""Trains take as much memory and time per image as there are steps."""

FINE = 127
"""The largest integer of the coarsest weights that gradients may move."""

FEWEST_IMAGES = 16
"""Fewer different images say too little about other images."""


@dataclass(frozen=True)
class CalibrateLayersPass(NeuroPass):
    """
    Walks the layers in order and corrects each one for the rounding in front of it, without labels.

    The float network and the quantised network see the same calibration images. What the quantised network's own
    layers say, input coding and integer weights included, reaches the next layer, whose weights, bias and clip ranges
    are then changed by the `steps`, in the order given (`joint` comes last):

    `least-squares` changes weights so that the charge comes near the float network's, `bias` matches the mean charge
    per channel, `threshold` takes the clip range per channel with the least mean square error, `output-mean` matches
    the mean of what the layer says, `equalize` raises clip ranges so that channels can share a threshold (it acts only
    where the target has one threshold per layer). At a readout and at layers of signed numbers the first two apply.
    `joint`, behind the walk, tunes weights, biases and clip ranges of all layers together by gradient descent; it is
    for weights of at least 8 bits, thresholds per channel and code "count", and does nothing else.

    With code "free" the layers run free: trains of spikes, simulated for `timesteps` steps on the first 64 images,
    are what reaches the next layer and what `output-mean` looks at.

    Quantising stays with `quantize-activations` and `quantize-weights`, which take the same options. The images are
    those that the module names (`nc.calibration`); with fewer than 16 different ones nothing is changed, and the pass
    warns. Silent channels keep their clip range. Networks that were trained with their levels (`defer-rounding`) stay.

    Before:
        builtin.module attributes {nc.calibration = [dense<[[0.0], [0.1], [0.2], [0.3], [0.4], [0.5], [0.6], [0.7], [0.8],
            [0.9], [1.0], [1.1], [1.2], [1.3], [1.4], [1.5]]> : tensor<16x1xf32>]} {
          func.func @main(%p: tensor<1xf32>) -> tensor<1xf32> {
            %x = ann.input %p {nc.statistics = {minimum = dense<0.0> : tensor<1xf32>, maximum = dense<1.5> : tensor<1xf32>,
                                                mean = dense<0.75> : tensor<1xf32>, variance = dense<0.2> : tensor<1xf32>,
                                                edges = dense<[[0.0, 1.5]]> : tensor<1x2xf32>,
                                                histogram = dense<1> : tensor<1x2048xi32>}} : tensor<1xf32> -> tensor<1xf32>
            %0 = ann.linear %x weight(dense<1.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
            %y = ann.neuron %0 {nc.clip = dense<4.5> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
            func.return %y : tensor<1xf32>
          }
        }

    Options: timesteps=3 steps="threshold"

    After:
        %y = ann.neuron %0 {nc.clip = dense<1.35...> : tensor<1xf32>}
    """  # noqa: E501

    name = "calibrate-layers"
    promise = Approximates()

    steps: tuple[str, ...] = STEPS
    timesteps: int = 15
    weight_bits: int | None = None
    code: str = "count"

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        unknown = [step for step in self.steps if step not in (*STEPS, JOINT)]
        if unknown:
            raise OptionError(f"calibrate-layers: step '{unknown[0]}' is none of {', '.join((*STEPS, JOINT))}")
        if self.code not in CODES:
            raise OptionError(f"calibrate-layers: code '{self.code}' is none of {', '.join(CODES)}")
        grid = weight_grid(constraints_of(module), self.weight_bits, self.name)
        steps, free = [step for step in self.steps if step != "equalize" or grid.one_threshold], self.code == "free"
        walk_layers(self.name, module, weights, steps, self.timesteps, grid, free=free)


def walk_layers(
    name: str,
    module: ModuleOp,
    weights: WeightStore,
    steps: Sequence[str],
    timesteps: int,
    grid: WeightGrid,
    *,
    free: bool = False,
) -> None:
    """Does the steps at every layer, in order.

    Raises:
        OptionError: `timesteps` is out of range.
        InputError: there are no calibration images, or they are not finite.
        LevelError: a layer has no clip range; lists all.
    """
    from neurocuda.reference.interpreter import main_function

    if not 1 <= timesteps <= 2**15:
        raise OptionError(f"{name}: timesteps must be 1 ... 32768, not {timesteps}")
    images = named_images(module, weights)
    if not images:
        raise InputError(f"{name}: the module names no calibration images (nc.calibration)")
    _require_clip_ranges(name, module)
    if any(TRAINED in op.attributes for op in module.walk()) or _are_few(name, images):
        return
    from neurocuda.passes.ann.calibration.walk import Walk

    exact = module.clone() if JOINT in steps else module
    walk = Walk(weights, steps_named([step for step in steps if step != JOINT]), timesteps, grid, free=free)
    function = main_function(module)
    for argument, array in zip(function.body.block.args, images, strict=True):
        walk.start(argument, array[:MOST_FREE_IMAGES] if free else array)
    for op in function.body.block.ops:
        walk.visit(op)
    note_narrowed(module, walk.narrowed)
    if JOINT in steps and _are_tunable(grid, free=free):
        from neurocuda.passes.ann.calibration.joint import tune_together

        tune_together(exact, module, weights, images, timesteps)


def _are_tunable(grid: WeightGrid, *, free: bool) -> bool:
    """Whether layers stay what gradient descent made of them when they are rounded; warns where not."""
    fine = not free and not grid.fixes_units and grid.largest >= FINE
    if not fine:
        warn(
            "layers are tuned together only for weights of at least 8 bits, thresholds per channel and an exact code: "
            "they stay as they were calibrated one by one"
        )
    return fine


def steps_named(names: Sequence[str]) -> list[Step]:
    """The steps behind their names."""
    from neurocuda.passes.ann.calibration.bias import bias
    from neurocuda.passes.ann.calibration.equalize import equalize
    from neurocuda.passes.ann.calibration.least_squares import least_squares
    from neurocuda.passes.ann.calibration.output_mean import output_mean
    from neurocuda.passes.ann.calibration.rounding import rounding
    from neurocuda.passes.ann.calibration.threshold import threshold

    steps = (least_squares, rounding, bias, threshold, equalize, output_mean)
    known: dict[str, Step] = dict(zip(STEPS, steps, strict=True))
    return [known[name] for name in names]


def _require_clip_ranges(name: str, module: ModuleOp) -> None:
    from neurocuda.reference.interpreter import main_function

    block = main_function(module).body.block
    missing = [op for op in block.ops if is_layer(op) and CLIP not in op.attributes]
    if missing:
        why, remedy = "it has no clip range", "Run `balance-thresholds` first."
        problems = [Problem(f"`{op.name}`", user_location(op), why, remedy) for op in missing]
        raise LevelError(f"{name} needs clip ranges:", problems)


def _are_few(name: str, images: Sequence[Array]) -> bool:
    """Whether there are too few different images to calibrate on; warns.

    Raises:
        InputError: an image is not finite.
    """
    import numpy as np

    if not all(np.isfinite(array).all() for array in images):
        raise InputError(f"{name}: the calibration images hold values that are not finite")
    different = len(set(zip(*([image.tobytes() for image in array] for array in images), strict=True)))
    if different >= FEWEST_IMAGES:
        return False
    warn(
        f"{different} different calibration {'image says' if different == 1 else 'images say'} too little about "
        "others: weights and biases stay as they are, only clip ranges were chosen; "
        f"give at least {FEWEST_IMAGES}, better 256"
    )
    return True
