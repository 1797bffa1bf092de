"""Pipelines: from text to passes and back, and running them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from xdsl.context import Context
from xdsl.dialects import test
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.passes import ModulePass

from neurocuda.errors import OptionError, VerificationError
from neurocuda.ir.pipelines import parse_pipeline, pipeline_text, run_passes


@dataclass(frozen=True)
class NotePass(ModulePass):
    """Appends its option to an attribute."""

    name = "note"
    text: str = "x"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        before = op.attributes.get("test.notes")
        op.attributes["test.notes"] = StringAttr((before.data if isinstance(before, StringAttr) else "") + self.text)


@dataclass(frozen=True)
class OptionsPass(ModulePass):
    """Has an option of every kind."""

    name = "with-options"
    rate: float = 0.5
    maybe: float | None = None
    rates: tuple[float, ...] = ()
    either: float | int = 0
    count: int = 1
    per_channel: bool = False
    method: str = "mse"

    def apply(self, ctx: Context, op: ModuleOp) -> None: ...


@dataclass(frozen=True)
class FailingPass(ModulePass):
    """Fails."""

    name = "failing"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise KeyError("x")


@dataclass(frozen=True)
class BreakingPass(ModulePass):
    """Leaves a module in which a value is used before it is defined."""

    name = "breaking"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        from xdsl.dialects.builtin import i32
        from xdsl.dialects.func import FuncOp, ReturnOp

        one = test.TestOp(result_types=[i32])
        function = FuncOp("f", ((), ()))
        function.body.block.add_ops([test.TestOp([one.results[0]]), one, ReturnOp()])
        op.body.block.add_op(function)


PASSES = {kind.name: (lambda kind=kind: kind) for kind in (NotePass, OptionsPass, FailingPass, BreakingPass)}


def parsed(text: str, named: dict[str, str] | None = None) -> list[str]:
    return [str(step) for step in parse_pipeline(text, PASSES, named)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("note", ["note"]),
        (" note , with-options ", ["note", "with-options"]),
        ("builtin.module(note,with-options)", ["note", "with-options"]),
        ("any(note)", ["note"]),
        ("builtin.module( )", []),
        ("note,builtin.module(note, builtin.module(note))", ["note"] * 3),
        ('note{text="a,b(c)"}', ['note{text="a,b(c)"}']),
        ("with-options{count=2 per-channel=true}", ["with-options{count=2 per_channel=true}"]),
    ],
)
def test_pipelines(text: str, expected: list[str]) -> None:
    assert parsed(text) == expected


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("rate=1", OptionsPass(rate=1.0)),
        ("rate=1e-3", OptionsPass(rate=1e-3)),
        ("rate=1.0e-3", OptionsPass(rate=1e-3)),
        ('rate="-1e-3"', OptionsPass(rate=-1e-3)),
        ("maybe=2", OptionsPass(maybe=2.0)),
        ("rates=1,2.5,1e2", OptionsPass(rates=(1.0, 2.5, 100.0))),
        ("either=3", OptionsPass(either=3)),
        ("count=3", OptionsPass(count=3)),
        ("method=percentile", OptionsPass(method="percentile")),
        ("per-channel", None),
    ],
)
def test_options(option: str, expected: OptionsPass | None) -> None:
    if expected is None:
        with pytest.raises(OptionError, match="pass 'with-options'"):
            parsed(f"with-options{{{option}}}")
        return
    (step,) = parse_pipeline(f"with-options{{{option}}}", PASSES)
    assert step == expected
    assert type(getattr(step, option.split("=")[0].replace("-", "_"))) is type(
        getattr(expected, option.split("=")[0].replace("-", "_"))
    )


NAMED = {"both": "note,with-options", "outer": "both,note", "loop": "note,loop"}


def test_named_pipelines_unfold() -> None:
    assert parsed("outer,note", NAMED) == ["note", "with-options", "note", "note"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "unknown pass 'nonsense'"),
        ("notes", "unknown pass 'notes'; did you mean 'note'?"),
        ("bot", "did you mean 'both'?"),
        ("note,", "a pass name is missing beside a comma"),
        ("note{text=a", "missing '}'"),
        ('note{text="a}', "missing '\"'"),
        ("note)", "unexpected ')'"),
        ("builtin.module(note", "missing ')'"),
        ("func.func(note)", "'func.func(...)' cannot hold a pipeline"),
        ("builtin.module(func.func(note))", "'func.func(...)' cannot hold a pipeline"),
        ("note{nonsense=1}", "pass 'note' has no option 'nonsense'; it has "),
        ("with-options{count=x}", "Incompatible types"),
        ("with-options{rate=x}", "Incompatible types"),
        ("with-options{count=1,per-channel=true}", "pass 'with-options{count=1,per-channel=true}'"),
        ("both{x=1}", "pipeline 'both' takes no options"),
        ("loop", "pipeline 'loop' contains itself"),
        ("%&", "pass '%&'"),
    ],
)
def test_mistakes_are_named_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(OptionError) as caught:
        parsed(text, NAMED)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pipeline_as_text_reads_back() -> None:
    steps = parse_pipeline('note{text="a b"},with-options{rate=1e-7 rates=1,2}', PASSES)
    assert parse_pipeline(pipeline_text(steps), PASSES) == steps


@dataclass
class Log:
    """Notes what happens."""

    tag: str
    entries: ClassVar[list[str]] = []
    seen: list[str] = field(default_factory=list[str])

    def before(self, step: ModulePass, module: ModuleOp) -> None:
        self.entries.append(f"{self.tag} before {step.name}")

    def after(self, step: ModulePass, module: ModuleOp) -> None:
        self.entries.append(f"{self.tag} after {step.name}")

    def failed(self, step: ModulePass, module: ModuleOp) -> None:
        self.entries.append(f"{self.tag} failed {step.name}")


@pytest.fixture
def log() -> list[str]:
    Log.entries.clear()
    return Log.entries


def run(text: str, *, verify: bool = True) -> ModuleOp:
    module = ModuleOp([])
    run_passes(Context(), module, parse_pipeline(text, PASSES), [Log("outer"), Log("inner")], verify=verify)
    return module


def test_passes_run_in_order(log: list[str]) -> None:
    assert run('note{text="a"},note{text="b"}').attributes["test.notes"] == StringAttr("ab")
    assert log[:4] == ["outer before note", "inner before note", "inner after note", "outer after note"]


def test_an_error_goes_through_after_everybody_heard(log: list[str]) -> None:
    with pytest.raises(KeyError):
        run("failing")
    assert log == ["outer before failing", "inner before failing", "inner failed failing", "outer failed failing"]


def test_an_invalid_module_is_found_at_once(log: list[str]) -> None:
    with pytest.raises(VerificationError, match="used where it is not defined"):
        run("breaking,note")
    assert log[-1] == "outer failed breaking"
    run("breaking", verify=False)
