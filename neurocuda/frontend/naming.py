"""Names and places of operations, in the words of the user's model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Final, cast

from torch.fx import Node
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, LocationAttr, NameLoc, NoneAttr, StringAttr, UnknownLoc
from xdsl.ir import SSAValue

from neurocuda.frontend.graph import target_name
from neurocuda.frontend.table import importers

_FRAME: Final = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_INSIDE_TORCH: Final = re.compile(r"(site|dist)-packages[\\/]torch[\\/]")
_ROOT: Final = re.compile(r"^(L\['self'\]|L__self__|self)?\.?")


def module_path(node: Node) -> str:
    """The module that the node belongs to, e.g. `layer1.0.conv1`; empty for the model itself."""
    stack = _module_stack(node)
    return _ROOT.sub("", stack[-1][0]) if stack else ""


def location_of(node: Node) -> LocationAttr:
    """The module path and the line of the user's code: `loc("layer1.0.conv1"("model.py":31:0))`."""
    path, line = module_path(node), _user_line(node)
    if not path:
        return line or UnknownLoc()
    return NameLoc(StringAttr(path), line or NoneAttr())


def input_location(name: str) -> LocationAttr:
    """An input has a name and no line."""
    return NameLoc(StringAttr(name), NoneAttr())


def _user_line(node: Node) -> FileLineColLoc | None:
    frames = _FRAME.finditer(node.meta.get("stack_trace") or "")
    found = innermost_user_line((frame["file"], int(frame["line"])) for frame in frames)
    return None if found is None else FileLineColLoc(StringAttr(found[0]), IntAttr(found[1]), IntAttr(0))


def innermost_user_line(frames: Iterable[tuple[str, int]]) -> tuple[str, int] | None:
    """(file, line) of the last frame that is not torch's own. Folders are left out: they are the user's business."""
    own = [(PurePath(file).name, line) for file, line in frames if not _INSIDE_TORCH.search(file)]
    return own[-1] if own else None


def names(nodes: Iterable[Node]) -> Mapping[Node, str]:
    """A readable name for the value of every node that has an importer, not yet unique.

    It is the module's path where the module is one of torch's and does one thing, else the path and the function:
    `layer1.0.conv1`, `layer1.0.relu`.
    """
    named = [node for node in nodes if target_name(node) in importers()]
    functions: dict[str, set[str]] = {}
    for node in named:
        functions.setdefault(module_path(node), set()).add(_function(node))
    return {node: _name(node, functions) for node in named}


def _name(node: Node, functions: Mapping[str, set[str]]) -> str:
    path = module_path(node)
    if path and len(functions[path]) == 1 and _module_stack(node)[-1][1].startswith("torch.nn."):
        return path
    return f"{path}.{_function(node)}".removeprefix(".")


def _function(node: Node) -> str:
    return importers()[target_name(node)].function.__name__.strip("_")


class Origins:
    """Gives out names, each only once: `relu`, `relu#2`."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def unique(self, name: str) -> str:
        """The name, with a number where it has been given out before."""
        self._seen[name] += 1
        return name if self._seen[name] == 1 else f"{name}#{self._seen[name]}"


def value_name(origin: str) -> str | None:
    """What a value is called in the text of the IR, where the origin can be said there: `%layer1.0.relu`."""
    name = origin.partition("#")[0]
    return name if SSAValue.is_valid_name(name) else None


def _module_stack(node: Node) -> list[tuple[str, str]]:
    """(path, class) of the modules around the node, outermost first."""
    stack = cast(Mapping[str, tuple[str, object]], node.meta.get("nn_module_stack") or {})
    return [(path, kind if isinstance(kind, str) else _class_name(kind)) for path, kind in stack.values()]


def _class_name(kind: object) -> str:
    return f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', '')}"
