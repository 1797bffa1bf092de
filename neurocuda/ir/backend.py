"""What a target is to the rest of the compiler: one declarative value per backend.

`backends/<target>/__init__.py` holds nothing but

    BACKEND = Backend(
        name="cpu",
        summary="C11, built by the system's compiler, run in this process",
        package="neurocuda.backends.cpu",
        default_chip="host",
        constraints=Constraints(weight_bits=8, codes=("unary", "free")),
        pipeline=("convert-snn-to-cpu",),
        level="cpu",
        hooks=Hooks(
            emit="neurocuda.backends.cpu.emit:emit_files",
            load="neurocuda.backends.cpu.cross:load",
            availability="neurocuda.backends.cpu.run:availability",
            cost="neurocuda.backends.cpu.cost:cost",
        ),
    )

and imports nothing else: hooks are resolved when they are called. The caller

1. writes `backend.constraints_for(code)` (or a meet of several) into the module before it is quantised,
2. runs the passes `backend.pipeline` and then `verify-target{target="<backend>:<chip>"}` on an encoded `snn` module,
3. has `backend.emit(module, weights)` give the target's files, a function of nothing but its arguments,
4. has `backend.load(module, weights)` give a `Program` and runs that on batches.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, runtime_checkable

from neurocuda.errors import NeuroCudaError, TargetError
from neurocuda.ir.chip import Chip, load_chip
from neurocuda.ir.constraints import Constraints

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.ir.layout import Layout
    from neurocuda.ir.weights import WeightStore

    Array: TypeAlias = NDArray[Any]

REFERENCE = "reference"
"""The word for results of the reference interpreter."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (images done, images in all), from the calling thread."""


@dataclass(frozen=True)
class RunOptions:
    """How to run a batch. `counts`: also return the spikes of every neuron. `threads`: None for one per processor."""

    counts: bool = False
    threads: int | None = None
    progress: Progress | None = None


@dataclass(frozen=True)
class Execution:
    """What a run gave.

    `outputs`: one (images, *shape) array per result of `@main`. `counts`: what every neuron said, an integer
    (images, *shape) array per neuron layer, by origin; empty unless asked for. `steps`: time steps per image.
    `seconds`: the time the run took. `provenance` says what ran: "cpu: gcc 12.2.0, -O3 -march=native",
    "simulator: ...", "hardware: ...".
    """

    outputs: tuple[Array, ...]
    counts: Mapping[str, Array]
    steps: int
    seconds: float
    provenance: str


class Program(Protocol):
    """A network that is ready to run on a target."""

    def run(self, inputs: Sequence[Array], options: RunOptions = ...) -> Execution:
        """Runs a batch: one (images, *shape) array per argument of `@main`.

        Raises:
            InputError: an array has the wrong shape or element type.
        """
        ...


