"""From an exported graph to a module of the `ann` dialect, node by node."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Final, cast

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import ConstantArgument, InputKind, InputSpec, OutputKind, OutputSpec, TensorArgument
from torch.fx import Node
from xdsl.dialects import func
from xdsl.dialects.builtin import IntegerType, ModuleOp, Signedness, StringAttr, TensorType, f32
from xdsl.ir import Block, Operation, Region, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.errors import InputError, ModelError, NotImportableError, Problem, told_once
from neurocuda.frontend.arguments import bound, for_importer, for_torch, leaves, mapped
from neurocuda.frontend.batch_axis import BatchAxis, Call, Traced
from neurocuda.frontend.graph import Overload, nodes_of, overload_of, packet_name, target_name
from neurocuda.frontend.naming import Origins, input_location, location_of, names, value_name
from neurocuda.frontend.operands import BatchSize, Builder, Constant, Imported, Refusal
from neurocuda.frontend.sizes import Sizes
from neurocuda.frontend.table import importers, reason_for
from neurocuda.ir.attributes import Dense, dense_shape, shape_of
from neurocuda.ir.level import set_level
from neurocuda.ir.origin import argument_origins, describe, set_origin
from neurocuda.ir.rewriting import erase_unused
from neurocuda.ir.weights import WeightStore

IMPORTED: Final = "ann-imported"
"""The level that the importer produces."""

_GUARDS: Final = ("aten._assert_", "aten.sym_constrain_")
"""How ATen operations begin that check and compute nothing."""

_REPEATING: Final = frozenset({"aten.expand", "aten.full", "aten.zeros", "aten.ones", "aten.repeat"})
"""ATen operations on constants that may have the batch in their result: every image gets the same."""


class _Missing:
    """The value of a node that could not be imported."""


_MISSING: Final = _Missing()


class Translation:
    """Writes one exported program as a module; collects every problem instead of stopping at the first.

    `pixels` are the mean and the standard deviation per channel where the input is uint8 images.
    """

    def __init__(self, program: ExportedProgram, weights: WeightStore, pixels: tuple[Dense, Dense] | None) -> None:
        self._program = program
        self._weights = weights
        self._pixels = pixels
        self._sizes = Sizes(program)
        self._nodes = nodes_of(program)
        self._names = names(self._nodes)
        self._origins = Origins()
        self._block = Block()
        self._values: dict[Node, object] = {}
        self._results: list[SSAValue] = []
        self._problems: list[Problem] = []

    def run(self, name: str) -> ModuleOp:
        """The module.

        Raises:
            UnsupportedModelError: lists everything that cannot be imported.
        """
        placeholders = [node for node in self._nodes if node.op == "placeholder"]
        specs = dict(zip(placeholders, self._program.graph_signature.input_specs, strict=True))
        for node in self._nodes:
            self._values[node] = self._attempt(node, specs.get(node))
        if self._problems:
            told = told_once(self._problems)
            count = "1 thing" if len(told) == 1 else f"{len(told)} things"
            raise NotImportableError(f"the model cannot be imported because of {count}:", told, rest=self._module(name))
        return self._module(name)

    def _module(self, name: str) -> ModuleOp:
        if not self._results and not self._problems:
            raise ModelError("the model returns no tensor")
        self._block.add_op(func.ReturnOp(*self._results))
        inputs = [argument.type for argument in self._block.args]
        outputs = [result.type for result in self._results]
        function = func.FuncOp("main", (inputs, outputs), Region(self._block), arg_attrs=argument_origins(self._block))
        module = ModuleOp([function], attributes={"nc.name": StringAttr(name)})
        set_level(module, IMPORTED)
        erase_unused(module)
        return module

    def _attempt(self, node: Node, spec: InputSpec | None) -> object:
        try:
            if spec is not None:
                return self._placeholder(node, spec)
            if node.op == "output":
                return self._return(node)
            return self._computed(node)
        except Refusal as reason:
            self._problems.append(Problem(_what(node), describe(location_of(node)), reason.why, reason.remedy))
            return self._stand_in(node)

    def _stand_in(self, node: Node) -> object:
        """An activation of the shape of what cannot be imported, so that what follows is looked at all the same.

        What led to it leaves the network as an activation too, so that it is not looked at as the end of the model.
        """
        if node.op != "call_function":
            return _MISSING
        for source in node.all_input_nodes:
            value = self._values[source]
            if isinstance(value, Traced):
                self._results.append(self._activation(value.value))
        meta = node.meta.get("val")
        if isinstance(meta, list | tuple):
            return [self._fresh(node, fake) for fake in cast(Sequence[object], meta)]
        return self._fresh(node, meta)

    def _fresh(self, node: Node, fake: object) -> object:
        try:
            shape = self._sizes.shape(fake) if isinstance(fake, torch.Tensor) else ()
        except Refusal:  # a size depends on the data
            return _MISSING
        if not shape or shape[0] != self._sizes.batch:
            return _MISSING
        argument = self._block.insert_arg(TensorType(f32, shape[1:]), len(self._block.args))
        entry = ann.InputOp(argument)
        set_origin(entry, self._origins.unique(node.name))
        self._block.add_op(entry)
        return Traced(self._activation(entry.result), shape, BatchAxis(0))

    def _activation(self, value: SSAValue) -> SSAValue:
        op = ann.ReluOp(value)
        self._block.add_op(op)
        return op.result

    # Inputs and outputs.

    def _placeholder(self, node: Node, spec: InputSpec) -> object:
        if spec.kind in (InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR):
            name = cast(str, spec.target)
            tensors = {**self._program.constants, **self._program.state_dict}
            return Constant(cast(torch.Tensor, tensors[name]).detach(), name)
        if isinstance(spec.arg, ConstantArgument):
            return spec.arg.value
        if spec.kind != InputKind.USER_INPUT or not isinstance(spec.arg, TensorArgument):
            raise Refusal("it is neither a tensor nor a number")
        return self._input(node)

    def _input(self, node: Node) -> Traced:
        fake = cast(torch.Tensor, node.meta["val"])
        if fake.dtype != torch.float32:
            raise Refusal(f"it holds {_name(fake.dtype)}", "compile the part of the model that computes in float32")
        shape = self._sizes.shape(fake)
        if not shape or shape[0] != self._sizes.batch:
            raise Refusal("its first axis is not the batch", "give every input a batch axis")
        if self._pixels is not None and dense_shape(self._pixels[0]) != shape[1:2]:
            channels = dense_shape(self._pixels[0])[0]
            raise InputError(f"input '{node.name}' has shape {shape[1:]}, but is normalised with {channels} channels")
        pixel = IntegerType(8, Signedness.UNSIGNED)
        kind = TensorType(f32 if self._pixels is None else pixel, shape[1:])
        argument = self._block.insert_arg(kind, len(self._block.args))
        argument.name_hint = value_name(node.name)
        op = ann.InputOp(argument, *(self._pixels or ()))
        op.location = input_location(node.name)
        set_origin(op, self._origins.unique(node.name))
        self._block.add_op(op)
        return Traced(op.result, shape, BatchAxis(0))

    def _return(self, node: Node) -> None:
        returned = cast(Sequence[object], node.args[0])
        specs = self._program.graph_signature.output_specs
        for index, (spec, value) in enumerate(zip(specs, returned, strict=True)):
            self._output(index, spec, self._resolved(value))

    def _output(self, index: int, spec: OutputSpec, value: object) -> None:
        if spec.kind == OutputKind.USER_INPUT_MUTATION:
            return  # an in-place operation on the input: what it computes is used where it is used
        if spec.kind != OutputKind.USER_OUTPUT:
            raise Refusal(
                f"the model changes '{spec.target or spec.arg.name}' while it runs", "keep no state in forward"
            )
        if isinstance(value, Constant):
            raise Refusal(f"output {index} does not depend on the input")
        if isinstance(value, Traced):
            if value.batch != BatchAxis(0):
                raise Refusal(
                    f"output {index} has no batch as its first axis",
                    "return one result per image, flattened with x.flatten(1)",
                )
            self._results.append(value.value)

    # Computations.

    def _computed(self, node: Node) -> object:
        meta = node.meta.get("val")
        if isinstance(meta, bool | int | float | torch.SymInt | torch.SymFloat | torch.SymBool):
            return self._sizes.evaluate(meta)
        if packet_name(node).startswith(_GUARDS):
            return None
        if node.target is operator.getitem:
            return self._item(node)
        if any(self._values[source] is _MISSING for source in node.all_input_nodes):
            return self._unreachable(node)
        if node.op == "get_attr":
            return self._attribute(node)
        target = overload_of(node)
        if target is None:
            raise Refusal(*_reason(node))
        args = [self._resolved(argument) for argument in node.args]
        kwargs = {name: self._resolved(argument) for name, argument in node.kwargs.items()}
        if not any(isinstance(leaf, Traced) for leaf in leaves([args, kwargs])):
            return self._folded(node, target, args, kwargs)
        return self._imported(node, *bound(target, args, kwargs))

    def _resolved(self, argument: object) -> object:
        """An argument of a node with values in the place of nodes."""
        return mapped(argument, lambda leaf: self._values[leaf] if isinstance(leaf, Node) else leaf)

    def _unreachable(self, node: Node) -> object:
        """What a node depends on is missing already; it is a problem of its own only where nothing imports it."""
        if node.op == "call_function" and target_name(node) not in importers():
            raise Refusal(*_reason(node))
        return _MISSING

    def _item(self, node: Node) -> object:
        values = self._values[cast(Node, node.args[0])]
        if values is _MISSING:
            return _MISSING
        value = cast(Sequence[object], values)[cast(int, node.args[1])]
        if value is None and any(True for _ in node.users):
            raise Refusal(
                f"result {node.args[1]} of the operation before is not available", "use the first result only"
            )
        return value

    def _attribute(self, node: Node) -> Constant:
        value = getattr(self._program.graph_module, cast(str, node.target))
        if not isinstance(value, torch.Tensor):
            raise Refusal("it is not a tensor")
        return Constant(value, cast(str, node.target))

    def _folded(self, node: Node, target: Overload, args: list[object], kwargs: dict[str, object]) -> object:
        """Runs an operation on constants in torch."""
        if torch.Tag.nondeterministic_seeded in target.tags:
            raise Refusal("it is random", "compute the same for the same input")
        names = [leaf.name for leaf in leaves([args, kwargs]) if isinstance(leaf, Constant)]
        name = names[0] if len(names) == 1 else node.name
        per_image = any(isinstance(leaf, BatchSize) for leaf in leaves([args, kwargs]))
        if per_image and packet_name(node) not in _REPEATING:
            raise Refusal("it computes with the number of images", "every image must be computed on its own")
        with torch.no_grad():
            given = {name: mapped(argument, for_torch) for name, argument in kwargs.items()}
            result: object = target(*(mapped(argument, for_torch) for argument in args), **given)
        if per_image:
            return self._repeated(node, Constant(cast(torch.Tensor, result), name))
        if isinstance(result, torch.Tensor):
            return Constant(result, name)
        return [Constant(part, f"{name}[{index}]") for index, part in enumerate(cast(Sequence[torch.Tensor], result))]

    def _repeated(self, node: Node, constant: Constant) -> Traced:
        """A constant computed for one image that every image gets."""
        shape = self._sizes.shape(node.meta["val"])
        axis = next(axis for axis, size in enumerate(shape) if self._sizes.depends_on_batch((size,)))
        batch = BatchAxis(axis, 1, shape[axis] // self._sizes.batch)
        tensor = constant.tensor.squeeze(axis) if batch.alone else constant.tensor
        builder = Builder(self._weights)
        op = ann.ConstantOp(builder.dense(Constant(tensor.contiguous(), constant.name)))
        self._insert(node, [op], [op.result])
        return Traced(op.result, shape, batch)

    def _imported(self, node: Node, arguments: Mapping[str, object], defaults: Mapping[str, object]) -> object:
        importer = importers().get(target_name(node))
        if importer is None:
            raise Refusal(*_reason(node))
        meta = node.meta["val"]
        fakes = cast(Sequence[torch.Tensor], meta if isinstance(meta, list | tuple) else [meta])
        if fakes[0].dtype != torch.float32:
            raise Refusal(f"it computes in {_name(fakes[0].dtype)}", "compute in float32 throughout")
        call = Call(arguments, self._sizes.shape(fakes[0]), self._sizes.batch)
        changed, batch = importer.rule(call)
        if any(isinstance(leaf, BatchSize) for leaf in leaves(changed)):
            raise Refusal("it computes with the number of images", "every image must be computed on its own")
        builder = Builder(self._weights)
        given = {name: mapped(argument, for_importer) for name, argument in changed.items()}
        try:
            values = _values(builder, importer.run(builder, given, defaults))
        except ValueError as reason:  # the shapes do not fit the operation of the dialect
            raise Refusal(str(reason)) from None
        self._insert(node, builder.ops, [value for value in values if value is not None])
        traced = [self._traced(value, fake, batch) for value, fake in zip(values, fakes, strict=True)]
        return traced if isinstance(meta, list | tuple) else traced[0]

    def _traced(self, value: SSAValue | None, fake: torch.Tensor, batch: BatchAxis) -> Traced | None:
        """The value, once more compared with what torch says its shape is."""
        if value is None:
            return None
        shape = self._sizes.shape(fake)
        if batch.without(shape) != shape_of(value):
            raise Refusal(f"torch says its result has shape {batch.without(shape)}, the IR {shape_of(value)}")
        return Traced(value, shape, batch)

    def _insert(self, node: Node, ops: Sequence[Operation], results: Sequence[SSAValue]) -> None:
        """Puts the operations of one node into the block, with location and origin."""
        if not ops:
            return
        origin = self._origins.unique(self._names.get(node, node.name))
        for position, op in enumerate(ops):
            op.location = location_of(node)
            if op.results[0] not in results:
                set_origin(op, f"{origin}/{position}.{op.name.partition('.')[2]}")
            else:
                set_origin(op, origin if len(results) == 1 else f"{origin}[{results.index(op.results[0])}]")
                op.results[0].name_hint = value_name(origin)
            self._block.add_op(op)


def _values(builder: Builder, imported: Imported) -> Sequence[SSAValue | None]:
    if isinstance(imported, Operation):
        return [builder.add(imported)]
    return [imported] if isinstance(imported, SSAValue) else imported


def _what(node: Node) -> str:
    """The node in the user's words."""
    if node.op == "placeholder":
        return f"input '{node.name}'"
    return "the result" if node.op == "output" else f"`{packet_name(node)}`"


def _reason(node: Node) -> tuple[str, str]:
    """Why nothing imports the node, and what to do."""
    unknown = ("it has no importer", "replace it, or add an importer in neurocuda/frontend/aten")
    return reason_for(node) or unknown


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
