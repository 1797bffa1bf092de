"""Pass pipelines: from text to passes and back, and running them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Protocol, TypeAlias, get_args, get_type_hints

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec, ParameterListType, ParameterType, parse_spec
from xdsl.utils.exceptions import ArgSpecParseError

from neurocuda.errors import OptionError
from neurocuda.ir.verifying import verify_module

Passes: TypeAlias = Mapping[str, Callable[[], type[ModulePass]]]
"""Name to factory."""

Apply: TypeAlias = Callable[[ModulePass, Context, ModuleOp], None]

_MODULE_ANCHOR = re.compile(r"(?:builtin\.module|any)\s*\((.*)\)", re.DOTALL)
_ANCHOR = re.compile(r"([\w.]+)\s*\(")
_BRACKETS = {"(": ")", "{": "}", "[": "]"}


class Instrument(Protocol):
    """Watches a pipeline run."""

    def before(self, step: ModulePass, module: ModuleOp) -> None:
        """Called before each pass."""
        ...

    def after(self, step: ModulePass, module: ModuleOp) -> None:
        """Called after each pass that succeeded and left a valid module."""
        ...

    def failed(self, step: ModulePass, module: ModuleOp) -> None:
        """Called when a pass failed or left an invalid module; the error follows."""
        ...


def run_passes(
    ctx: Context,
    module: ModuleOp,
    passes: Sequence[ModulePass],
    instruments: Sequence[Instrument] = (),
    *,
    verify: bool = True,
    apply: Apply = lambda step, ctx, module: step.apply(ctx, module),
) -> None:
    """Applies passes in order, and verifies the module after each. The last instrument stands closest to the pass.

    Raises:
        VerificationError: a pass left an invalid module. Whatever else a pass raises goes through.
    """
    for step in passes:
        for instrument in instruments:
            instrument.before(step, module)
        succeeded = False
        try:
            apply(step, ctx, module)
            if verify:
                verify_module(module)
            succeeded = True
        finally:
            if not succeeded:
                for instrument in reversed(instruments):
                    instrument.failed(step, module)
        for instrument in reversed(instruments):
            instrument.after(step, module)


def parse_pipeline(text: str, passes: Passes, named: Mapping[str, str] | None = None) -> tuple[ModulePass, ...]:
    """The passes of a pipeline such as `a,b{x=1 y=2.5}` or `builtin.module(a,b)`; `named` are pipelines with a name.

    Raises:
        OptionError: the text is malformed, or a pass or an option is unknown or has a wrong value.
    """
    return tuple(_pass(element, passes, named or {}) for element in _elements(text, named or {}, ()))


def pipeline_text(passes: Sequence[ModulePass]) -> str:
    """A pipeline as text that `parse_pipeline` and mlir-opt read."""
    return f"builtin.module({','.join(map(str, passes))})"


def _elements(text: str, named: Mapping[str, str], within: tuple[str, ...]) -> Iterator[str]:
    """The single passes of a pipeline, with anchors stripped and named pipelines unfolded."""
    for element in _split(text):
        module = _MODULE_ANCHOR.fullmatch(element)
        anchor = _ANCHOR.match(element)
        if module is not None:
            yield from _elements(module[1], named, within)
        elif anchor is not None:
            raise OptionError(
                f"passes run on whole modules: '{anchor[1]}(...)' cannot hold a pipeline, only builtin.module(...) can"
            )
        elif element in within:
            raise OptionError(f"pipeline '{element}' contains itself")
        elif element in named:
            yield from _elements(named[element], named, (*within, element))
        else:
            yield element


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no bracket and no string."""
    parts, start, closing, quoted = list[str](), 0, list[str](), False
    for index, character in enumerate(text):
        if character == '"' and text[index - 1 : index] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif character in _BRACKETS:
            closing.append(_BRACKETS[character])
        elif closing and character == closing[-1]:
            closing.pop()
        elif character in _BRACKETS.values():
            raise OptionError(f"pipeline '{text}': unexpected '{character}'")
        elif character == "," and not closing:
            parts.append(text[start:index].strip())
            start = index + 1
    if closing or quoted:
        raise OptionError(f"pipeline '{text}': missing '{chr(34) if quoted else closing[-1]}'")
    parts.append(text[start:].strip())
    if parts == [""]:
        return []
    if "" in parts:
        raise OptionError(f"pipeline '{text}': a pass name is missing beside a comma")
    return parts


def _pass(element: str, passes: Passes, named: Mapping[str, str]) -> ModulePass:
    try:
        spec = parse_spec(element)
    except ArgSpecParseError as reason:
        raise OptionError(f"pass '{element}': {str(reason).strip().splitlines()[-1].strip()}") from reason
    if spec.name not in passes:
        if spec.name in named:
            raise OptionError(f"pipeline '{spec.name}' takes no options")
        near = get_close_matches(spec.name, [*passes, *named], n=1)
        raise OptionError(f"unknown pass '{spec.name}'" + (f"; did you mean '{near[0]}'?" if near else ""))
    kind = passes[spec.name]()
    _require_options(spec, kind)
    try:
        return kind.from_spec(_with_floats(spec, kind))
    except (TypeError, ValueError) as reason:
        raise OptionError(f"pass '{spec.name}': {' '.join(str(reason).split())}") from reason


def _require_options(spec: ArgSpec, kind: type[ModulePass]) -> None:
    options = {field.name.replace("_", "-") for field in fields(kind) if field.init}
    unknown = sorted({name.replace("_", "-") for name in spec.parameters} - options)
    if unknown:
        there = f"it has {', '.join(sorted(options))}" if options else "it has none"
        raise OptionError(f"pass '{spec.name}' has no option '{unknown[0]}'; {there}")


def _with_floats(spec: ArgSpec, kind: type[ModulePass]) -> ArgSpec:
    """The options with `1` and `1e-3` as floats where a float is expected; xDSL reads an integer and a string."""
    hints: Mapping[str, object] = get_type_hints(kind)
    options = spec.normalize_parameter_names().parameters
    return ArgSpec(spec.name, {name: _floats(values, hints.get(name)) for name, values in options.items()})


def _floats(values: ParameterListType, hint: object) -> ParameterListType:
    leaves = set(_leaves(hint))
    if leaves & {int, float} and not leaves & {bool, str} and any(isinstance(value, bool) for value in values):
        raise ValueError("expected a number, found true or false")
    return tuple(_float(value) for value in values) if float in leaves and not leaves & {int, str} else values


def _leaves(hint: object) -> Iterator[object]:
    inner = get_args(hint)
    if not inner:
        yield hint
    for part in inner:
        yield from _leaves(part)


def _float(value: ParameterType) -> ParameterType:
    if isinstance(value, bool):
        return value
    try:
        return float(value)
    except ValueError:
        return value
