"""Networks that everybody uses, with random weights, imported and compared with torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
import torch
from torch import nn
from torch.library import Library

from neurocuda.frontend.torch_export import import_torch
from neurocuda.ir.context import create_context, weights_of
from neurocuda.reference.interpreter import interpret

pytestmark = pytest.mark.slow

MODELS = {
    "resnet18": 64,
    "resnet50": 64,
    "vgg11_bn": 64,
    "alexnet": 96,
    "squeezenet1_1": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "densenet121": 64,
    "googlenet": 64,
    "shufflenet_v2_x1_0": 64,
    "efficientnet_b0": 64,
    "mnasnet1_0": 64,
    "regnet_y_400mf": 64,
    "inception_v3": 96,
    "convnext_tiny": 64,
    "vit_b_16": 224,
}
"""Model to the height and width of its images."""

VARIANTS: list[tuple[str, bool]] = [
    *((name, False) for name in MODELS),
    ("googlenet", True),
    ("inception_v3", True),
]
"""Models, and whether they normalise their input themselves."""


@pytest.fixture(scope="module")
def declared() -> Library:
    """The operators that torchvision's Python code asks for and its library for another torch does not bring."""
    library = Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            define = cast(Callable[[str], None], library.define)
            define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


@pytest.mark.parametrize(("name", "normalises"), VARIANTS)
def test_agrees(declared: Library, name: str, normalises: bool) -> None:
    del declared
    images = torch.randn(2, 3, MODELS[name], MODELS[name], generator=torch.Generator().manual_seed(0))
    model, context = built(name, images, normalises), create_context()
    module = import_torch(model, images, context=context)
    module.verify()
    with torch.no_grad():
        expected = cast(torch.Tensor, model(images)).numpy()
    (found,) = interpret(module, weights_of(context), [images.numpy()])
    largest = np.abs(expected).max()
    assert np.abs(expected[0] - expected[1]).max() > 0.01 * largest, "the images make no difference"
    assert np.abs(found - expected).max() <= 1e-4 * largest


def built(name: str, images: torch.Tensor, normalises: bool) -> nn.Module:
    """A network whose every parameter matters: none is zero, and batch norm has the statistics of the images."""
    models = pytest.importorskip("torchvision.models", reason="pip install --no-deps -r test/slow/requirements.txt")
    torch.default_generator.manual_seed(0)
    options = {"init_weights": False, "transform_input": normalises} if name in ("googlenet", "inception_v3") else {}
    model = cast(nn.Module, models.get_model(name, weights=None, **options)).eval()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.abs().max() < 1e-5:
                parameter.normal_(0, 0.1)
        for norm in norms:
            norm.momentum = None
            norm.weight.uniform_(0.5, 1.5)
            norm.train()
        model(images)
        for norm in norms:  # channels that hardly vary would amplify the rounding of float32
            variance = cast(torch.Tensor, norm.running_var)
            variance.clamp_(min=float(variance.mean()))
    return model.eval()
