"""Fine-tunes a network with staircases on labelled images, so that few levels are enough."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]  its only common base

from neurocuda.errors import InputError, OptionError, TrainingError
from neurocuda.frontend.hygiene import copied
from neurocuda.training.checkpoint import fingerprint, load_checkpoint, save_checkpoint
from neurocuda.training.network import StaircaseNetwork

MOMENTUM = 0.9

LARGEST_GRADIENT = 1.0
"""The norm to which gradients through time are cut: surrogates count a current at every step that it may act on, and so
grow with every layer."""


class Batches(Protocol):
    """Batches of (images, labels), as often as they are asked for: a DataLoader, a list.

    A resumed run equals an uninterrupted one where the order of the batches and whatever is random about them comes
    from torch's global random numbers, which are seeded before every epoch, or from nothing.
    """

    def __iter__(self) -> Iterator[object]: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """How a network is fine-tuned: stochastic gradient descent with momentum 0.9 and a cosine schedule down to zero.

    Attributes:
        epochs: passes over the images.
        learning_rate: of the first step.
        weight_decay: of everything but clip ranges.
        distillation: where there is a teacher, the share of the loss that is the divergence from its outputs; the
            rest is the cross entropy with the labels.
        label_smoothing: of the cross entropy.
        through_time: trains the free-running spiking network, step by step with surrogate gradients, for
            `code="free"`; batch norms then keep their statistics. Otherwise the staircases are trained as they are,
            for exact codes, and batch norms stay live.
        seed: of everything random.

    Raises:
        OptionError: a value is out of range.
    """

    epochs: int = 3
    learning_rate: float = 0.01
    weight_decay: float = 1e-4
    distillation: float = 0.5
    label_smoothing: float = 0.0
    through_time: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise OptionError(f"epochs must be positive, not {self.epochs}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise OptionError(f"learning_rate must be positive, not {self.learning_rate}")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise OptionError(f"weight_decay must be zero or positive, not {self.weight_decay}")
        for name, share in (("distillation", self.distillation), ("label_smoothing", self.label_smoothing)):
            if not 0 <= share <= 1:
                raise OptionError(f"{name} is a share, 0 ... 1, not {share}")


@dataclass(frozen=True)
class Step:
    """One step that was taken; epochs and steps count from 1. `loss` is the mean of the epoch so far."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float


Progress: TypeAlias = Callable[[Step], None]


