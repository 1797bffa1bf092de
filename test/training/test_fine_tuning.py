"""The training loop: it learns, it can be interrupted, and it says what is wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import neurocuda as nc
from neurocuda.errors import InputError, OptionError, TrainingError, WriteError
from neurocuda.training import FineTuning, StaircaseNetwork, Step, fine_tune, with_staircases
from neurocuda.training.fine_tuning import Batches

Pairs = list[tuple[Tensor, Tensor]]


@pytest.fixture
def network(model: nn.Module, images: Tensor) -> StaircaseNetwork:
    return with_staircases(model, images, timesteps=2)


def loader(images: Tensor, labels: Tensor) -> Batches:
    """Shuffled by torch's global random numbers."""
    return DataLoader(TensorDataset(images, labels), batch_size=16, shuffle=True)


def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        return float((network(images).argmax(1) == labels).float().mean())


@pytest.mark.parametrize("timesteps", [1, 2])
def test_it_learns_and_compiles(model: nn.Module, images: Tensor, labels: Tensor, timesteps: int) -> None:
    network = with_staircases(model, images, timesteps=timesteps, weight_bits=8)
    tuned = fine_tune(network, loader(images, labels), FineTuning(epochs=60, learning_rate=0.1))
    assert accuracy(tuned, images, labels) >= max(0.8, accuracy(network, images, labels))
    assert not any(module.training for module in tuned.modules())
    compiled = nc.compile(tuned, target="cpu", calibration=images)
    assert {layer.levels for layer in compiled.layers} == {timesteps}
    assert compiled.validate(images).mismatches == 0
    integer = compiled.evaluate(images, labels, level="ann-quantized").accuracy
    assert compiled.evaluate(images, labels).accuracy == integer
    assert integer.value >= accuracy(tuned, images, labels) - 0.1


def test_batch_norms_stay_live(network: StaircaseNetwork, batches: Pairs) -> None:
    tuned = fine_tune(network, batches, FineTuning(epochs=1))
    before, after = network.state_dict(), tuned.state_dict()
    assert not torch.equal(before["network.norm.running_mean"], after["network.norm.running_mean"])


def test_nothing_of_the_users_is_changed(network: StaircaseNetwork, model: nn.Module, batches: Pairs) -> None:
    before, teacher = copy.deepcopy(network.state_dict()), copy.deepcopy(model.state_dict())
    torch.default_generator.manual_seed(5)
    expected = torch.rand(1)
    torch.default_generator.manual_seed(5)
    fine_tune(network, batches, FineTuning(epochs=1), teacher=model)
    assert torch.rand(1) == expected
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)
    torch.testing.assert_close(model.state_dict(), teacher, rtol=0, atol=0)


def test_a_teacher_is_followed(network: StaircaseNetwork, model: nn.Module, images: Tensor) -> None:
    """With nothing but distillation, labels that say nothing do no harm."""
    batches = [(images, torch.zeros(len(images), dtype=torch.long))] * 10
    options = FineTuning(epochs=4, learning_rate=0.05, distillation=1.0)
    losses: list[Step] = []
    fine_tune(network, batches, options, teacher=model, progress=losses.append)
    assert losses[-1].loss < losses[0].loss


def test_progress_counts_from_one(network: StaircaseNetwork, batches: Pairs) -> None:
    steps: list[Step] = []
    fine_tune(network, batches, FineTuning(epochs=2), progress=steps.append)
    assert [(step.epoch, step.step) for step in steps] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert {(step.epochs, step.steps) for step in steps} == {(2, 3)}


# Repeating and resuming


def test_the_same_run_gives_the_same_network(network: StaircaseNetwork, images: Tensor, labels: Tensor) -> None:
    first, second = (fine_tune(network, loader(images, labels), FineTuning(epochs=2)) for _ in range(2))
    other = fine_tune(network, loader(images, labels), FineTuning(epochs=2, seed=1))
    torch.testing.assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)
    assert not torch.equal(first(images), other(images))


@pytest.mark.parametrize("through_time", [False, True])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    network: StaircaseNetwork, images: Tensor, labels: Tensor, tmp_path: Path, through_time: bool
) -> None:
    batches, options = loader(images, labels), FineTuning(epochs=3, through_time=through_time)
    expected = fine_tune(network, batches, options)
    file = tmp_path / "run.pt"

    def kill(step: Step) -> None:
        if (step.epoch, step.step) == (2, 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fine_tune(network, batches, options, checkpoint=file, progress=kill)
    steps: list[Step] = []
    found = fine_tune(network, batches, options, checkpoint=file, progress=steps.append)
    assert steps[0].epoch == 2
    torch.testing.assert_close(found.state_dict(), expected.state_dict(), rtol=0, atol=0)
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]


