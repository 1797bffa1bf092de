"""What a network costs on a CPU: counted from a run where there is one, estimated from the program where not."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import SynapseOp, buffer_shape
from neurocuda.dialects.cpu.layers import Synapse
from neurocuda.ir.attributes import dense_shape, values_of
from neurocuda.ir.backend import Execution, Reading
from neurocuda.ir.chip import Chip
from neurocuda.ir.weights import WeightStore


def cost(module: ModuleOp, weights: WeightStore, chip: Chip, execution: Execution | None = None) -> Sequence[Reading]:
    """Memory, steps and dense synaptic operations of the module; counts and latency of a run.

    A dense synaptic operation is one weight, or element of another source, times one source element, once per image:
    what a network of counts would compute. Latency is the time of the whole batch divided by its images, all threads
    together; a simulator has none.
    """
    del weights, chip
    programs = [op for op in module.walk() if isinstance(op, cpu.ProgramOp)]
    loops = [op for program in programs for op in program.body.block.ops]
    synapses = [op for op in loops if isinstance(op, SynapseOp | cpu.FactorsOp)]
    dense = sum(map(dense_operations, synapses))
    dense += sum(layer_operations(op) for op in loops if isinstance(op, cpu.LayerOp))
    readings = [
        *_clocks(programs),
        Reading("state memory", sum(program.uses()["state_bytes"] for program in programs), "bytes", "estimated"),
        Reading("dense synaptic operations", dense, _per(programs), "estimated"),
    ]
    return [*readings, *_measured(execution)] if execution is not None else readings


def _clocks(programs: Sequence[cpu.ProgramOp]) -> Sequence[Reading]:
    """The steps of programs that have an end."""
    steps = [program.timesteps for program in programs if program.timesteps is not None]
    return [Reading("time steps", sum(steps), "steps", "estimated")] if steps else []


def _per(programs: Sequence[cpu.ProgramOp]) -> str:
    """Programs without an end do at every step what others do once per image."""
    return "per step" if any(program.steps is None for program in programs) else "per image"


def dense_operations(op: SynapseOp | cpu.FactorsOp) -> int:
    """The products of a synapse, or of two signals, if no source element were zero, borders included."""
    if isinstance(op, cpu.FactorsOp):
        inner = buffer_shape(op.left)[-1] if isinstance(op, cpu.MatrixProductOp) else 1
        return prod(buffer_shape(op.membrane)) * inner
    if isinstance(op, cpu.Conv2dOp | cpu.DepthwiseConv2dOp):
        shape = dense_shape(op.weight)
        taps = prod(shape[:2]) if isinstance(op, cpu.DepthwiseConv2dOp) else prod(shape[1:4])
        return prod(buffer_shape(op.membrane)) * taps
    if isinstance(op, cpu.LinearOp):
        return prod(buffer_shape(op.source)) * dense_shape(op.weight)[1]
    return prod(buffer_shape(op.source))


def layer_operations(op: cpu.LayerOp) -> int:
    """As `dense_operations`, of all synapses of a layer, whatever its time steps."""
    return prod(op.neurons) * sum(map(_products_of_a_neuron, op.connections()))


def _products_of_a_neuron(synapse: Synapse) -> int:
    shape, pool = dense_shape(synapse.weight), prod(values_of(synapse.how.pool))
    products = {"conv2d": shape[1:4], "depthwise_conv2d": shape[:2], "linear": shape[:1], "diagonal": ()}
    return prod(products[synapse.how.kind.data]) * pool


def _measured(execution: Execution) -> list[Reading]:
    images = len(execution.outputs[0]) if execution.outputs else 0
    if not images:
        return []
    simulated = execution.provenance.startswith("simulator: ")  # its time says nothing of the processor's
    latency = Reading("latency", 1000 * execution.seconds / images, "ms per image", "measured")
    readings = [] if simulated else [latency]
    neurons = sum(prod(counts.shape[1:]) for counts in execution.counts.values())
    if neurons:
        said = sum(int(counts.sum()) for counts in execution.counts.values()) / images
        readings.append(Reading("counts", said, "per image", "measured"))
        readings.append(Reading("count per neuron", said / neurons, "per image", "measured"))
    return readings
