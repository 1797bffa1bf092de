"""Networks trained on real data, written the way users write them."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest
import torch
from torch import nn

from neurocuda.frontend.torch_export import import_torch
from neurocuda.ir.context import create_context, weights_of
from neurocuda.reference.interpreter import interpret

DATA = Path(os.environ.get("NEUROCUDA_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


@pytest.fixture(scope="module")
def networks() -> ModuleType:
    path = DATA / "trained.py"
    if not path.is_file():
        pytest.skip(f"NEUROCUDA_DATA has no trained.py: {DATA}")
    spec = importlib.util.spec_from_file_location("trained", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["resnet20", "plain10", "resnet8"])
def test_agrees(close: Callable[..., None], networks: ModuleType, name: str) -> None:
    build = cast(Callable[[], tuple[nn.Module, object]], getattr(networks, name))
    (model, _), context = build(), create_context()
    module = import_torch(model, input_shape=(3, 32, 32), context=context)
    module.verify()
    for images in (torch.randn(1, 3, 32, 32), torch.randn(3, 3, 32, 32)):
        close(interpret(module, weights_of(context), [images.numpy()])[0], model(images))
