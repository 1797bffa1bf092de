"""Checks what a network uses against what a chip has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import CapacityError, Problem, TargetError
from neurocuda.ir.backend import Backend
from neurocuda.ir.chip import Chip
from neurocuda.ir.layout import Layout
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.resources import ResourceUser
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class VerifyTargetPass(NeuroPass):
    """
    Compares what the operations of a hardware dialect say they use with the limits in a chip's file. Changes nothing.

    Where a target has cores, so is what lies on every core, on every chip, and on all of them.

    `target` is a backend or `backend:chip`. Everything that is too large is listed, with the user's layer.

    Before:
        func.func @main(%x: tensor<2xi8>) -> tensor<2xi8> {
          %y = cpu.program "network" steps 3 inputs(%x) {
          ^bb0(%0: memref<2xi8>):
            %1 = cpu.buffer : memref<2xi8>
            cpu.fill %1 steps [0, 1] : memref<2xi8>
            cpu.output %1 : memref<2xi8>
          } : (tensor<2xi8>) -> (tensor<2xi8>)
          func.return %y : tensor<2xi8>
        }

    Options: target="cpu:host"

    After:
        func.func @main(%x: tensor<2xi8>) -> tensor<2xi8> {
          %y = cpu.program "network" steps 3 inputs(%x) {
          ^bb0(%0: memref<2xi8>):
            %1 = cpu.buffer : memref<2xi8>
            cpu.fill %1 steps [0, 1] : memref<2xi8>
            cpu.output %1 : memref<2xi8>
          } : (tensor<2xi8>) -> (tensor<2xi8>)
          func.return %y : tensor<2xi8>
        }
    """

    name = "verify-target"
    promise = Equal()

    target: str = "cpu"

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        name, _, chip_name = self.target.partition(":")
        backend = backend_of(name, self.name)
        chip = backend.chip(chip_name or None)
        problems = shortages(module, backend.layout(module, weights, chip.name) or Layout(chip, ()))
        if problems:
            raise CapacityError(f"the network does not fit {self.target}:", problems)


def shortages(module: ModuleOp, layout: Layout) -> list[Problem]:
    """Everything of which the operations, or the cores where they lie, use more than the chip of the layout has."""
    return [
        *_too_large_alone(module, layout.chip),
        *_too_large_together(module, layout.chip),
        *_too_large_where_it_lies(layout),
    ]


def backend_of(name: str, reader: str) -> Backend:
    """The backend of this name, for the pass of that name.

    Raises:
        TargetError: there is none, or it is no backend.
    """
    from neurocuda.registry import backend_factories

    factory = backend_factories().get(name)
    if factory is None:
        raise TargetError(f"{reader}: there is no target '{name}'; there are {', '.join(backend_factories())}")
    backend = factory()
    if not isinstance(backend, Backend):
        raise TargetError(f"{reader}: the target '{name}' is no neurocuda.ir.backend.Backend")
    return backend


def _uses(module: ModuleOp) -> Iterator[tuple[ResourceUser, str, float]]:
    for op in module.walk():
        if isinstance(op, ResourceUser):
            for resource, amount in op.uses().items():
                yield op, resource, amount


def _too_large_alone(module: ModuleOp, chip: Chip) -> Iterator[Problem]:
    for op, resource, amount in _uses(module):
        limit = chip.limits.get(resource)
        if limit is not None and limit.per == "operation" and amount > limit.figure.value:
            where = user_location(op) or origin_of(op) or ""
            yield Problem(f"`{op.name}`", where, limit.shortage(resource, amount))


def _too_large_together(module: ModuleOp, chip: Chip) -> Iterator[Problem]:
    totals: dict[str, float] = defaultdict(float)
    for _, resource, amount in _uses(module):
        totals[resource] += amount
    yield from _too_large("the whole network", totals, chip, "network")


def _too_large_where_it_lies(layout: Layout) -> Iterator[Problem]:
    for per in ("core", "chip", "network"):
        for where, totals in layout.uses(per):
            yield from _too_large(where, totals, layout.chip, per)


def _too_large(what: str, amounts: Mapping[str, float], chip: Chip, per: str) -> Iterator[Problem]:
    for resource, amount in amounts.items():
        limit = chip.limits.get(resource)
        if limit is not None and limit.per == per and amount > limit.figure.value:
            yield Problem(what, "", limit.shortage(resource, amount))
