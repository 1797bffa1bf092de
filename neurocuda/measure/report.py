"""What a compiled network is and what is known of it: as text, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.host.ops import hosted_operations
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import dense_shape
from neurocuda.ir.constraints import constraints_of
from neurocuda.ir.weights import WeightStore
from neurocuda.measure.layers import readout_layers_of
from neurocuda.measure.placement import chip_figures, chip_of, layout_figures, told_constants, told_layout
from neurocuda.measure.raster import schedule_of
from neurocuda.measure.words import amount, counted, starred

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled
    from neurocuda.ir.backend import Reading
    from neurocuda.measure.evaluation import Evaluation

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"
"""What JSON can say."""


def report(compiled: Compiled) -> str:
    """What was compiled, layer by layer; figures say whether they are measured or estimated."""
    if compiled.trains:
        from neurocuda.measure.trains import train_report

        return train_report(compiled)
    return told(_header(compiled), _layers(compiled), *told_target(compiled), known(compiled))


def told(*sections: Iterable[str]) -> str:
    """Sections with an empty line between them; empty ones are left out."""
    return "\n\n".join("\n".join(lines) for section in sections if (lines := list(section)))


def told_target(compiled: Compiled) -> tuple[Iterable[str], ...]:
    """Where the network lies on its target, what it costs, and on what these figures rest."""
    return told_layout(compiled), told_cost(compiled), told_constants(compiled)


def _header(compiled: Compiled) -> Iterator[str]:
    conversion = compiled.conversion
    count, size = parameters_of(compiled.levels["ann-quantized"], compiled.weights)
    yield from told_names(compiled)
    yield f'code "{compiled.code}", T = {conversion.timesteps}, calibration method "{conversion.calibration}"'
    shapes = ", ".join("x".join(map(str, shape)) for shape in compiled.inputs.shapes)
    yield f"takes {'uint8' if compiled.inputs.pixels else 'float32'} images of {shapes}"
    bits = weight_bits_of(compiled)
    yield (
        f"{counted(compiled.neurons, 'neuron')} in {counted(len(compiled.layers), 'layer')}, "
        f"{counted(count, 'weight')} of {bits} bits in {counted(size, 'byte')}"
    )
    yield f"levels {' -> '.join(compiled.levels)}"
    hosted = hosted_operations(compiled.levels["ann-quantized"])
    if hosted:
        yield f"on the host, in floats, and in no figure below: {', '.join(hosted)}"
    steps, interval = timing_of(compiled)
    if interval is not None:
        yield (
            f"an image takes {steps} steps; in hardware the next may start {interval} steps after it, "
            f"{1 / interval:.3g} images per step"
        )
    if compiled.execution == "counts":
        yield f"{compiled.target} computes the counts themselves, each layer at once, and walks through no steps"


def told_names(compiled: Compiled) -> Iterator[str]:
    """What was compiled for what; a chip's summary says where it is a hypothetical one."""
    yield f"{compiled.name} for {compiled.target}"
    yield f"chip {compiled.chip}: {chip_of(compiled).summary}"


def _layers(compiled: Compiled) -> Iterator[str]:
    """One line per layer, and per synapse of an output, whose sums never fire."""
    outputs = readout_layers_of(compiled.levels["ann-quantized"])
    width = max((len(layer.name) for layer in (*compiled.layers, *outputs)), default=5)
    yield f"{'layer':{width}} {'neurons':>9} {'T':>5} {'synapses':>9} {'MACs':>12}  from"
    for layer in compiled.layers:
        yield (
            f"{layer.name:{width}} {layer.neurons:9,} {layer.levels:5} {layer.synapses:9} {layer.operations:12,}  "
            f"{layer.where}"
        )
    for layer in outputs:
        yield f"{layer.name:{width}} {'output':>9} {'':5} {layer.synapses:9} {layer.operations:12,}  {layer.where}"


def told_cost(compiled: Compiled) -> Iterator[str]:
    """One line per figure of the target's cost model."""
    for reading in readings_of(compiled):
        yield f"{reading.name}: {amount(reading.value)} {reading.unit} ({starred(reading.kind)})"


def readings_of(compiled: Compiled) -> Sequence[Reading]:
    """The figures of the target's cost model."""
    return compiled.backend.cost(compiled.levels[compiled.backend.level], compiled.weights, chip=compiled.chip)


