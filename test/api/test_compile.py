"""`compile`: what it takes, what it refuses, and that it changes nothing that is not its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import neurocuda as nc
from neurocuda.compiled import Compiled
from neurocuda.dialects.ann.ops import StaircaseOp
from neurocuda.errors import LevelError
from neurocuda.options import CALIBRATIONS

Floats = NDArray[np.float32]
SHAPE = (3, 8, 8)
QUICK = nc.Conversion(timesteps=3)


def outputs_of(compiled: Compiled, images: Floats) -> Floats:
    outputs = compiled.run(images).outputs
    assert isinstance(outputs, np.ndarray)
    return outputs


# Models


def test_a_module_an_exported_program_and_a_file_give_the_same(
    model: nn.Module, images: Floats, tmp_path: Path
) -> None:
    program = torch.export.export(model, (torch.zeros(1, *SHAPE),))
    torch.export.save(program, tmp_path / "model.pt2")
    forms = (model, program, tmp_path / "model.pt2", str(tmp_path / "model.pt2"))
    found = [outputs_of(nc.compile(form, target="cpu", calibration=images, conversion=QUICK), images) for form in forms]
    for outputs in found[1:]:
        np.testing.assert_array_equal(outputs, found[0])


def test_the_model_and_the_images_are_left_as_they_were(model: nn.Module, images: Floats) -> None:
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    kept = images.copy()
    with pytest.warns(nc.NeuroCudaWarning, match="the model is in training mode: a copy"):
        nc.compile(model, target="cpu", calibration=images, conversion=QUICK)
    assert model.training
    np.testing.assert_array_equal(images, kept)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_a_wrapped_model_is_unwrapped(model: nn.Module, images: Floats, compiled: Compiled) -> None:
    conversion = nc.Conversion(timesteps=7)
    with pytest.warns(nc.NeuroCudaWarning, match="is wrapped in DataParallel"):
        wrapped = nc.compile(nn.DataParallel(model), target="cpu", calibration=images, conversion=conversion)
    np.testing.assert_array_equal(outputs_of(wrapped, images), outputs_of(compiled, images))


class Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.relu() if x.sum() > 0 else x


class AcrossImages(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(0, keepdim=True)


def spoiled(value: float) -> nn.Module:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    next(model.parameters()).data[0, 0, 0, 0] = value
    return model.eval()


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Branching().eval(), nc.ModelError, "the model's control flow depends on the data"),
        (lambda: AcrossImages().eval(), nc.UnsupportedModelError, "batch"),
        (lambda: spoiled(float("nan")), nc.ModelError, "a weight holds NaN or infinity: '0.weight'"),
        (lambda: spoiled(float("inf")), nc.ModelError, "a weight holds NaN or infinity: '0.weight'"),
        (lambda: nn.Conv2d(3, 4, 3).half().eval(), nc.ModelError, "is float16, not float32"),
        (lambda: nn.Conv2d(3, 4, 3).bfloat16().eval(), nc.ModelError, "is bfloat16, not float32"),
        (lambda: nn.Conv2d(3, 4, 3, dtype=torch.complex64).eval(), nc.ModelError, "is complex64, not float32"),
        (lambda: "model", nc.ModelError, "'model'"),
        (lambda: Path("network.nir"), nc.OptionError, "'network.nir' says its shapes"),
        (lambda: 3, nc.ModelError, "expected a torch.nn.Module"),
    ],
)
def test_an_unusable_model_is_refused(build: Callable[[], nn.Module], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as refusal:
        nc.compile(build(), target="cpu", input_shape=SHAPE)
    assert message in str(refusal.value)


def test_dynamic_shapes_are_refused() -> None:
    sizes = {0: torch.export.Dim("batch"), 2: torch.export.Dim("height", min=8, max=16) * 2}
    program = torch.export.export(
        nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()).eval(),
        (torch.zeros(2, 3, 16, 16),),
        dynamic_shapes=(sizes,),
    )
    with pytest.raises(nc.ModelError, match=r"dynamic axes \[2\]"):
        nc.compile(program, target="cpu", input_shape=(3, 16, 16))


@pytest.mark.parametrize("keep", [0, 10, 2000])
def test_a_truncated_file_is_refused(model: nn.Module, tmp_path: Path, keep: int) -> None:
    path = tmp_path / "model.pt2"
    torch.export.save(torch.export.export(model, (torch.zeros(1, *SHAPE),)), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(nc.ModelError, match=r"model\.pt2' is no \.pt2 file, or is damaged"):
        nc.compile(path, target="cpu")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(nc.ModelError, match=r"none\.pt2' cannot be read: No such file"):
        nc.compile(tmp_path / "none.pt2", target="cpu")


def test_what_has_no_spiking_rule_is_listed_in_one_go(images: Floats) -> None:
    class Modern(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            y = torch.log_softmax(self.conv(x), 1)
            return self.conv(torch.softmax(self.conv(y[:, :3])[:, 1:], 1))[:, :, 0, 0]

    with pytest.raises(LevelError) as refusal:
        nc.compile(Modern().eval(), target="cpu", calibration=images)
    whats = [problem.what for problem in refusal.value.problems]
    assert whats == ["`ann.log_softmax`", "`ann.softmax`"]
    assert all("test_compile.py:" in problem.where for problem in refusal.value.problems)


# Calibration


def test_all_forms_of_calibration_give_the_same(model: nn.Module, images: Floats) -> None:
    tensor = torch.tensor(images)
    loader = DataLoader(TensorDataset(tensor, torch.zeros(len(images))), batch_size=8)
    forms = (images, tensor, images.astype(np.float64), loader, [images[:8], images[8:]], {"x": images})
    found = [nc.compile(model, target="cpu", calibration=form, conversion=QUICK).ir("snn-integer") for form in forms]
    assert len(set(found)) == 1


def test_without_images_batch_norms_serve(model: nn.Module, images: Floats) -> None:
    with pytest.warns(nc.NeuroCudaWarning, match="no calibration images"):
        compiled = nc.compile(model, target="cpu", input_shape=SHAPE)
    with torch.no_grad():
        expected = model(torch.tensor(images)).numpy()
    found = outputs_of(compiled, images)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.95


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        ([], "calibration: there are no images"),
        (np.zeros((0, *SHAPE), np.float32), "calibration: there are no images"),
        (np.zeros((4, *SHAPE), np.uint8), "uint8"),
        (np.full((4, *SHAPE), np.nan, np.float32), "calibration: there are NaN or infinite values in image 0"),
        (np.zeros((4, 8, 8, 3), np.float32), "the model does not run on inputs of shape"),
        (np.zeros((4, 5), np.float32), "the model does not run on inputs of shape"),
        (np.zeros((3, 8, 8), np.float32), "but got 1 channels instead; is the first axis, the batch, missing"),
    ],
)
def test_unusable_calibration_images_are_refused(model: nn.Module, calibration: object, message: str) -> None:
    with pytest.raises(nc.InputError) as refusal:
        nc.compile(model, target="cpu", calibration=calibration)  # pyright: ignore[reportArgumentType]
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("scale", [1e30, 3e38])
def test_weights_that_overflow_are_told_with_their_layer(images: Floats, scale: float) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU()).eval()
    with torch.no_grad():
        model[2].weight.fill_(scale)  # pyright: ignore[reportArgumentType, reportCallIssue]
    reason = r"`ann.neuron` \(3\) gives NaN or values beyond 1e\+18 on the calibration images"
    with pytest.raises(nc.ModelError, match=reason):
        nc.compile(model, target="cpu", calibration=images, conversion=QUICK)


@pytest.mark.parametrize("scale", [1e20, 3e38])
def test_weights_that_overflow_are_told_without_images_too(scale: float) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)).eval()
    with torch.no_grad():
        model[2].weight.fill_(scale)  # pyright: ignore[reportArgumentType, reportCallIssue]
    with pytest.raises(nc.ModelError, match=r"by the weights before it `ann.relu` \(3.*\) gives values beyond 1e\+18"):
        nc.compile(model, target="cpu", input_shape=SHAPE, conversion=QUICK)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_images_that_show_nothing_are_told(model: nn.Module, images: Floats, value: float) -> None:
    constant = np.full_like(images, value)
    with pytest.warns(nc.NeuroCudaWarning, match="on the calibration images nothing ever happens in x: such ranges"):
        nc.compile(model, target="cpu", calibration=constant, conversion=nc.Conversion(calibration="mse"))


def test_labels_among_the_images_are_told(model: nn.Module, images: Floats) -> None:
    with pytest.raises(nc.InputError, match="give the images alone, without labels"):
        nc.compile(model, target="cpu", calibration=(images, np.zeros(len(images), np.int64)))


def test_a_layer_that_never_fires_is_told(images: Floats) -> None:
    silent = nn.Linear(4, 4)
    nn.init.constant_(silent.bias, -1e3)
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.ReLU(), silent, nn.ReLU(), nn.Linear(4, 2)).eval()
    with pytest.warns(nc.NeuroCudaWarning, match="on the calibration images nothing ever happens in 4: such") as caught:
        nc.compile(model, target="cpu", calibration=images)
    assert [warning.filename for warning in caught] == [__file__]


def test_warnings_are_given_at_the_line_that_calls(images: Floats, model: nn.Module) -> None:
    with pytest.warns(nc.NeuroCudaWarning, match="in training mode") as caught:
        nc.import_model(model.train(), images[:1])
    assert [warning.filename for warning in caught] == [__file__]


def test_calibration_images_of_another_shape_than_the_program_are_refused(model: nn.Module) -> None:
    program = torch.export.export(model, (torch.zeros(1, *SHAPE),))
    with pytest.raises(nc.InputError, match=r"expected images of shape \(3, 8, 8\), found \(3, 9, 9\)"):
        nc.compile(program, target="cpu", calibration=np.zeros((4, 3, 9, 9), np.float32))
    with pytest.raises(nc.InputError, match="a batch axis is missing"):
        nc.compile(program, target="cpu", calibration=np.zeros((3, 8, 8), np.float32))


def test_nothing_says_the_shape(model: nn.Module) -> None:
    with pytest.raises(nc.InputError, match="nothing says the shape of the input: give calibration images"):
        nc.compile(model, target="cpu")


def test_the_images_do_not_stay(model: nn.Module, images: Floats, tmp_path: Path) -> None:
    compiled = nc.compile(model, target="cpu", calibration=np.tile(images, (40, 1, 1, 1)), conversion=QUICK)
    assert "nc.calibration" not in "".join(compiled.ir(level) for level in compiled.levels)
    compiled.save(tmp_path / "small.nca")
    assert (tmp_path / "small.nca").stat().st_size < 250_000


# Pixels


def test_pixels_give_what_normalised_floats_give(model: nn.Module) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (64, *SHAPE)).astype(np.uint8)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
    preprocessing = nc.Normalize(mean, std)
    compiled = nc.compile(
        model, target="cpu", calibration=pixels, preprocessing=preprocessing, conversion=nc.Conversion(timesteps=63)
    )
    floats = (pixels / 255 - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    with torch.no_grad():
        expected = model(torch.tensor(floats, dtype=torch.float32)).numpy()
    found = compiled.run(pixels).outputs
    assert isinstance(found, np.ndarray)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99
    with pytest.raises(nc.InputError, match="images: expected uint8 pixels"):
        compiled.run(floats)


def test_pixels_with_channels_last_are_explained(model: nn.Module) -> None:
    images = np.zeros((4, 8, 8, 3), np.uint8)
    with pytest.raises(nc.InputError, match=r"have channels last; channels come first: images\.transpose"):
        nc.compile(model, target="cpu", calibration=images, preprocessing=nc.Normalize([0.5] * 3, [0.5] * 3))


def test_pixels_with_another_number_of_channels_are_refused(model: nn.Module) -> None:
    images = np.zeros((4, *SHAPE), np.uint8)
    with pytest.raises(nc.InputError, match="normalised with 1 channels"):
        nc.compile(model, target="cpu", calibration=images, preprocessing=nc.Normalize(0.5, 0.5))


# Options and targets


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("akida", "target 'akida' (BrainChip Akida) is planned but not in this version; there are cpu"),
        ("fpga:ecp5-85k", "target 'fpga:ecp5-85k' (synthesisable Verilog) is planned"),
        ("cpux", "unknown target 'cpux'; did you mean 'cpu'?"),
        ("toaster", "unknown target 'toaster'; there are cpu"),
        ("cpu:pentium", "target 'cpu' has no chip 'pentium'; it has aarch64, c11, cortex-m7, host"),
        ("cpu:", "target 'cpu:' names no chip; it has aarch64, c11, cortex-m7, host"),
        ("", "unknown target ''; there are cpu"),
        (None, 'a target is named by text such as "cpu", not by None'),
    ],
)
def test_an_unknown_target_is_refused(model: nn.Module, target: Any, message: str) -> None:
    with pytest.raises(nc.TargetError) as refusal:
        nc.compile(model, target=target, input_shape=SHAPE)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"conversion": {"timesteps": 3}}, "conversion must be a neurocuda.Conversion(...), not {'timesteps': 3}"),
        ({"preprocessing": (0.5, 0.5)}, "preprocessing must be a neurocuda.Normalize(mean, std), not (0.5, 0.5)"),
    ],
)
def test_options_of_another_type_are_refused(model: nn.Module, options: dict[str, Any], message: str) -> None:
    with pytest.raises(nc.OptionError) as refusal:
        nc.compile(model, target="cpu", input_shape=SHAPE, **options)
    assert str(refusal.value) == message


def test_a_chip_names_its_target(model: nn.Module, images: Floats) -> None:
    assert nc.compile(model, target="host", calibration=images, conversion=QUICK).target == "cpu:host"


def test_other_targets_have_to_exist(model: nn.Module) -> None:
    with pytest.raises(nc.TargetError, match=r"target 'akida' .* is planned"):
        nc.compile(model, target="cpu", input_shape=SHAPE, conversion=nc.Conversion(portable=("cpu", "akida")))


def test_nir_options_need_a_nir_file(model: nn.Module) -> None:
    with pytest.raises(nc.OptionError, match=r"nir=NirOptions\(\.\.\.\) goes with a \.nir file"):
        nc.compile(model, target="cpu", input_shape=SHAPE, nir=nc.NirOptions())


def test_the_target_bounds_the_weights(model: nn.Module, images: Floats) -> None:
    with pytest.raises(nc.TargetError, match="weight_bits=16: target cpu takes at most 8"):
        nc.compile(model, target="cpu", calibration=images, conversion=nc.Conversion(weight_bits=16))
    narrow = nc.compile(model, target="cpu", calibration=images, conversion=nc.Conversion(weight_bits=3))
    assert "dense<4>" not in narrow.ir("snn-integer")
    assert narrow.validate(images[:4]).passed


def test_every_calibration_method_compiles(model: nn.Module, images: Floats) -> None:
    found = {
        method: nc.compile(model, target="cpu", calibration=images, conversion=nc.Conversion(calibration=method))
        for method in CALIBRATIONS
    }
    assert len({compiled.ir("ann-quantized") for compiled in found.values()}) == len(CALIBRATIONS)


def test_calibrated_layers_come_nearer(model: nn.Module, images: Floats) -> None:
    """And the level before quantising stays the float network."""

    def drift(method: str) -> float:
        conversion = nc.Conversion(timesteps=3, calibration=method)
        drifts = nc.compile(model, target="cpu", calibration=images, conversion=conversion).validate(images).drifts
        assert drifts[0].rms < 1e-5
        return drifts[1].rms

    assert drift("advanced") < drift("mse")


def test_few_images_calibrate_no_layers(model: nn.Module, images: Floats) -> None:
    with pytest.warns(nc.NeuroCudaWarning, match="1 different calibration image says too little"):
        one = nc.compile(model, target="cpu", calibration=images[:1])
    with pytest.warns(nc.NeuroCudaWarning, match="clip ranges are chosen on only 1 calibration image; give at least"):
        plain = nc.compile(model, target="cpu", calibration=images[:1], conversion=nc.Conversion(calibration="max"))
    assert one.run(images).steps == plain.run(images).steps


def test_a_budget_bounds_the_steps(model: nn.Module, images: Floats) -> None:
    conversion = nc.Conversion(latency_budget=20, code="unary", execution="events")
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    assert 10 < compiled.run(images[:2]).steps <= 21  # the input takes one
    assert compiled.validate(images[:4]).passed
    with pytest.raises(nc.OptionError, match="2 layers follow one another, so the budget must be at least 2 steps"):
        nc.compile(model, target="cpu", calibration=images, conversion=nc.Conversion(latency_budget=1))


def test_one_threshold_per_layer_can_be_asked_for(model: nn.Module, images: Floats) -> None:
    conversion = nc.Conversion(threshold_granularity="layer")
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    thresholds = [op.threshold for op in compiled.level("ann-quantized").walk() if isinstance(op, StaircaseOp)]
    assert all(len(np.unique(compiled.weights.array(threshold))) == 1 for threshold in thresholds)
    assert compiled.validate(images[:4]).passed


def test_membranes_may_start_empty(model: nn.Module, images: Floats) -> None:
    conversion = nc.Conversion(initial=0.0, calibration="percentile")
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    initials = [op.initial for op in compiled.level("ann-quantized").walk() if isinstance(op, StaircaseOp)]
    assert not any(compiled.weights.array(initial).any() for initial in initials)


def test_a_free_running_network_is_calibrated_for_running_free(model: nn.Module, images: Floats) -> None:
    def error(**options: str) -> float:
        conversion = nc.Conversion(timesteps=7, code="free", **options)  # pyright: ignore[reportArgumentType]
        compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
        with torch.no_grad():
            return float(np.square(outputs_of(compiled, images) - model(torch.tensor(images)).numpy()).mean())

    assert error() < error(calibration="mse")


def undecided() -> nn.Module:
    """A network whose 500 outputs nearly tie, so that rounding changes classes."""
    random = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 500)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.1, generator=random)
    return model


def test_timesteps_are_chosen_by_agreement(images: Floats) -> None:
    model = undecided()
    with torch.no_grad():
        expected = model(torch.tensor(images)).numpy().argmax(1)

    def lost(conversion: nc.Conversion) -> tuple[int, float]:
        compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
        assert isinstance(compiled.conversion.timesteps, int)
        return compiled.conversion.timesteps, 100 * float((outputs_of(compiled, images).argmax(1) != expected).mean())

    assert lost(nc.Conversion(calibration="mse", timesteps="auto", max_accuracy_loss=100)) == lost(
        nc.Conversion(calibration="mse", timesteps=3)
    )
    timesteps, loss = lost(nc.Conversion(calibration="mse", timesteps="auto", max_accuracy_loss=0))
    assert loss == 0
    assert timesteps > 3
    assert lost(nc.Conversion(calibration="mse", timesteps=3))[1] > 0


def test_timesteps_of_a_free_running_network_are_chosen_on_its_spikes(images: Floats) -> None:
    """A free-running network loses more than its integer network: what is reported is what runs."""
    model = undecided()
    with torch.no_grad():
        expected = model(torch.tensor(images)).numpy().argmax(1)
    conversion = nc.Conversion(timesteps="auto", code="free", max_accuracy_loss=30)
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    loss = 100 * float((outputs_of(compiled, images).argmax(1) != expected).mean())
    assert loss <= 30
    timesteps = compiled.conversion.timesteps
    assert compiled.facts[f"calibration images whose class changes with T = {timesteps}"] == f"{loss:.2f} %"


def test_timesteps_that_do_not_suffice_are_told(images: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurocuda.compiling.LADDER", (1, 2))
    conversion = nc.Conversion(calibration="mse", timesteps="auto", max_accuracy_loss=0)
    with pytest.warns(nc.NeuroCudaWarning, match="T = 2 is taken although"):
        compiled = nc.compile(undecided(), target="cpu", calibration=images, conversion=conversion)
    assert compiled.conversion.timesteps == 2


def test_timesteps_cannot_be_chosen_without_images(model: nn.Module) -> None:
    with (
        pytest.warns(nc.NeuroCudaWarning, match="no calibration images"),
        pytest.raises(nc.InputError, match='timesteps="auto" needs calibration images'),
    ):
        nc.compile(model, target="cpu", input_shape=SHAPE, conversion=nc.Conversion(timesteps="auto"))


def test_validation_checks_every_pass(model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    nc.compile(model, target="cpu", calibration=images, conversion=QUICK, validate=True, progress=steps.append)
    assert steps[:2] == ["defer-rounding", "remove-identities"]
    assert steps[-1] == "comparing the target with the interpreter"

    from neurocuda.passes.ann.quantize_weights import QuantizeWeightsPass

    monkeypatch.setattr(QuantizeWeightsPass, "promise", nc_equal())
    with pytest.raises(nc.PromiseError, match="quantize-weights changed"):
        nc.compile(model, target="cpu", calibration=images, conversion=QUICK, validate=True)


def nc_equal() -> object:
    from neurocuda.ir.promise import Equal

    return Equal()


def test_a_target_that_miscounts_is_found(model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    from neurocuda.backends.cpu.native import NativeProgram

    right = NativeProgram._split  # pyright: ignore[reportPrivateUsage]

    def wrong(self: NativeProgram, counts: NDArray[np.generic]) -> dict[str, NDArray[np.generic]]:
        found = right(self, counts)
        next(iter(found.values()))[0, 2, 3, 4] += 1
        return found

    monkeypatch.setattr(NativeProgram, "_split", wrong)
    with pytest.raises(nc.PromiseError, match=r"snn-integer -> cpu:host: 1 of .* image 0, element \[2, 3, 4\] is"):
        nc.compile(model, target="cpu", calibration=images, conversion=QUICK, validate=True)


def nothing_found(name: str) -> None:
    del name


def test_no_compiler_is_told(model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr("neurocuda.backends.cpu.build.find_spec", nothing_found)
    with pytest.raises(
        nc.ToolchainError, match="no C compiler was found: install gcc or clang, or `pip install ziglang`"
    ):
        nc.compile(model, target="cpu:c11", calibration=images, conversion=QUICK)


# Several inputs


class Masked(nn.Module):
    """Takes a second input and never looks at it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        del mask
        return torch.relu(self.layer(x))


def test_an_input_that_nothing_reads_keeps_its_name(tmp_path: Path) -> None:
    inputs = {"x": np.random.default_rng(0).normal(size=(20, 4)), "mask": np.ones((20, 2))}
    compiled = nc.compile(Masked().eval(), target="cpu", calibration=inputs, conversion=QUICK)
    assert compiled.inputs.names == ("x", "mask")
    expected = compiled.run(inputs).outputs
    compiled.save(tmp_path / "masked.nca")
    np.testing.assert_array_equal(nc.load(tmp_path / "masked.nca").run(inputs).outputs, expected)
    with pytest.raises(nc.InputError, match="the network has 2 inputs, 1 were given; give a dictionary with"):
        compiled.run(inputs["x"])
