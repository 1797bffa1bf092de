"""`targets`, `explain`, `import_model`: looking without compiling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import neurocuda as nc
from neurocuda.dialects.levels import ANN_CONVERTIBLE
from neurocuda.registry import backend_factories

Floats = NDArray[np.float32]
SHAPE = (3, 8, 8)


def test_targets_say_what_they_are_and_what_they_need() -> None:
    (cpu,) = (target for target in nc.targets() if target.name == "cpu")
    assert cpu.chips == ("aarch64", "c11", "cortex-m7", "host")
    assert str(cpu).startswith("cpu (aarch64, c11, cortex-m7, host): ")
    assert str(cpu) in str(nc.targets())


def test_a_target_without_its_tools_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROCUDA_LAVA_PYTHON", "no-such-python")
    (loihi,) = (target for target in nc.targets() if target.name == "loihi")
    assert not loihi.available
    assert "not available: NEUROCUDA_LAVA_PYTHON is 'no-such-python'" in str(loihi)


def test_a_cpu_needs_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    (cpu,) = (target for target in nc.targets() if target.name == "cpu")
    assert cpu.available
    assert "available: llvm " in str(cpu)


def test_a_plug_in_that_does_not_load_is_listed_and_in_nobodys_way(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> object:
        raise nc.TargetError("target 'broken' failed to load: ImportError: no module named vendor")

    factories = {**backend_factories(), "broken": broken, "odd": lambda: "not a backend"}
    monkeypatch.setattr("neurocuda.registry.backend_factories", lambda: factories)
    text = str(nc.targets())
    assert "broken: a plug-in; not available: target 'broken' failed to load" in text
    assert "target 'odd' is a plug-in whose BACKEND is no neurocuda.ir.backend.Backend" in text
    assert nc.explain(model, images, target="host").convertible
    with pytest.raises(nc.TargetError, match="no module named vendor"):
        nc.explain(model, images, target="broken")


class Unconvertible(nn.Module):
    """A layer norm of several axes and a mean of channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.LayerNorm([4, 8, 8])

    def forward(self, x: Tensor) -> Tensor:
        y = torch.log_softmax(self.conv(x), 1)
        return (self.norm(y).mean(1, keepdim=True) * self.conv(x)).sum((2, 3))


def test_explain_lists_everything_with_place_reason_and_remedy() -> None:
    found = nc.explain(Unconvertible().eval(), input_shape=SHAPE)
    assert not found.convertible
    whats = {problem.what for problem in found.problems}
    assert {"`ann.log_softmax`", "`ann.mean`", "`ann.layer_norm`"} <= whats
    for problem in found.problems:
        assert "test_targets.py:" in problem.where
        assert problem.why
        assert problem.remedy
    assert str(found).startswith(f"{len(found.problems)} things stand between the model and cpu:host:\n  - `")


def test_explain_knows_operations_that_cannot_be_imported() -> None:
    class Strange(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cumsum(x, 1) + torch.sort(x).values

    found = nc.explain(Strange().eval(), input_shape=SHAPE)
    assert {"`aten.cumsum`", "`aten.sort`"} <= {problem.what for problem in found.problems}


def test_explain_looks_behind_what_cannot_be_imported() -> None:
    """One call tells of everything: what cannot be imported, and what stands in the way before and behind it."""

    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 4, 3), nn.Linear(36, 5)

        def forward(self, x: Tensor) -> Tensor:
            x = torch.sin(nn.functional.log_softmax(self.first(x), 1))
            return torch.relu(self.second(torch.sort(x.mean(1, keepdim=True).flatten(1)).values))

    found = nc.explain(Mixed().eval(), input_shape=SHAPE)
    assert [problem.what for problem in found.problems] == [
        "`aten.sin`",
        "`aten.sort`",
        "`ann.log_softmax`",
        "`ann.mean`",
    ]
    with pytest.raises(nc.UnsupportedModelError, match="cannot be imported because of 2 things"):
        nc.compile(Mixed().eval(), target="cpu", input_shape=SHAPE)


