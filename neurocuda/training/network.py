"""A trained network with staircases in the place of its rectifiers, ready to be fine-tuned and compiled."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.levels import ANN_CONVERTIBLE
from neurocuda.errors import ModelError, NeuroCudaWarning, OptionError, Problem, UnsupportedModelError
from neurocuda.frontend.hygiene import copied
from neurocuda.images import MOST_CALIBRATION_IMAGES, Images, as_arrays
from neurocuda.imported import ImportedModel, import_torch_model
from neurocuda.ir.origin import user_location
from neurocuda.passes.ann._statistics import by_channel
from neurocuda.passes.ann.balance_thresholds import bounded, least_square_clip
from neurocuda.passes.ann.calibrate import BATCH, Accumulator
from neurocuda.passes.ann.hoist_activations import rectifies
from neurocuda.pipeline import STRUCTURE
from neurocuda.training.interception import Arguments, Function, Interception, NamedArguments, Rectifier
from neurocuda.training.spiking import SpikingSteps
from neurocuda.training.staircase import MOST_LEVELS, Staircase, require_channels, staircase
from neurocuda.training.weight_grid import WeightGrid


class StaircaseNetwork(nn.Module):
    """A network whose rectifiers are staircases of `levels` levels. `with_staircases` makes these.

    It compiles like any other module; clip ranges and levels arrive in the IR as they are.

    Attributes:
        network: a copy of the user's network, unchanged in structure.
        staircases: one per call of a rectifier, in the order of the calls.
        levels: T, the number of levels of every staircase.
        weight_bits: weights are rounded to so many bits as they are used; None leaves them floats.
    """

    def __init__(self, network: nn.Module, staircases: Sequence[Staircase], weight_bits: int | None = None) -> None:
        super().__init__()
        self.network = network
        self.staircases = nn.ModuleList(staircases)
        self.levels = staircases[0].levels
        self.weight_bits = weight_bits

    def forward(self, *inputs: Tensor) -> Tensor:
        """The output with quantised activations.

        Raises:
            ModelError: the network calls another number of rectifiers than when it was prepared.
        """
        run = _Swap(self._layers(), self._grid())
        with run:
            output = self.network(*inputs)
        self._require_all(run)
        return output

    def through_time(self, *inputs: Tensor) -> Tensor:
        """The mean output of `levels` steps of free-running integrate-and-fire neurons, as `code="free"` computes it.

        Raises:
            ModelError: the network calls another number of rectifiers than when it was prepared.
        """
        run = SpikingSteps(self._layers(), self._grid())
        total = torch.zeros(())
        for _ in range(self.levels):
            run.begin_step()
            with run:
                output = self.network(*inputs)
            self._require_all(run)
            total = total.to(output) + output
        return total / self.levels

    def _layers(self) -> list[Staircase]:
        return [cast(Staircase, layer) for layer in self.staircases]

    def _grid(self) -> WeightGrid | None:
        return None if self.weight_bits is None else WeightGrid(self.weight_bits)

    def _require_all(self, run: Interception) -> None:
        if run.calls != len(self.staircases):
            raise ModelError(
                f"the network calls {run.calls} rectifiers and called {len(self.staircases)} when it was prepared; "
                "compute the same for every input, in training and in evaluation mode"
            )


class _Swap(Interception):
    """Staircases where the network calls rectifiers, and weights on the compiler's grid where there is one."""

    def __init__(self, staircases: Sequence[Staircase], grid: WeightGrid | None) -> None:
        super().__init__()
        self._staircases = staircases
        self._grid = grid

    def activate(self, index: int, call: Rectifier) -> Tensor:
        if index >= len(self._staircases):
            return call.input  # the count of calls is refused at the end
        layer = self._staircases[index]
        require_channels(call.input, layer.log_clip)
        # Not by calling the layer: the operation is then named after the user's module.
        result = call.replaced(cast(Tensor, staircase(call.input, layer.clip, layer.levels)))
        if self._grid is not None:
            self._grid.note(result, layer.clip)
        return result

    def compute(self, function: Function, args: Arguments, kwargs: NamedArguments) -> object:
        return function(*args, **kwargs) if self._grid is None else self._grid.compute(function, args, kwargs)