def known(compiled: Compiled) -> Iterator[str]:
    """What has been measured and compared so far."""
    for what, evaluation in compiled.evaluations.items():
        yield f"accuracy, {what}: {evaluation}"
        operations = evaluation.operations
        if operations is not None:
            yield (
                f"synaptic operations per image (measured on {operations.images}): {operations.accumulations:,.0f} "
                f"accumulations of {operations.spikes:,.0f} spikes and {operations.input_products:,.0f} products with "
                f"the input, against {operations.dense:,.0f} MACs of the float network; "
                f"the last spike came {operations.settled} steps after the start"
            )
    if compiled.in_neurobench is not None:
        yield str(compiled.in_neurobench)
    if compiled.validation is not None:
        yield str(compiled.validation)
    for name, value in compiled.facts.items():
        yield f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}"


def timing_of(compiled: Compiled) -> tuple[int, int | None]:
    """(steps from an image to its answer, steps after which hardware may start the next one, if that is known)."""
    networks = [op for op in compiled.levels["snn-integer"].walk() if isinstance(op, snn.NetworkOp)]
    intervals = [network.interval.value.data for network in networks if network.interval is not None]
    return sum(network.duration for network in networks), max(intervals, default=None)


def parameters_of(module: ModuleOp, weights: WeightStore) -> tuple[int, int]:
    """(number, bytes) of the weights of all synapses; a weight that several synapses share counts once."""
    shared = {op.weight: op for op in module.walk() if isinstance(op, SynapseOp)}
    count = sum(prod(dense_shape(weight)) for weight in shared)
    return count, sum(weights.array(weight).nbytes for weight in shared)


def weight_bits_of(compiled: Compiled) -> int:
    """The width of a weight: what was asked for, or what the target takes."""
    return compiled.conversion.weight_bits or constraints_of(compiled.levels["ann-quantized"]).weight_bits


def figures(compiled: Compiled) -> dict[str, Plain]:
    """Everything that the text says, as plain values."""
    if compiled.trains:
        from neurocuda.measure.trains import train_figures

        return train_figures(compiled)
    count, size = parameters_of(compiled.levels["ann-quantized"], compiled.weights)
    validation = compiled.validation
    steps, windows = schedule_of(compiled.levels["snn-integer"])
    return {
        "name": compiled.name,
        "target": compiled.target,
        "chip": chip_figures(compiled),
        "code": compiled.code,
        "execution": compiled.execution,
        "conversion": asdict(compiled.conversion),
        "preprocessing": None if compiled.preprocessing is None else asdict(compiled.preprocessing),
        "inputs": {
            name: list(shape) for name, shape in zip(compiled.inputs.names, compiled.inputs.shapes, strict=True)
        },
        "levels": list(compiled.levels),
        "neurons": compiled.neurons,
        "weights": {"number": count, "bytes": size, "bits": weight_bits_of(compiled)},
        "steps": timing_of(compiled)[0],
        "interval": timing_of(compiled)[1],
        "layers": [asdict(layer) | {"neurons": layer.neurons} for layer in compiled.layers],
        "outputs": [asdict(layer) for layer in readout_layers_of(compiled.levels["ann-quantized"])],
        "schedule": {"steps": steps, "windows": [asdict(window) for window in windows]},
        "layout": layout_figures(compiled),
        "cost": [asdict(reading) for reading in readings_of(compiled)],
        "accuracy": {what: evaluation_figures(found) for what, found in compiled.evaluations.items()},
        "neurobench": None if compiled.in_neurobench is None else compiled.in_neurobench.figures(),
        "mismatches": None if validation is None else validation.mismatches,
        "counts compared": None if validation is None else validation.counts,
        "facts": dict(compiled.facts),
    }


def evaluation_figures(found: Evaluation) -> dict[str, Plain]:
    """Accuracy and activity as plain values."""
    low, high = found.accuracy.interval
    return {
        "accuracy": found.accuracy.value,
        "correct": found.accuracy.correct,
        "images": found.accuracy.images,
        "interval": [low, high],
        "spikes per neuron": found.spikes_per_neuron,
        "sparsity": found.sparsity,
        "seconds per image, measured": found.seconds_per_image,
        "steps": found.steps,
        "provenance": found.provenance,
        "operations": None if found.operations is None else asdict(found.operations),
    }
