"""What `nc-opt` watches a pipeline with: dumps of the IR, timing, crash reproducers. Everything goes to stderr."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from neurocuda.errors import NeuroCudaError
from neurocuda.ir.pipelines import pipeline_text
from neurocuda.ir.printing import module_text, save_module


@dataclass
class Culprit:
    """Remembers the pass that failed."""

    name: str | None = None

    def before(self, step: ModulePass, module: ModuleOp) -> None:
        del step, module

    def after(self, step: ModulePass, module: ModuleOp) -> None:
        del step, module

    def failed(self, step: ModulePass, module: ModuleOp) -> None:
        del module
        self.name = step.name


@dataclass
class IrDumps:
    """Prints the IR around passes, without the tensors behind it."""

    ctx: Context
    stream: IO[str]
    before_passes: frozenset[str] = frozenset()
    after_passes: frozenset[str] = frozenset()
    before_all: bool = False
    after_all: bool = False
    after_change: bool = False
    after_failure: bool = False
    locations: bool = False
    _last: str = ""

    def before(self, step: ModulePass, module: ModuleOp) -> None:
        if self.before_all or step.name in self.before_passes:
            self._dump("Before", step, self._text(module))
        if self.after_change:
            self._last = self._text(module)

    def after(self, step: ModulePass, module: ModuleOp) -> None:
        if self.after_all or step.name in self.after_passes:
            self._dump("After", step, self._text(module))
        elif self.after_change:
            text = self._text(module)
            if text != self._last:
                self._dump("After", step, text)

    def failed(self, step: ModulePass, module: ModuleOp) -> None:
        if self.after_failure:
            self._dump("After failed", step, self._text(module))

    def _text(self, module: ModuleOp) -> str:
        return module_text(module, self.ctx, locations=self.locations, elide=True)

    def _dump(self, when: str, step: ModulePass, text: str) -> None:
        # Not MLIR's `// -----//`: --split-input-file would cut a dump there.
        self.stream.write(f"// *** IR Dump {when} {step.name} ***\n{text}\n")


@dataclass
class Timing:
    """Collects wall time per step and prints a table."""

    stream: IO[str]
    seconds: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    _start: float = field(default_factory=perf_counter)

    def lap(self, name: str) -> None:
        """Books the time since the last lap."""
        now = perf_counter()
        self.seconds.append((name, now - self._start))
        self._start = now

    def before(self, step: ModulePass, module: ModuleOp) -> None:
        self._start = perf_counter()

    def after(self, step: ModulePass, module: ModuleOp) -> None:
        self.lap(step.name)

    def failed(self, step: ModulePass, module: ModuleOp) -> None:
        self.lap(f"{step.name} (failed)")

    def report(self) -> None:
        """Prints milliseconds and share of every step, in order."""
        total = sum(seconds for _, seconds in self.seconds)
        for name, seconds in [*self.seconds, ("total", total)]:
            share = 100 * seconds / total if total else 0.0
            self.stream.write(f"{1e3 * seconds:10.3f} ms {share:5.1f} %  {name}\n")


@dataclass
class CrashReproducer:
    """When a pass fails, writes the module before it and the rest of the pipeline, as mlir-opt does."""

    ctx: Context
    path: Path
    passes: Sequence[ModulePass]
    stream: IO[str]
    verify: bool = True
    _before: ModuleOp | None = None
    _done: int = 0

    def before(self, step: ModulePass, module: ModuleOp) -> None:
        self._before = module.clone()

    def after(self, step: ModulePass, module: ModuleOp) -> None:
        self._done += 1

    def failed(self, step: ModulePass, module: ModuleOp) -> None:
        assert self._before is not None
        rest = {"pipeline": pipeline_text(self.passes[self._done :]), "verify_each": self.verify}
        try:
            save_module(self._before, self.ctx, self.path, locations=True, external={"mlir_reproducer": rest})
        except NeuroCudaError as reason:  # the error of the pass is the one that matters
            self.stream.write(f"nc-opt: note: no reproducer was written: {reason}\n")
            return
        self.stream.write(f"nc-opt: note: reproducer written to {self.path}; run it with --run-reproducer\n")
