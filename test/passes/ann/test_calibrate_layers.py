"""Layer after layer: what the walk foresees is what the integers say, and they come nearer to the float network."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import ArrayAttr, UnitAttr

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.canonicalization import TRAINED
from neurocuda.errors import InputError, NeuroCudaWarning
from neurocuda.ir.constraints import Constraints, constraints_of, set_constraints
from neurocuda.passes.ann._statistics import levels_of
from neurocuda.passes.ann._weight_grid import weight_grid
from neurocuda.passes.ann.calibrate_layers import STEPS, steps_named
from neurocuda.passes.ann.calibration.walk import Walk
from neurocuda.passes.ann.choose_levels import longest_way
from neurocuda.reference.interpreter import main_function
from neurocuda.reference.scales import scales_of
from neurocuda.testing import RandomNetwork, random_network

IMAGES = 32
QUANTISE = ("quantize-activations{timesteps=7}", "quantize-weights")
BALANCE = ("calibrate", "balance-thresholds{timesteps=7}")


def walked(network: RandomNetwork, steps: list[str]) -> dict[str, NDArray[np.float32]]:
    """Calibrates a network; returns what its quantised layers will say by the names of their values."""
    grid = weight_grid(constraints_of(network.module), None, "test")
    walk = Walk(network.weights, steps_named(steps), 7, grid)
    function = main_function(network.module)
    walk.start(function.body.block.args[0], network.images)
    seen: dict[str, NDArray[np.float32]] = {}
    for op in function.body.block.ops:
        walk.visit(op)
        if isinstance(op, ann.NeuronOp):
            seen[str(op.attributes["nc.origin"])] = walk.quantised[op.result]
    return seen


FORMATS = {
    "channel": Constraints(),
    "layer": Constraints(threshold_granularity="layer"),
    "powers": Constraints(threshold_exponent=7),
    "powers by layer": Constraints(threshold_exponent=7, threshold_granularity="layer"),
    "steps": Constraints(weight_step=2, threshold_step=4),
    "latency": Constraints(threshold_bits=12, membrane_bits=24, codes=("latency",)),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("seed", range(6))
def test_the_walk_foresees_the_integers(seed: int, form: str) -> None:
    network = random_network(seed, images=IMAGES, mixed_levels=seed % 2 == 0)
    set_constraints(network.module, FORMATS[form])
    network.apply(*BALANCE)
    one = FORMATS[form].threshold_granularity == "layer"
    foreseen = walked(network, [step for step in STEPS if step != "equalize" or one])
    network.apply(*QUANTISE)
    scales = scales_of(network.module, network.weights)
    said: dict[str, NDArray[np.float64]] = {}
    network.interpret(
        network.images,
        lambda op, values: (
            said.update({str(op.attributes["nc.origin"]): values * scales[op.results[0]]})
            if isinstance(op, ann.StaircaseOp)
            else None
        ),
    )
    assert said.keys() == foreseen.keys()
    for name, values in foreseen.items():
        differs = np.abs(values - said[name]) > 1e-3 * np.abs(said[name]).max(initial=1e-9)
        assert differs.mean() < 0.02, name


@pytest.mark.parametrize("steps", [STEPS, ("bias", "threshold", "output-mean"), ("threshold",)])
def test_calibrated_networks_are_nearer_to_the_float_one(steps: tuple[str, ...]) -> None:
    errors: list[tuple[float, float]] = []
    for seed in range(12):
        plain, better = (random_network(seed, images=64) for _ in range(2))
        expected = plain.interpret(plain.images)[0]
        plain.apply(*BALANCE, *QUANTISE)
        named = ",".join(f'"{step}"' for step in steps)
        better.apply(*BALANCE, f"calibrate-layers{{timesteps=7 steps={named}}}", *QUANTISE)
        found = (np.square(each.interpret(each.images)[0] - expected).mean() for each in (plain, better))
        errors.append((next(found), next(found)))
    gains = np.log([before / after for before, after in errors])
    assert np.median(gains) > 0


def test_weights_are_fitted_to_other_images_as_well() -> None:
    def error(seed: int, steps: str) -> float:
        network = random_network(seed, images=97)
        expected = network.interpret(network.images)[0]
        few = network.weights.add(network.images[:33], "calibration")  # 32 are laid out at once
        network.module.attributes["nc.calibration"] = ArrayAttr([few])
        network.apply(*BALANCE, f"calibrate-layers{{timesteps=7 steps={steps}}}", *QUANTISE)
        found = network.interpret(network.images)[0]
        return float(np.square(found - expected)[33:].mean())

    gains = [np.log(error(seed, '"bias"') / error(seed, '"least-squares","bias"')) for seed in range(12)]
    assert np.median(gains) > 0


def test_few_weight_bits_gain_from_compensated_rounding() -> None:
    def error(seed: int, *steps: str) -> float:
        network = random_network(seed, images=64)
        expected = network.interpret(network.images)[0]
        named = ",".join(f'"{step}"' for step in steps)
        walk = f"calibrate-layers{{timesteps=63 weight-bits=3 steps={named}}}"
        quantise = ("quantize-activations{timesteps=63}", "quantize-weights{weight-bits=3}")
        network.apply("calibrate", "balance-thresholds{timesteps=63}", walk, *quantise)
        return float(np.square(network.interpret(network.images)[0] - expected).mean())

    gains = [np.log(error(seed, "bias") / error(seed, "rounding", "bias")) for seed in range(12)]
    assert np.median(gains) > 0.3


@pytest.mark.parametrize("same", [False, True])
def test_too_few_different_images_change_nothing_and_are_told(same: bool) -> None:
    network = random_network(3, images=32 if same else 1)
    if same:
        constant = network.weights.add(np.ones_like(network.images), "calibration")
        network.module.attributes["nc.calibration"] = ArrayAttr([constant])
    network.apply(*BALANCE)
    before = str(network.module)
    with pytest.warns(NeuroCudaWarning, match="^1 different calibration image says too little about others"):
        network.apply("calibrate-layers")
    assert str(network.module) == before


def test_images_that_are_not_finite_are_refused() -> None:
    network = random_network(3, images=32)
    network.apply(*BALANCE)
    images = network.images.copy()
    images[5, 0, 0, 0] = np.nan
    network.module.attributes["nc.calibration"] = ArrayAttr([network.weights.add(images, "calibration")])
    with pytest.raises(InputError, match="hold values that are not finite"):
        network.apply("calibrate-layers")


def test_a_silent_layer_is_left_alone() -> None:
    network = random_network(3, images=32)
    first = next(op for op in network.module.walk() if isinstance(op, ann.NeuronOp))
    assert first.bias is not None
    low = np.full_like(network.weights.array(first.bias), -1e3)
    first.properties["bias"] = network.weights.add(low, "bias")
    network.apply(*BALANCE, "calibrate-layers{timesteps=7}", *QUANTISE)


def test_what_was_trained_stays() -> None:
    network = random_network(3, images=32)
    network.apply(*BALANCE)
    for op in network.module.walk():
        if isinstance(op, ann.NeuronOp):
            op.attributes[TRAINED] = UnitAttr()
    before = str(network.module)
    network.apply("calibrate-layers{timesteps=7}")
    assert str(network.module) == before


@pytest.mark.parametrize("seed", range(8))
def test_one_threshold_per_layer(seed: int) -> None:
    network = random_network(seed, images=32)
    set_constraints(network.module, Constraints(threshold_granularity="layer"))
    network.apply(*BALANCE, "equalize-layers{timesteps=7}", *QUANTISE)
    staircases = [op for op in network.module.walk() if isinstance(op, ann.StaircaseOp)]
    assert staircases
    for op in staircases:
        assert len(np.unique(network.weights.array(op.threshold))) == 1
        assert len(np.unique(network.weights.array(op.initial))) == 1


@pytest.mark.parametrize("seed", range(6))
def test_levels_keep_to_the_budget(seed: int) -> None:
    network = random_network(seed, images=8)
    network.apply("calibrate", "choose-levels{budget=40}")
    ops = list(main_function(network.module).body.block.ops)
    levels = {op: levels_of(op, 0) for op in ops if "nc.levels" in op.attributes}
    assert len(levels) == sum(isinstance(op, ann.NeuronOp) for op in ops)
    assert 20 <= longest_way(ops, levels) <= 40


def test_free_running_layers_are_calibrated_on_their_own_trains() -> None:
    def error(seed: int, *options: str) -> float:
        network = random_network(seed, images=32)
        expected = network.interpret(network.images)[0]
        calibrated = [f"calibrate-layers{{timesteps=7{option}}}" for option in options]
        network.apply(*BALANCE, *calibrated, *QUANTISE, "convert-ann-to-snn", "encode-free")
        return float(np.square(network.interpret(network.images)[0] - expected).mean())

    seeds = (0, 1, 2, 3, 4, 5, 6, 7)
    gains = [np.log(error(seed) / error(seed, ' code="free"')) for seed in seeds]
    assert np.median(gains) > 0