class Stream(Protocol):
    """A network of spike trains with a state and a clock of its own, which stand still between pushes.

    It takes what it is given: its caller has checked that, and pushes from one thread at a time.
    """

    def push(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Runs on for as many steps as the inputs have.

        One (steps, *shape) array per argument of `@main` gives one such array per result.
        """
        ...

    def reset(self) -> None:
        """Begins anew with the next push."""
        ...


@runtime_checkable
class StreamingProgram(Program, Protocol):
    """A program that can also run step by step, on networks of spike trains."""

    def stream(self) -> Stream:
        """A stream that shares nothing with any other."""
        ...


@dataclass(frozen=True)
class Availability:
    """Whether what the target needs is there: `detail` says what was found, or how to get it."""

    ready: bool
    detail: str


@dataclass(frozen=True)
class Reading:
    """One figure of a cost report; `kind` is "measured", "estimated", or "assumed": estimated from what is assumed."""

    name: str
    value: float
    unit: str
    kind: str


Emit: TypeAlias = "Callable[[ModuleOp, WeightStore], Mapping[str, bytes]]"
Load: TypeAlias = "Callable[[ModuleOp, WeightStore], Program]"
Available: TypeAlias = Callable[[], Availability]
Cost: TypeAlias = "Callable[[ModuleOp, WeightStore, Chip, Execution | None], Sequence[Reading]]"
LayOut: TypeAlias = "Callable[[ModuleOp, WeightStore, Chip], Layout]"


@dataclass(frozen=True)
class Hooks:
    """Where a backend's functions are, each as "module:function".

    emit(module, weights) -> file name to content; load(module, weights) -> Program; availability() -> Availability;
    cost(module, weights, chip, execution or None) -> readings; layout(module, weights, chip) -> Layout.
    """

    emit: str
    load: str
    availability: str
    cost: str | None = None
    layout: str | None = None


@dataclass(frozen=True)
class Backend:
    """A target: its chips, what it demands, the passes that lower to it, and where its functions are.

    `pipeline` are pass names, with options as `nc-opt -p` takes them, from an encoded `snn` module to `level`; `$chip`
    in them is the chip's name.
    `package` is the import path of the folder that holds `chips/*.toml`. `runs_segments` says whether `load` runs host
    segments between networks, too; `runs_trains` whether the pipeline takes networks of code "train", too;
    `runs_counts` whether it takes networks of code "count", too, for which time is no matter.
    `reads_activity` says whether the pipeline reads how often neurons fire (`nc.activity`), so that it is measured.
    `code_constraints` says, by code, what registers hold less in that code than `constraints` says; its codes mean
    nothing.
    """

    name: str
    summary: str
    package: str
    default_chip: str
    constraints: Constraints
    pipeline: tuple[str, ...]
    level: str
    hooks: Hooks
    runs_segments: bool = False
    runs_trains: bool = False
    runs_counts: bool = False
    reads_activity: bool = False
    code_constraints: Mapping[str, Constraints] = field(default_factory=dict[str, Constraints])

    def constraints_for(self, code: str) -> Constraints:
        """What it demands of integers that are to be said in a code."""
        own = self.code_constraints.get(code, self.constraints)
        return self.constraints.meet(replace(own, codes=self.constraints.codes))

    @cached_property
    def chips(self) -> Mapping[str, Chip]:
        """The chips by name, read at first use.

        Raises:
            TargetError: a chip file is malformed, or there is none.
        """
        folder = Path(cast(str, import_module(self.package).__file__)).parent
        files = sorted(folder.glob("chips/*.toml"))
        if not files:
            raise TargetError(f"target '{self.name}': no chips/*.toml in {folder}; is it in the package-data?")
        return {path.stem: load_chip(path) for path in files}

    def chip(self, name: str | None = None) -> Chip:
        """A chip by name; the default one without.

        Raises:
            TargetError: there is no such chip.
        """
        wanted = name or self.default_chip
        if wanted not in self.chips:
            raise TargetError(f"target '{self.name}' has no chip '{wanted}'; it has {', '.join(self.chips)}")
        return self.chips[wanted]

    def emit(self, module: ModuleOp, weights: WeightStore) -> Mapping[str, bytes]:
        """The target's files, byte for byte the same for the same module and weights; "folder/name" lies in a folder.

        Raises:
            TargetError: a name leads out of the folder that the files go to.
        """
        with self._hook("emit", self.hooks.emit) as emit:
            files = cast(Emit, emit)(module, weights)
        astray = [name for name in files if PurePath(name).is_absolute() or ".." in PurePath(name).parts]
        if astray:
            raise TargetError(f"target '{self.name}' emits files outside of their folder: {', '.join(astray)}")
        return files

    def load(self, module: ModuleOp, weights: WeightStore) -> Program:
        """A program ready to run.

        Raises:
            ToolchainError: a tool that the target needs is missing or failed.
        """
        with self._hook("load", self.hooks.load) as load:
            return cast(Load, load)(module, weights)

    def availability(self) -> Availability:
        """Whether the target's tools are there."""
        with self._hook("availability", self.hooks.availability) as availability:
            return cast(Available, availability)()

    def cost(
        self, module: ModuleOp, weights: WeightStore, execution: Execution | None = None, *, chip: str | None = None
    ) -> Sequence[Reading]:
        """Figures for a report on a chip, from the module alone or with what a run counted."""
        if self.hooks.cost is None:
            return ()
        with self._hook("cost", self.hooks.cost) as cost:
            return cast(Cost, cost)(module, weights, self.chip(chip), execution)

    def layout(self, module: ModuleOp, weights: WeightStore, chip: str) -> Layout | None:
        """Which cores of a chip of this name the network lies on; None where the target has no cores."""
        if self.hooks.layout is None:
            return None
        with self._hook("layout", self.hooks.layout) as layout:
            return cast(LayOut, layout)(module, weights, self.chip(chip))

    @contextmanager
    def _hook(self, name: str, place: str) -> Generator[object]:
        """The function behind "module:function", while it is called.

        Raises:
            TargetError: there is no such function, or it fails in another way than ours.
        """
        module, _, function = place.partition(":")
        try:
            yield getattr(import_module(module), function)
        except (NeuroCudaError, MemoryError, RecursionError):
            raise
        except Exception as reason:  # foreign code can raise anything
            kind = type(reason).__name__
            raise TargetError(f"target '{self.name}', hook {name} ({place}): {kind}: {reason}") from reason
