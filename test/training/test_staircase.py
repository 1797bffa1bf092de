"""The staircase activation: its values, its gradients, and a clip range that cannot become negative."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from neurocuda.errors import InputError, OptionError
from neurocuda.training import Staircase


def test_values_are_rounded_to_levels_and_clipped() -> None:
    x = torch.tensor([[-1.0, 0.0, 0.49, 0.5, 1.49, 1.5, 3.4, 100.0]])
    found = Staircase(torch.tensor(3.0), levels=3)(x)
    torch.testing.assert_close(found, torch.tensor([[0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 3.0, 3.0]]))


@pytest.mark.parametrize("shape", [(2, 4), (2, 4, 3, 3), (2, 5, 4)])
def test_every_channel_has_its_own_clip_range(shape: tuple[int, ...]) -> None:
    layer = Staircase(torch.tensor([1.0, 2.0, 3.0, 4.0]), levels=1)
    found = layer(torch.full(shape, 10.0))
    by_channel = found if len(shape) != 4 else found.permute(0, 2, 3, 1)
    torch.testing.assert_close(by_channel, torch.tensor([1.0, 2.0, 3.0, 4.0]).expand_as(by_channel))


def test_one_level_is_a_step() -> None:
    found = Staircase(torch.tensor(2.0), levels=1)(torch.tensor([[0.9, 1.0, 5.0]]))
    torch.testing.assert_close(found, torch.tensor([[0.0, 2.0, 2.0]]))


def test_gradients_pass_straight_through_inside_the_range() -> None:
    x = torch.tensor([[-1.0, 0.7, 2.9, 3.5]], requires_grad=True)
    Staircase(torch.tensor(3.0), levels=3)(x).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([[0.0, 1.0, 1.0, 0.0]]))


def test_the_clip_range_moves_by_the_rounding_error_and_by_what_is_clipped() -> None:
    """d a / d λ = (a - x) / λ inside, 1 above; the parameter is log λ."""
    layer = Staircase(torch.tensor(3.0), levels=3)
    x = torch.tensor([[-1.0, 0.7, 2.9, 3.5]])
    layer(x).sum().backward()
    assert layer.log_clip.grad is not None
    torch.testing.assert_close(layer.log_clip.grad, torch.tensor([0.3 + 0.1 + 3.0]))


def test_the_gradient_of_a_channel_is_its_own() -> None:
    layer = Staircase(torch.tensor([1.0, 2.0]), levels=2)
    layer(torch.full((3, 2, 2, 2), 5.0)).sum().backward()
    assert layer.log_clip.grad is not None
    torch.testing.assert_close(layer.log_clip.grad, torch.tensor([12.0, 24.0]))


def test_no_step_makes_a_clip_range_negative() -> None:
    layer = Staircase(torch.tensor([1e-3, 1.0]), levels=2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=10.0)
    for _ in range(3):
        optimizer.zero_grad()
        layer(torch.full((1, 2), 5.0)).sum().backward()
        optimizer.step()  # pyright: ignore[reportUnknownMemberType]
    assert bool((layer.clip >= 0).all())
    assert layer.log_clip[1] < 0


@pytest.mark.parametrize("clip", [torch.tensor(0.0), torch.tensor([1.0, -1.0]), torch.tensor(torch.nan)])
def test_clip_ranges_are_positive(clip: Tensor) -> None:
    with pytest.raises(OptionError, match="positive numbers"):
        Staircase(clip, levels=2)


def test_there_is_at_least_one_level() -> None:
    with pytest.raises(OptionError, match=r"1 \.\.\. 32768 levels, not 0"):
        Staircase(torch.tensor(1.0), levels=0)


def test_another_number_of_channels_is_refused() -> None:
    with pytest.raises(InputError, match=r"for 2 channels got an input of shape \(1, 3\)"):
        Staircase(torch.ones(2), levels=2)(torch.zeros(1, 3))
