"""Options are checked where they are written down."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from neurocuda import Conversion, NirOptions, Normalize, OptionError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"firing_delay": 3}, 'firing_delay=3 goes with code="free", not code="auto"'),
        ({"code": "free", "firing_delay": -1}, "firing_delay must be a whole number 0 ... 1024, not -1"),
        ({"code": "morse"}, "code must be one of auto, unary, radix, latency, graded, signed, free, not 'morse'"),
        (
            {"calibration": "guess"},
            "calibration must be one of advanced, joint, light, mse, percentile, max, local, not 'guess'",
        ),
        ({"execution": "dreams"}, "execution must be one of auto, counts, events, not 'dreams'"),
        (
            {"code": "free", "execution": "counts"},
            'execution="counts" needs an exact code, and code "free" is none',
        ),
        ({"timesteps": 0}, 'timesteps must be a whole number 1 ... 1024 or "auto", not 0'),
        ({"timesteps": 1025}, 'timesteps must be a whole number 1 ... 1024 or "auto", not 1025'),
        ({"timesteps": 7.0}, 'timesteps must be a whole number 1 ... 1024 or "auto", not 7.0'),
        ({"timesteps": True}, 'timesteps must be a whole number 1 ... 1024 or "auto", not True'),
        ({"timesteps": "many"}, "timesteps must be a whole number 1 ... 1024 or \"auto\", not 'many'"),
        ({"initial": 1.0}, "initial must be at least 0 and below 1, not 1.0"),
        ({"latency_budget": 0}, "latency_budget must be a whole number 1 ... 1048576, not 0"),
        ({"threshold_granularity": "neuron"}, "threshold_granularity must be one of channel, layer, not 'neuron'"),
        ({"weight_bits": 1}, "weight_bits must be a whole number 2 ... 16, not 1"),
        ({"weight_bits": 17}, "weight_bits must be a whole number 2 ... 16, not 17"),
        ({"percentile": 50}, 'percentile 50 goes with the calibration method "percentile"'),
        ({"percentile": 0.0}, "percentile must be above 0 and at most 100, not 0.0"),
        ({"percentile": float("nan")}, "percentile must be above 0 and at most 100, not nan"),
        ({"max_accuracy_loss": -1.0}, "max_accuracy_loss must be zero or positive points, not -1.0"),
        ({"max_accuracy_loss": float("inf")}, "max_accuracy_loss must be zero or positive points, not inf"),
        ({"portable": "cpu"}, "portable must be a tuple of target names, not 'cpu'"),
        ({"portable": 3}, "portable must be a tuple of target names, not 3"),
    ],
)
def test_a_wrong_option_is_refused(options: Mapping[str, object], message: str) -> None:
    with pytest.raises(OptionError) as refusal:
        Conversion(**options)  # pyright: ignore[reportArgumentType]
    assert str(refusal.value) == message


def test_bounds_are_allowed() -> None:
    for timesteps in (1, 1024, "auto"):
        assert Conversion(timesteps=timesteps).timesteps == timesteps
    assert Conversion(weight_bits=2, percentile=100, calibration="percentile", max_accuracy_loss=0).weight_bits == 2


def test_normalize_takes_numbers_and_lists() -> None:
    assert Normalize([0.5, 0.25], [1, 2]) == Normalize((0.5, 0.25), (1.0, 2.0))
    assert Normalize(0.5, 0.25).mean == (0.5,)


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ((), (), "Normalize: 0 means and 0 standard deviations"),
        ((0.5,), (1.0, 2.0), "Normalize: 1 means and 2 standard deviations"),
        ((0.5,), (0.0,), "Normalize: means must be finite and standard deviations positive"),
        ((float("nan"),), (1.0,), "Normalize: means must be finite and standard deviations positive"),
        ((0.5,), (float("inf"),), "Normalize: means must be finite and standard deviations positive"),
        (("red",), (1.0,), "Normalize: mean and std are numbers, one per channel"),
    ],
)
def test_a_wrong_normalization_is_refused(mean: object, std: object, message: str) -> None:
    with pytest.raises(OptionError) as refusal:
        Normalize(mean, std)  # pyright: ignore[reportArgumentType]
    assert str(refusal.value) == message


def test_nir_options_are_checked() -> None:
    assert NirOptions(dt=1e-4).reset == "nir"
    with pytest.raises(OptionError, match="dt must be a positive number of seconds, not 0"):
        NirOptions(dt=0)
    with pytest.raises(OptionError, match="reset must be one of nir, subtract"):
        NirOptions(reset="maybe")
