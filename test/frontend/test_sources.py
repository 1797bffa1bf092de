"""Every operation knows the module, the line of the user's code and a unique name."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from xdsl.dialects.builtin import FileLineColLoc, ModuleOp, NameLoc, NoneAttr
from xdsl.ir import Operation

from neurocuda.errors import UnsupportedModelError
from neurocuda.frontend.torch_export import import_torch
from neurocuda.ir.context import create_context
from neurocuda.ir.origin import origin_of, user_location


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv(x))
        y = self.act(self.conv(y))
        return F.relu(x + self.act(y))


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(Block(), Block())
        self.pool = nn.MaxPool1d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.blocks(x).flatten(2))


FIRST_LINE = inspect.getsourcelines(Block.forward)[1]


@pytest.fixture(scope="module")
def network() -> ModuleOp:
    return import_torch(Network().eval(), input_shape=(3, 4, 4), context=create_context())


def operation(module: ModuleOp, origin: str) -> Operation:
    return next(op for op in module.walk() if origin_of(op) == origin)


def test_origins_are_unique_and_readable(network: ModuleOp) -> None:
    names = [origin_of(op) for op in network.walk() if op.name.startswith("ann.")]
    assert len(set(names)) == len(names)
    assert names[:7] == [
        "x",
        "blocks.0.conv",
        "blocks.0.relu",
        "blocks.0.conv#2",
        "blocks.0.act",
        "blocks.0.act#2",
        "blocks.0.add",
    ]


def test_values_are_called_after_the_modules(network: ModuleOp) -> None:
    text = str(network)
    assert "@main(%x: tensor<3x4x4xf32>)" in text
    assert "%blocks.0.conv_1 = ann.conv2d %blocks.0.relu " in text


def test_helper_operations_are_named_after_the_one_they_help(network: ModuleOp) -> None:
    names = [origin_of(op) for op in network.walk() if op.name.startswith("ann.")]
    assert names[-4:] == ["reshape", "pool/0.reshape", "pool/1.max_pool2d", "pool"]


@pytest.mark.parametrize(("origin", "line"), [("blocks.0.conv", 1), ("blocks.1.conv#2", 2), ("blocks.1.relu#2", 3)])
def test_locations_are_the_users_lines(network: ModuleOp, origin: str, line: int) -> None:
    location = operation(network, origin).location
    assert isinstance(location, NameLoc)
    assert location.desc.data == origin.partition("#")[0].removesuffix(".relu")
    assert isinstance(location.location, FileLineColLoc)
    assert location.location.filename.data == Path(__file__).name
    assert location.location.line.data == FIRST_LINE + line


def test_a_sequential_has_names_and_no_lines() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    module = import_torch(model.eval(), input_shape=(4,), context=create_context())
    location = operation(module, "0").location
    assert isinstance(location, NameLoc)
    assert isinstance(location.location, NoneAttr)
    assert user_location(operation(module, "1")) == "1"


class Clash(nn.Module):
    def forward(self, relu: Tensor) -> Tensor:
        return torch.cat([F.relu(relu), torch.zeros(relu.shape[0], 1), torch.zeros_like(relu)], 1)


def test_names_are_unique_whatever_the_user_calls_things() -> None:
    module = import_torch(Clash().eval(), input_shape=(4,), context=create_context())
    names = [origin_of(op) for op in module.walk() if op.name.startswith("ann.")]
    assert names == ["relu", "relu#2", "zeros", "zeros#2", "cat"]


class Unsupported(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.curve = nn.ELU()
        self.other = nn.ELU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.other(self.curve(x))
        return torch.cumsum(torch.asinh(x), 1)


def test_everything_unsupported_is_listed_at_once_with_its_place() -> None:
    line = inspect.getsourcelines(Unsupported.forward)[1]
    with pytest.raises(UnsupportedModelError) as caught:
        import_torch(Unsupported().eval(), input_shape=(4,), context=create_context())
    problems = caught.value.problems
    assert [problem.what for problem in problems] == ["`aten.elu`", "`aten.asinh`", "`aten.cumsum`"]
    assert problems[0].where == f"curve, test_sources.py:{line + 1}; and 1 more"
    assert problems[1].where == f"test_sources.py:{line + 2}"
    assert all(problem.why and problem.remedy for problem in problems)


def test_the_module_knows_its_name_and_level(network: ModuleOp) -> None:
    assert str(network.attributes["nc.name"]) == '"Network"'
    assert str(network.attributes["nc.level"]) == '"ann-imported"'
