"""What cannot spike between layers is refused, or runs on the host where the user allows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import neurocuda as nc
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.snn import ops as snn

SHAPE = (3, 8, 8)
ALLOWED = nc.Conversion(host="allow", timesteps=31)


class Between(nn.Module):
    """A log-softmax over channels and uneven pooling between layers, and a shortcut past the first."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1)
        self.third, self.last = nn.Conv2d(8, 8, 3, 1, 1), nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        y = torch.relu(x + self.third(torch.log_softmax(self.second(x), 1)))
        pooled = nn.functional.adaptive_avg_pool2d(y, 3)
        return self.last(torch.relu(self.second(pooled)).mean((2, 3)))


@pytest.fixture(scope="module")
def images() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(32, *SHAPE)).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.default_generator.manual_seed(0)
    return Between().eval()


@pytest.fixture(scope="module")
def compiled(model: nn.Module, images: NDArray[np.float32]) -> nc.Compiled:
    return nc.compile(model, target="cpu", calibration=images, conversion=ALLOWED)


def test_without_leave_it_is_refused(model: nn.Module, images: NDArray[np.float32]) -> None:
    with pytest.raises(nc.LevelError, match=r'allow the host in between \(host="allow"\)') as refusal:
        nc.compile(model, target="cpu", calibration=images)
    whats = [problem.what for problem in refusal.value.problems]
    assert whats == ["`ann.log_softmax`", "`ann.adaptive_average_pool2d`"]


def test_networks_stand_on_either_side(compiled: nc.Compiled) -> None:
    module = compiled.levels["snn-integer"]
    assert sum(isinstance(op, snn.NetworkOp) for op in module.walk()) == 3
    assert sum(isinstance(op, host.SegmentOp) for op in module.walk()) == 2


def test_counts_are_equal_and_outputs_near(
    compiled: nc.Compiled, model: nn.Module, images: NDArray[np.float32]
) -> None:
    assert compiled.validate(images[:8]).mismatches == 0
    with torch.no_grad():
        expected = model(torch.tensor(images)).numpy()
    error = compiled.run(images).outputs - expected
    assert np.sqrt(np.square(error).mean()) < 0.02 * expected.std()


def test_provenance_and_report_name_what_runs_on_the_host(compiled: nc.Compiled, images: NDArray[np.float32]) -> None:
    names = "log_softmax, adaptive_average_pool2d"
    assert compiled.run(images[:1]).provenance.endswith(f"on the host: relay, {names}")
    assert f"on the host, in floats, and in no figure below: relay, {names}" in compiled.report()


def test_an_artefact_runs_the_same(compiled: nc.Compiled, images: NDArray[np.float32], tmp_path: Path) -> None:
    compiled.save(tmp_path / "between.nca")
    expected = compiled.run(images).outputs
    np.testing.assert_array_equal(nc.load(tmp_path / "between.nca").run(images).outputs, expected)


@pytest.mark.parametrize("code", ["unary", "radix", "latency", "signed"])
def test_codes_without_numbers_leave_signed_layers_to_the_host(code: str, images: NDArray[np.float32]) -> None:
    torch.default_generator.manual_seed(0)
    smooth = nn.Sequential(nn.Conv2d(3, 4, 3), nn.SiLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5))
    refused = nc.Conversion(code=code)
    with pytest.raises(nc.LevelError, match=f"`ann.silu` .*: it needs spikes that carry a number .*, not {code}"):
        nc.compile(smooth.eval(), target="cpu", calibration=images, conversion=refused)
    allowed = nc.Conversion(code=code, host="allow")
    assert nc.compile(smooth, target="cpu", calibration=images, conversion=allowed).validate(images[:4]).mismatches == 0


def test_a_target_that_runs_no_segments_says_so(
    model: nn.Module, images: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from neurocuda.backends.cpu import BACKEND

    alone = replace(BACKEND, runs_segments=False)
    monkeypatch.setattr("neurocuda.registry.backend_factories", lambda: {"cpu": lambda: alone})
    with pytest.raises(nc.TargetError, match='host="allow": target cpu runs nothing on the host between layers'):
        nc.compile(model, target="cpu", calibration=images, conversion=ALLOWED)


def test_the_option_is_checked() -> None:
    with pytest.raises(nc.OptionError, match="host must be one of refuse, allow, not 'perhaps'"):
        nc.Conversion(host="perhaps")