def test_explain_says_when_nothing_stands_in_the_way(model: nn.Module, images: Floats) -> None:
    for example in (images, images[:1], torch.tensor(images), [images[:2], images[2:]]):
        found = nc.explain(model, example)
        assert found.convertible
        assert str(found) == "the model can be compiled for cpu:host"


def test_explain_knows_what_shows_only_later(images: Floats) -> None:
    """The structure is fine; joined channels of different scales cannot be pooled together."""

    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)
            self.norm = nn.BatchNorm2d(4)
            self.norm.weight.data = torch.tensor([1.0, 2.0, 3.0, 4.0])

        def forward(self, x: Tensor) -> Tensor:
            y = torch.relu(self.norm(self.conv(x)))
            y = torch.nn.functional.max_pool2d(y.permute(0, 2, 1, 3), 2)
            return y.flatten(1)

    found = nc.explain(Mixed().eval(), images)
    assert any("scale" in problem.why for problem in found.problems)


def test_a_refusal_names_the_pooling_that_the_user_wrote() -> None:
    """Not the diagonal or the sum that passes have made of it."""
    border = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    layers = (nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(), border, nn.Conv2d(3, 2, 3), nn.AvgPool2d(2))
    structured = nc.import_model(nn.Sequential(*layers).eval(), input_shape=SHAPE).apply(
        "fold-constants,replace-average-pooling,hoist-activations,merge-residual"
    )
    found = ANN_CONVERTIBLE.violations(structured.module, structure_only=True)
    assert [(problem.what, problem.where, problem.why) for problem in found] == [
        ("`ann.conv2d`", "3", "it reads `ann.average_pool2d` (2) with no activation between"),
        ("`ann.average_pool2d`", "4", "it reads `ann.conv2d` (3) with no activation between"),
    ]


def test_an_imported_model_can_be_run_printed_and_rewritten(model: nn.Module, images: Floats) -> None:
    module = nc.import_model(model, images[:1])
    with torch.no_grad():
        expected = model(torch.tensor(images)).numpy()
    before = module.ir()
    np.testing.assert_allclose(module.interpret(images), expected, atol=1e-5)
    folded = module.apply("fold-batch-norm")
    assert module.ir() == before
    assert "ann.batch_norm" in before
    assert "ann.batch_norm" not in folded.ir()
    np.testing.assert_allclose(folded.interpret(images), expected, atol=1e-5)
    assert "conftest.py" in module.ir(locations=True)


def test_passes_take_options_and_pipelines_names(model: nn.Module, images: Floats) -> None:
    module = nc.import_model(model, images[:1])
    with pytest.warns(nc.NeuroCudaWarning, match="no calibration images"):
        convertible = module.apply("ann-to-convertible")
    assert "levels 3" in convertible.apply("quantize-activations", timesteps=3).ir()
    with pytest.raises(nc.OptionError, match="options belong to one pass, not to the pipeline 'a,b'"):
        module.apply("a,b", timesteps=3)
    with pytest.raises(nc.OptionError, match="unknown pass 'fold-batchnorm'; did you mean 'fold-batch-norm'"):
        module.apply("fold-batchnorm")
    with pytest.raises(nc.OptionError, match="nonsense"):
        module.apply("fold-batch-norm", nonsense=True)


def test_an_imported_model_refuses_images_that_do_not_fit(model: nn.Module, images: Floats) -> None:
    module = nc.import_model(model, input_shape=SHAPE)
    with pytest.raises(nc.InputError, match=r"images: expected images of shape \(3, 8, 8\), found \(2, 8, 8\)"):
        module.interpret(images[:, :2])


def test_the_public_names_are_all_there() -> None:
    for name in nc.__all__:
        assert getattr(nc, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'compiler'"):
        nc.compiler  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]


def test_a_missing_nir_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(nc.ModelError, match="there is no such file"):
        nc.explain(tmp_path / "lif.nir")
