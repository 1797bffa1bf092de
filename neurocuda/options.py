"""What a user may choose, checked where it is written down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, isfinite
from os import PathLike
from pathlib import Path

from neurocuda.errors import OptionError

EXACT_CODES = ("unary", "radix", "latency", "graded", "signed")
"""Codes whose spikes say exactly the counts of the integer network."""

CODES = ("auto", *EXACT_CODES, "free")
"""How integers may be said in time; "auto" takes the first exact code of the target that carries all layers."""

CALIBRATIONS = ("advanced", "joint", "light", "mse", "percentile", "max", "local")
"""How clip ranges are chosen, see `balance-thresholds`; the first three then calibrate layer by layer."""

GRANULARITIES = ("channel", "layer")
"""What a threshold may be chosen for."""

EXECUTIONS = ("auto", "counts", "events")
"""How a target computes; "auto" takes counts where the target can and the code is exact."""

HOSTS = ("refuse", "allow")
"""Whether what cannot spike may run on the host between layers."""

MOST_TIMESTEPS = 1024
MOST_STEPS = 2**20


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """How a float network becomes an integer one and the integers become spikes.

    Attributes:
        code: how integers are said in time. Exact: "unary" (as many spikes), "radix" (binary), "latency" (one spike,
            the earlier the larger), "graded" (one spike that carries the number), "signed" (spikes that can be taken
            back). Approximate: "free" (free-running). "auto" takes the cheapest exact code of the target that all
            layers can be said in.
        firing_delay: for code "free": a layer waits for so many steps after what it reads has begun before it fires;
            0 lets all layers fire at once. More steps, closer to the integer network.
        execution: "events" walks through all time steps; "counts" computes what the neurons say in all, layer after
            layer and each at once, which is the same where the code is exact; "auto" takes counts where the target can
            and the code is exact.
        timesteps: T, the number of levels of an activation and of steps in which a layer says it; "auto" takes the
            smallest T of a ladder whose loss on the calibration images is at most `max_accuracy_loss`.
        calibration: how clip ranges are chosen: "mse", "percentile", "max" or "local". "light" then walks the layers
            and corrects biases and clip ranges on calibration images, "advanced" weights and their rounding, too,
            and "joint" then tunes all layers together by gradient descent; without images they are "mse".
        percentile: for calibration "percentile".
        initial: the share of its threshold that a membrane starts with; one half rounds to the nearest.
        latency_budget: where given, the levels of the layers along the longest way through the network sum up to at
            most so many steps; each layer gets as many as it is worth, and `timesteps` is not looked at.
        threshold_granularity: "layer" forces one integer threshold per layer; None for what the target takes.
        weight_bits: width of a weight; None for what the target takes.
        host: what happens to operations between layers that have no spiking rule on the target: "refuse" them, each
            with the reason, or "allow" them to run on the host in floats, between two networks that spike.
        max_accuracy_loss: in points of agreement with the float network's classes, for timesteps "auto".
        portable: further targets that the same integer network must serve, e.g. ("cpu", "loihi2").

    Raises:
        OptionError: a value is unknown or out of range.
    """

    code: str = "auto"
    firing_delay: int = 0
    execution: str = "auto"
    timesteps: int | str = 15
    calibration: str = "advanced"
    percentile: float = 99.9
    initial: float = 0.5
    latency_budget: int | None = None
    threshold_granularity: str | None = None
    weight_bits: int | None = None
    host: str = "refuse"
    max_accuracy_loss: float = 0.5
    portable: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_one_of("code", self.code, CODES)
        _require_between("firing_delay", self.firing_delay, 0, MOST_TIMESTEPS)
        if self.firing_delay and self.code != "free":
            raise OptionError(f'firing_delay={self.firing_delay} goes with code="free", not code="{self.code}"')
        _require_one_of("execution", self.execution, EXECUTIONS)
        if self.execution == "counts" and self.code == "free":
            raise OptionError('execution="counts" needs an exact code, and code "free" is none')
        _require_one_of("calibration", self.calibration, CALIBRATIONS)
        if self.timesteps != "auto":
            _require_between("timesteps", self.timesteps, 1, MOST_TIMESTEPS, 'or "auto"')
        _require_one_of("host", self.host, HOSTS)
        if self.weight_bits is not None:
            _require_between("weight_bits", self.weight_bits, 2, 16)
        if self.latency_budget is not None:
            _require_between("latency_budget", self.latency_budget, 1, MOST_STEPS)
        if self.threshold_granularity is not None:
            _require_one_of("threshold_granularity", self.threshold_granularity, GRANULARITIES)
        if not _is_number(self.initial) or not 0 <= self.initial < 1:
            raise OptionError(f"initial must be at least 0 and below 1, not {self.initial}")
        if not _is_number(self.percentile) or not 0 < self.percentile <= 100:
            raise OptionError(f"percentile must be above 0 and at most 100, not {self.percentile}")
        if self.calibration != "percentile" and self.percentile != Conversion.percentile:
            raise OptionError(f'percentile {self.percentile} goes with the calibration method "percentile"')
        if not _is_number(self.max_accuracy_loss) or not 0 <= self.max_accuracy_loss < inf:
            raise OptionError(f"max_accuracy_loss must be zero or positive points, not {self.max_accuracy_loss}")
        require_type("portable", self.portable, (tuple, list), "a tuple of target names")
        object.__setattr__(self, "portable", tuple(self.portable))


@dataclass(frozen=True)
class Normalize:
    """(x / 255 - mean) / std per channel: then the network's input is uint8 images and nothing is rounded.

    Both take one number per channel, or a single number for a single channel.

    Raises:
        OptionError: the two have different lengths, or a value is not finite, or a standard deviation not positive.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __init__(self, mean: float | Iterable[float], std: float | Iterable[float]) -> None:
        object.__setattr__(self, "mean", _numbers(mean))
        object.__setattr__(self, "std", _numbers(std))
        if not self.mean or len(self.mean) != len(self.std):
            raise OptionError(f"Normalize: {len(self.mean)} means and {len(self.std)} standard deviations")
        if not all(map(isfinite, (*self.mean, *self.std))) or min(self.std) <= 0:
            raise OptionError("Normalize: means must be finite and standard deviations positive")