def with_staircases(
    model: nn.Module,
    calibration: Images,
    *,
    timesteps: int = 4,
    per_channel: bool = True,
    weight_bits: int | None = None,
) -> StaircaseNetwork:
    """A copy of a trained network, in evaluation mode on the CPU, in which every rectifier is a staircase.

    Args:
        model: any module that `compile` accepts. It is not changed.
        calibration: images as the model takes them; clip ranges start where the mean square error on them is least.
        timesteps: T, the number of levels of every staircase.
        per_channel: one clip range per channel, or one per layer, as chips with one threshold per layer need.
        weight_bits: also round weights, to the grid that `compile` will use; None does not.

    Raises:
        UnsupportedModelError: lists everything in the model that cannot be converted or swapped.
        ModelError, InputError, OptionError: model, images or options are unusable.
    """
    if not 1 <= timesteps <= MOST_LEVELS:
        raise OptionError(f"timesteps must be 1 ... {MOST_LEVELS}, not {timesteps}")
    if weight_bits is not None and not 2 <= weight_bits <= 16:
        raise OptionError(f"weight_bits must be 2 ... 16, or None, not {weight_bits}")
    network = copied(model)
    given = as_arrays(calibration, what="calibration", most=MOST_CALIBRATION_IMAGES)
    _, images = import_torch_model(network, given, what="calibration", input_shape=None, preprocessing=None)
    assert images is not None
    tensors = [torch.as_tensor(array) for array in images]
    found = StaircaseNetwork(network, _calibrated(network, tensors, timesteps, per_channel), weight_bits).eval()
    _require_convertible(found, [array[:1] for array in images])
    return found


class _Recorder(Interception):
    """Keeps statistics of every rectifier's result."""

    def __init__(self, *, per_channel: bool) -> None:
        super().__init__()
        self.found: list[Accumulator] = []
        self.maxima: list[float] = []
        self._per_channel = per_channel

    def activate(self, index: int, call: Rectifier) -> Tensor:
        if index == len(self.found):
            self.found.append(Accumulator(grid=False))
            self.maxima.append(call.maximum)
        result = call.input.clamp(0, call.maximum)
        rows = by_channel(result.numpy())
        self.found[index].add(rows if self._per_channel else rows.reshape(1, -1))
        return call.replaced(result)


def _calibrated(network: nn.Module, images: Sequence[Tensor], levels: int, per_channel: bool) -> list[Staircase]:
    """One staircase per call of a rectifier, with the clip range of least mean square error."""
    recorder = _Recorder(per_channel=per_channel)
    for start in range(0, len(images[0]), BATCH):
        recorder.calls = 0
        with torch.no_grad(), recorder:
            network(*(tensor[start : start + BATCH].clone() for tensor in images))
    if not recorder.found:
        raise ModelError("the model calls no rectifier (ReLU, ReLU6, clamp from 0), so there is nothing to swap")
    clips = [
        bounded(least_square_clip(seen.statistics(), levels)[0], maximum)
        for seen, maximum in zip(recorder.found, recorder.maxima, strict=True)
    ]
    return [Staircase(torch.as_tensor(clip, dtype=torch.float32), levels) for clip in clips]


def _require_convertible(network: StaircaseNetwork, example: Sequence[np.ndarray]) -> None:
    """Checks that the compiler will find a staircase for every neuron.

    Raises:
        UnsupportedModelError: lists what it will not convert, and rectifiers that were not swapped.
    """
    imported, _ = import_torch_model(network, list(example), what="calibration", input_shape=None, preprocessing=None)
    problems = [*_unswapped(imported), *_inconvertible(imported)]
    if problems:
        raise UnsupportedModelError("the network cannot be fine-tuned with staircases:", problems)


def _unswapped(imported: ImportedModel) -> list[Problem]:
    why, remedy = "it was not swapped", "Call it as F.relu, nn.ReLU, relu6, hardtanh or clamp with numbers."
    return [
        Problem(f"`{op.name}`", user_location(op), why, remedy)
        for op in imported.module.walk()
        if isinstance(op, ann.ReluOp | ann.ClampOp) and rectifies(op)
    ]


def _inconvertible(imported: ImportedModel) -> list[Problem]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeuroCudaWarning)  # that there are no images is no news here
        structured = imported.apply(",".join(STRUCTURE))
    return ANN_CONVERTIBLE.violations(structured.module, structure_only=True)