def fine_tune(
    network: StaircaseNetwork,
    batches: Batches,
    options: FineTuning | None = None,
    *,
    teacher: nn.Module | None = None,
    device: str | torch.device = "cpu",
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> StaircaseNetwork:
    """A fine-tuned copy of a network with staircases, in evaluation mode on the CPU, ready to be compiled.

    Args:
        network: from `with_staircases`, or fine-tuned before. It is not changed.
        batches: (images, labels): float images as the model takes them, class numbers; drawn anew in every epoch.
        options: how; by default `FineTuning()`.
        teacher: the float network to stay close to, or None. It is not changed.
        device: where the arithmetic happens, e.g. "cuda".
        checkpoint: a file that is written after every epoch, and gone on from where it exists.
        progress: called after every step.

    Raises:
        TrainingError: the loss is not finite, or the checkpoint is damaged or of another run.
        InputError: there are no batches, or images and labels do not fit the network.
        ModelError: the network computes something else in training mode.
        WriteError: the checkpoint cannot be written.
    """
    options = options or FineTuning()
    student = copy.deepcopy(network).to(device)
    run = _Run(student, None if teacher is None else copied(teacher).to(device), batches, options, progress)
    file = None if checkpoint is None else Path(checkpoint)
    name = f"{asdict(options)} {network.levels} {network.weight_bits} {fingerprint(network)}"
    done = 0 if file is None else load_checkpoint(file, name, student, run.optimizer)
    with _own_random_numbers(device):
        for epoch in range(done, options.epochs):
            run.epoch(epoch)
            if file is not None:
                save_checkpoint(file, name, epoch + 1, student, run.optimizer)
    return student.cpu().eval()


@contextmanager
def _own_random_numbers(device: str | torch.device) -> Generator[None]:
    """The user's random numbers go on afterwards as if nothing had happened."""
    kind = torch.device(device).type
    fork = cast("Callable[..., AbstractContextManager[None]]", torch.random.fork_rng)  # pyright: ignore[reportUnknownMemberType]
    with fork(device_type="cuda" if kind == "cpu" else kind):
        yield


class _Run:
    """A student that learns, epoch by epoch."""

    def __init__(
        self,
        student: StaircaseNetwork,
        teacher: nn.Module | None,
        batches: Batches,
        options: FineTuning,
        progress: Progress | None,
    ) -> None:
        self._student = student
        self._teacher = teacher
        self._batches = batches
        self._options = options
        self._progress = progress
        self.optimizer = torch.optim.SGD(_groups(student, options), lr=options.learning_rate, momentum=MOMENTUM)

    def epoch(self, epoch: int) -> None:
        """One pass over the batches. Seeding by epoch makes a checkpoint's random numbers those of the epoch's number.

        Raises:
            TrainingError: the loss is not finite.
            InputError: there are no batches, or one does not fit.
        """
        torch.manual_seed(self._options.seed * 1_000_003 + epoch)  # pyright: ignore[reportUnknownMemberType]
        self._set_modes()
        total, steps = 0.0, 0
        for steps, batch in enumerate(self._batches, 1):
            self._set_learning_rate(epoch + (steps - 1) / max(1, len(self._batches)))
            loss = self._step(batch, f"epoch {epoch + 1}, step {steps}")
            total += loss
            if self._progress is not None:
                all_steps = max(steps, len(self._batches))
                self._progress(Step(epoch + 1, self._options.epochs, steps, all_steps, total / steps))
        if not steps:
            again = "" if epoch == 0 else " any more; give something that can be gone through again, as a DataLoader"
            raise InputError(f"epoch {epoch + 1}: there are no batches{again}")

    def _set_modes(self) -> None:
        """Training, but for batch norms in spiking networks: a step of spikes has other statistics than activations."""
        self._student.train()
        for module in self._student.modules():
            if self._options.through_time and isinstance(module, _BatchNorm):
                module.eval()

    def _set_learning_rate(self, epochs: float) -> None:
        share = 0.5 * (1 + math.cos(math.pi * min(1.0, epochs / self._options.epochs)))
        for group in self.optimizer.param_groups:
            group["lr"] = self._options.learning_rate * share

    def _step(self, batch: object, where: str) -> float:
        images, labels = _checked(batch, where)
        device = self._student.staircases[0].log_clip.device
        images, labels = images.to(cast(torch.device, device)), labels.to(cast(torch.device, device))
        outputs = self._student.through_time(images) if self._options.through_time else self._student(images)
        _require_classes(outputs, labels, where)
        loss = self._loss(outputs, images, labels)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss is {value} in {where}; look for NaN in the images, or use a smaller learning_rate than "
                f"{self._options.learning_rate}"
            )
        self.optimizer.zero_grad()
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        if self._options.through_time:
            nn.utils.clip_grad_norm_(self._student.parameters(), LARGEST_GRADIENT)
        self.optimizer.step()  # pyright: ignore[reportUnknownMemberType]
        return value

    def _loss(self, outputs: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        loss = F.cross_entropy(outputs, labels, label_smoothing=self._options.label_smoothing)
        if self._teacher is None or not self._options.distillation:
            return loss
        with torch.no_grad():
            wanted = self._teacher(images).log_softmax(1)
        distance = F.kl_div(outputs.log_softmax(1), wanted, reduction="batchmean", log_target=True)
        return (1 - self._options.distillation) * loss + self._options.distillation * distance


def _groups(student: StaircaseNetwork, options: FineTuning) -> list[dict[str, object]]:
    """Parameters to optimise: those of the network decay, the logarithms of clip ranges do not."""
    return [
        {"params": list(student.network.parameters()), "weight_decay": options.weight_decay},
        {"params": list(student.staircases.parameters()), "weight_decay": 0.0},
    ]


def _checked(batch: object, where: str) -> tuple[Tensor, Tensor]:
    """(images, labels) of a batch."""
    pair = cast("tuple[object, ...]", batch) if isinstance(batch, tuple | list) else ()
    if len(pair) != 2 or not all(isinstance(part, Tensor) for part in pair):
        raise InputError(f"{where}: a batch is (images, labels), two tensors")
    images, labels = cast("tuple[Tensor, Tensor]", tuple(pair))
    if labels.dim() != 1 or len(labels) != len(images) or not len(images):
        shapes = f"{tuple(images.shape)} and {tuple(labels.shape)}"
        raise InputError(f"{where}: there must be one label for each image, found shapes {shapes}")
    if images.dtype != torch.float32:
        raise InputError(f"{where}: images must be float32 as the model takes them, found {images.dtype}")
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise InputError(f"{where}: labels are class numbers, found {labels.dtype}")
    return images, labels.long()


def _require_classes(outputs: Tensor, labels: Tensor, where: str) -> None:
    if outputs.dim() != 2:
        raise InputError(f"{where}: expected one score per class and image, the network gave {tuple(outputs.shape)}")
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest >= outputs.shape[1]:
        raise InputError(f"{where}: labels are {lowest} ... {highest}, the network has {outputs.shape[1]} classes")