@dataclass(frozen=True, kw_only=True)
class NirOptions:
    """How a .nir file is run in discrete time, where NIR leaves it open or frameworks differ from it.

    The defaults are NIR's own meaning (Pedersen et al. 2024): strict comparison, reset to `v_reset`.

    Attributes:
        dt: seconds per step. None takes 1 for networks without time constants and delays, whose steps have no duration,
            and refuses others: most frameworks write their files for 1e-4.
        reset: "nir", to `v_reset`; or "subtract" the threshold, whatever `v_reset` says.
        comparison: a neuron fires where its potential is above the threshold ("strict") or reaches it ("non-strict").
        spikes_per_step: the most spikes of a neuron in one step, as whole thresholds fit into its potential.
        lower_bound: what a membrane potential never falls below.
        integration: of time constants, "euler" (decay 1 - dt/tau) or "exponential" (decay exp(-dt/tau), exact for
            currents that are constant within a step).

    Raises:
        OptionError: a value is unknown or out of range.
    """

    dt: float | None = None
    reset: str = "nir"
    comparison: str = "strict"
    spikes_per_step: int = 1
    lower_bound: float | None = None
    integration: str = "euler"

    def __post_init__(self) -> None:
        _require_one_of("reset", self.reset, ("nir", "subtract"))
        _require_one_of("comparison", self.comparison, ("strict", "non-strict"))
        _require_one_of("integration", self.integration, ("euler", "exponential"))
        _require_between("spikes_per_step", self.spikes_per_step, 1, 2**31 - 1)
        if self.dt is not None and not (_is_number(self.dt) and 0 < self.dt < inf):
            raise OptionError(f"dt must be a positive number of seconds, not {self.dt}")
        if self.lower_bound is not None and not (_is_number(self.lower_bound) and isfinite(self.lower_bound)):
            raise OptionError(f"lower_bound must be a number, not {self.lower_bound}")


def require_type(name: str, value: object, kind: type | tuple[type, ...], expected: str) -> None:
    """Checks what a user passed.

    Raises:
        OptionError: it is of another type; says what is expected.
    """
    if not isinstance(value, kind):
        raise OptionError(f"{name} must be {expected}, not {value!r}")


def as_path(value: str | Path) -> Path:
    """The path of a file.

    Raises:
        OptionError: it is something else.
    """
    require_type("the file", value, (str, PathLike), "a path")
    return Path(value)


def _numbers(values: float | Iterable[float]) -> tuple[float, ...]:
    try:
        listed = values if isinstance(values, Iterable) else (values,)
        return tuple(float(value) for value in listed)
    except (TypeError, ValueError):
        raise OptionError("Normalize: mean and std are numbers, one per channel") from None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise OptionError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def _require_between(name: str, value: object, low: int, high: int, otherwise: str = "") -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise OptionError(f"{name} must be a whole number {low} ... {high} {otherwise}".rstrip() + f", not {value!r}")