def test_a_finished_run_is_not_run_again(network: StaircaseNetwork, batches: Pairs, tmp_path: Path) -> None:
    options, file = FineTuning(epochs=1), tmp_path / "run.pt"
    first = fine_tune(network, batches, options, checkpoint=file)
    steps: list[Step] = []
    second = fine_tune(network, batches, options, checkpoint=file, progress=steps.append)
    assert not steps
    torch.testing.assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("damage", ["text", "cut", "empty", "pickled"])
def test_a_damaged_checkpoint_is_refused(
    network: StaircaseNetwork, batches: Pairs, tmp_path: Path, damage: str
) -> None:
    options, file = FineTuning(epochs=1), tmp_path / "run.pt"
    fine_tune(network, batches, options, checkpoint=file)
    content = file.read_bytes()
    if damage == "pickled":
        torch.save({"model": network}, file)
    else:
        file.write_bytes({"text": b"no checkpoint", "cut": content[: len(content) // 2], "empty": b""}[damage])
    with pytest.raises(TrainingError, match="no checkpoint, or is damaged"):
        fine_tune(network, batches, options, checkpoint=file)


def test_a_checkpoint_of_another_run_is_refused(network: StaircaseNetwork, batches: Pairs, tmp_path: Path) -> None:
    file = tmp_path / "run.pt"
    fine_tune(network, batches, FineTuning(epochs=1), checkpoint=file)
    with pytest.raises(TrainingError, match="of another run"):
        fine_tune(network, batches, FineTuning(epochs=2), checkpoint=file)


def test_a_checkpoint_that_cannot_be_written_is_told(network: StaircaseNetwork, batches: Pairs, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="cannot write"):
        fine_tune(network, batches, FineTuning(epochs=1), checkpoint=tmp_path / "absent" / "run.pt")


# Bad input


def test_a_loss_that_is_not_finite_stops_the_run(network: StaircaseNetwork, batches: Pairs, tmp_path: Path) -> None:
    bad = [*batches[:2], (torch.full_like(batches[2][0], torch.nan), batches[2][1])]
    file = tmp_path / "run.pt"
    with pytest.raises(TrainingError, match="the loss is nan in epoch 1, step 3; look for NaN in the images"):
        fine_tune(network, bad, FineTuning(epochs=1), checkpoint=file)
    assert not file.exists()


def test_an_empty_loader_is_refused(network: StaircaseNetwork) -> None:
    with pytest.raises(InputError, match=r"epoch 1: there are no batches$"):
        fine_tune(network, [], FineTuning(epochs=1))


class Once:
    """Batches that are gone after the first epoch."""

    def __init__(self, batches: Pairs) -> None:
        self._left = iter(batches)

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[object]:
        return self._left


def test_batches_that_are_used_up_are_refused(network: StaircaseNetwork, batches: Pairs) -> None:
    with pytest.raises(InputError, match="epoch 2: there are no batches any more"):
        fine_tune(network, Once(batches), FineTuning(epochs=2))


def test_batches_that_do_not_fit_are_refused(network: StaircaseNetwork, images: Tensor, labels: Tensor) -> None:
    cases: list[tuple[object, str]] = [
        (images, r"a batch is \(images, labels\)"),
        ((images, [0] * len(images)), r"a batch is \(images, labels\)"),
        ((images, labels[:5]), r"one label for each image, found shapes \(48, 2, 6, 6\) and \(5,\)"),
        ((images, labels[:, None]), "one label for each image"),
        ((images[:0], labels[:0]), "one label for each image"),
        ((images.double(), labels), "must be float32 as the model takes them, found torch.float64"),
        ((images, labels.float()), "labels are class numbers, found torch.float32"),
        ((images, labels + 5), r"labels are 5 \.\.\. \d, the network has 3 classes"),
        ((images, labels - 1), "labels are -1 "),
    ]
    for batch, message in cases:
        with pytest.raises(InputError, match=f"epoch 1, step 1: .*{message}"):
            fine_tune(network, [batch], FineTuning(epochs=1))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("weight_decay", -1.0),
        ("distillation", 1.5),
        ("label_smoothing", -0.1),
    ],
)
def test_options_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(OptionError, match=name):
        FineTuning(**{name: value})  # pyright: ignore[reportArgumentType]
