"""Runs a module: the specification of every level, the constant folder, the oracle of conformance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue

from neurocuda.errors import InputError, ModelError
from neurocuda.ir.attributes import Dense, fits, shape_of, written_shape
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.meaning import Array, Meaning, meaning_of

Observer: TypeAlias = Callable[[Operation, Array], None]
"""Called with every operation that has run and the array of its first result."""

StateObserver: TypeAlias = Callable[[Operation, Mapping[str, Array]], None]
"""Called with every stateful operation and what it remembers, when the clock of its network has stopped."""

SignalObserver: TypeAlias = Callable[[Operation, int, Array], None]
"""Called at every step with every operation of a spiking network that is not silent, the step and what it sends."""


class Run:
    """One run of a module: weights, the state of stateful operations, the clock, and who is watching.

    `stand_ins` take the place of the meanings of some operations: a target's own way of running its programs.

    `first` is the step that the first row of what a network without an end is given belongs to: 0 begins anew, any
    other goes on from what the states and `said` hold.
    """

    def __init__(
        self,
        weights: WeightStore,
        observer: Observer | None = None,
        on_state: StateObserver | None = None,
        on_signal: SignalObserver | None = None,
        stand_ins: Mapping[Operation, Meaning] | None = None,
    ) -> None:
        self.weights = weights
        self.observer = observer
        self.on_state = on_state
        self.on_signal = on_signal
        self.stand_ins = stand_ins or {}
        self.step = 0
        self.first = 0
        self.said: dict[SSAValue, Array] = {}
        self._states: dict[Operation, dict[str, Array]] = {}

    def tensor(self, attribute: Dense) -> Array:
        """The constant behind an attribute."""
        return self.weights.array(attribute)

    def state(self, op: Operation) -> dict[str, Array]:
        """What the operation remembers from step to step."""
        return self._states.setdefault(op, {})

    def report_states(self) -> None:
        """Tells the observer of states what every stateful operation remembers."""
        if self.on_state is not None:
            for op, state in self._states.items():
                self.on_state(op, state)

    def reset(self) -> None:
        """Forgets every state and sets the clock to zero."""
        self._states.clear()
        self.said.clear()
        self.step = 0

    def clock(self, steps: int) -> Iterator[int]:
        """Runs the clock of a network for so many steps, from `first` on; 0 begins anew."""
        if self.first == 0:
            self.reset()
        for step in range(self.first, self.first + steps):
            self.step = step
            yield step

    def row(self, train: Array) -> Array:
        """What a train, (images, steps, *shape), has at the present step."""
        return train[:, self.step - self.first]

    def evaluate(self, op: Operation, operands: Sequence[Array]) -> tuple[Array, ...]:
        """The results of one operation."""
        meaning = self.stand_ins.get(op) or meaning_of(type(op)).function
        results = meaning(op, self, *operands)
        return results if isinstance(results, tuple) else (results,)

    def block(self, block: Block, arguments: Sequence[Array]) -> list[Array]:
        """Runs a block; returns the operands of its terminator. Values nobody will read again are dropped."""
        values: dict[SSAValue, Array] = dict(zip(block.args, arguments, strict=True))
        remaining: dict[SSAValue, int] = {argument: _readings(argument) for argument in block.args}
        for op in block.ops:
            operands = [values[operand] for operand in op.operands]
            if op is block.last_op:
                return operands
            results = self.evaluate(op, operands)
            if self.observer is not None and results:
                self.observer(op, results[0])
            for operand in op.operands:
                remaining[operand] -= 1
                if not remaining[operand]:
                    values.pop(operand, None)
            for result, array in zip(op.results, results, strict=True):
                values[result] = array
                remaining[result] = _readings(result)
        raise ModelError("a block ends without a terminator")


def _readings(value: SSAValue) -> int:
    """How many operands read a value."""
    return sum(1 for _ in value.uses)


def main_function(module: ModuleOp) -> func.FuncOp:
    """The function that the network lives in: `@main`, or the only one.

    Raises:
        ModelError: there is none, or it is not clear which.
    """
    functions = [op for op in module.ops if isinstance(op, func.FuncOp)]
    for function in functions:
        if function.sym_name.data == "main":
            return function
    if len(functions) != 1:
        raise ModelError(f"expected a function @main, found {len(functions)} functions")
    return functions[0]


def interpret(
    module: ModuleOp,
    weights: WeightStore,
    inputs: Sequence[Array],
    observer: Observer | None = None,
    on_state: StateObserver | None = None,
    on_signal: SignalObserver | None = None,
) -> list[Array]:
    """Runs `@main` on inputs with a leading batch axis; returns its outputs with the same batch axis.

    Raises:
        InputError: an input has the wrong shape, or the number of inputs or of images is wrong.
    """
    return execute(Run(weights, observer, on_state, on_signal), module, inputs)


def execute(run: Run, module: ModuleOp, inputs: Sequence[Array]) -> list[Array]:
    """As `interpret`, in a run of the caller's own.

    Raises:
        InputError: an input has the wrong shape, or the number of inputs or of images is wrong.
    """
    function = main_function(module)
    arguments = function.body.block.args
    if len(inputs) != len(arguments):
        raise InputError(f"the network has {len(arguments)} inputs, {len(inputs)} were given")
    for index, (argument, array) in enumerate(zip(arguments, inputs, strict=True)):
        expected = shape_of(argument)
        if not fits(array.shape[1:], expected):
            wanted = written_shape(expected)
            raise InputError(f"input {index}: expected images of shape {wanted}, found {array.shape[1:]}")
    batches = [len(array) for array in inputs]
    if len(set(batches)) > 1:
        raise InputError(f"the inputs hold {' and '.join(map(str, batches))} images")
    with np.errstate(all="ignore"):
        outputs = run.block(function.body.block, list(inputs))
    return [_repeated(output, *batches[:1]) for output in outputs]


def _repeated(output: Array, batch: int | None = None) -> Array:
    """What depends on constants alone was computed once for all images."""
    return output if batch is None or len(output) == batch else np.repeat(output, batch, axis=0)
