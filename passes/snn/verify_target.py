"""Checks what a network uses against what a chip has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import CapacityError, Problem, TargetError
from neurocuda.ir.backend import Backend
from neurocuda.ir.chip import Chip, Limit
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.resources import ResourceUser
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class VerifyTargetPass(NeuroPass):
    """
    Compares what the operations of a hardware dialect say they use with the limits in a chip's file. Changes nothing.

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
        problems = shortages(module, _chip(self.target))
        if problems:
            raise CapacityError(f"the network does not fit {self.target}:", problems)


def shortages(module: ModuleOp, chip: Chip) -> list[Problem]:
    """Everything of which the operations use more than the chip has."""
    return [*_too_large_alone(module, chip), *_too_large_together(module, chip)]


def _chip(target: str) -> Chip:
    from neurocuda.registry import backend_factories

    name, _, chip = target.partition(":")
    factory = backend_factories().get(name)
    if factory is None:
        raise TargetError(f"verify-target: there is no target '{name}'; there are {', '.join(backend_factories())}")
    backend = factory()
    if not isinstance(backend, Backend):
        raise TargetError(f"verify-target: the target '{name}' is no neurocuda.ir.backend.Backend")
    return backend.chip(chip or None)


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
            yield Problem(f"`{op.name}`", where, _reason(resource, amount, limit))


def _too_large_together(module: ModuleOp, chip: Chip) -> Iterator[Problem]:
    totals: dict[str, float] = defaultdict(float)
    for _, resource, amount in _uses(module):
        totals[resource] += amount
    for resource, amount in totals.items():
        limit = chip.limits.get(resource)
        if limit is not None and limit.per == "network" and amount > limit.figure.value:
            yield Problem("the whole network", "", _reason(resource, amount, limit))


def _reason(resource: str, amount: float, limit: Limit) -> str:
    """`accumulator_bits is 40, and the chip has 32 bit (assumed: ...)`."""
    figure = limit.figure
    return f"{resource} is {amount:g}, and the chip has {figure.value:g} {figure.unit} ({figure.kind}: {figure.source})"
