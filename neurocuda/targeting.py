"""What a target's name stands for, and which targets there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce

from neurocuda.errors import TargetError
from neurocuda.ir.backend import Backend
from neurocuda.ir.constraints import Constraints

PLANNED: Mapping[str, str] = {
    "akida": "BrainChip Akida",
    "fpga": "synthesisable Verilog",
    "gpu": "NVIDIA GPUs",
    "spinnaker": "SpiNNaker",
    "spinnaker2": "SpiNNaker 2",
}
"""Targets that are designed and not built yet."""


@dataclass(frozen=True)
class Target:
    """A target: its name, what it is, its chips, and whether its tools are here (or how to get them)."""

    name: str
    summary: str
    chips: tuple[str, ...]
    available: bool
    detail: str

    def __str__(self) -> str:
        word = "available" if self.available else "not available"
        chips = f" ({', '.join(self.chips)})" if self.chips else ""
        return f"{self.name}{chips}: {self.summary}; {word}: {self.detail}"


class Targets(tuple[Target, ...]):
    """All targets. Prints as a list."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n".join(str(target) for target in self)


def all_targets() -> Targets:
    """Every target, with its chips, and whether the vendor's tools are available or how to get them."""
    from neurocuda.registry import backend_factories

    found: list[Target] = []
    for name in backend_factories():
        try:
            found.append(_target(name))
        except TargetError as reason:  # a plug-in with a fault
            found.append(Target(name, "a plug-in", (), False, str(reason)))
    return Targets(found)


def _target(name: str) -> Target:
    backend = backend_of(name)
    state = backend.availability()
    return Target(name, backend.summary, tuple(backend.chips), state.ready, state.detail)


def backend_of(name: str) -> Backend:
    """A backend by its exact name.

    Raises:
        TargetError: there is none, or it is a plug-in that does not load or calls itself otherwise.
    """
    from neurocuda.registry import backend_factories

    factories = backend_factories()
    if name not in factories:
        raise TargetError(f"there is no backend '{name}'; there are {', '.join(factories)}")
    backend = factories[name]()
    if not isinstance(backend, Backend):
        raise TargetError(f"target '{name}' is a plug-in whose BACKEND is no neurocuda.ir.backend.Backend")
    if backend.name != name:
        raise TargetError(f"target '{name}' has a BACKEND with the name \"{backend.name}\"; give both the same name")
    return backend


def resolve_target(target: str) -> tuple[Backend, str]:
    """The backend and chip that "<backend>", "<backend>:<chip>" or a chip's unique name stands for.

    Raises:
        TargetError: it stands for nothing, or for something planned.
    """
    from neurocuda.registry import backend_factories

    if not isinstance(target, str):  # pyright: ignore[reportUnnecessaryIsInstance]  users pass anything
        raise TargetError(f'a target is named by text such as "cpu", not by {target!r}')
    names = list(backend_factories())
    name, colon, chip = target.partition(":")
    if name in names:
        backend = backend_of(name)
        if colon and not chip:
            raise TargetError(f"target '{target}' names no chip; it has {', '.join(backend.chips)}")
        return backend, backend.chip(chip or None).name
    owners = [] if colon else [backend for backend in _sound(names) if name in backend.chips]
    if len(owners) == 1:
        return owners[0], name
    if owners:
        choices = ", ".join(f"{backend.name}:{name}" for backend in owners)
        raise TargetError(f"several targets have a chip '{name}': say {choices}")
    if name in PLANNED:
        there = ", ".join(names)
        raise TargetError(f"target '{target}' ({PLANNED[name]}) is planned but not in this version; there are {there}")
    near = get_close_matches(name, names, n=1)
    guess = f"; did you mean '{near[0]}'?" if near else ""
    raise TargetError(f"unknown target '{target}'{guess or '; there are ' + ', '.join(names)}")


def _sound(names: list[str]) -> list[Backend]:
    """The backends that load, with their chips."""
    found: list[Backend] = []
    for name in names:
        try:
            backend = backend_of(name)
            _ = backend.chips
        except TargetError:  # listed with its reason by `targets`
            continue
        found.append(backend)
    return found


def shared_constraints(backend: Backend, portable: tuple[str, ...], code: str | None = None) -> Constraints:
    """What the target offers, and every further target that the same integers must serve, in a code or whichever.

    Raises:
        TargetError: a target is unknown, or they share no code, reset, comparison or threshold.
    """
    backends = (backend, *(resolve_target(name)[0] for name in portable))
    offered = [each.constraints if code is None else each.constraints_for(code) for each in backends]
    return reduce(Constraints.meet, offered)
