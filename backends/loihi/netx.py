"""Writes networks as .net files, which Lava's netx reads: HDF5, a chain of layers from the input to the output.

    /layer/0            type "input", shape (channels, height, width)
    /layer/<i>          type "conv", "flatten" or "dense"; shape, weight, bias, stride, padding, dilation, groups, delay
    /layer/<i>/neuron   type "CUBA" (iDecay, vDecay, vThMant) or "SDNN" (vThMant)

Weights are as in PyTorch: (out, in / groups, height, width), not flipped, and (out, in), where `flatten` gives an image
as (channels, height, width).
Source: lava-dl 0.6.0, lava/lib/dl/netx/hdf5.py and utils.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.ir import SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.ir.attributes import Dense, shape_of, values_of
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from h5py import Group
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

BIAS_EXPONENT = 6
STATE_EXPONENT = 6
GRADED_BITS = 16
LONGEST_DELAY = 62
"""What netx takes for granted."""


class Inexpressible(Exception):
    """netx cannot say a network; why, in one sentence."""


@dataclass(frozen=True)
class Layer:
    """A synapse and the group that hears it alone; `order` says which neuron of the layer before each input is."""

    synapse: loihi.ConvOp | loihi.DenseOp
    group: loihi.LifOp | loihi.SigmaDeltaOp
    order: Array


@dataclass(frozen=True)
class Net:
    """A network that netx can say: its source, its layers in order, and what else netx has to be told.

    `options` are arguments of `netx.hdf5.Network`.
    """

    source: loihi.SourceOp
    layers: Sequence[Layer]
    options: Mapping[str, int]


def why_no_net(op: loihi.NetworkOp, weights: WeightStore) -> str | None:
    """Why a network cannot be a .net file, in one sentence; None where it can."""
    try:
        net_of(op, weights)
    except Inexpressible as reason:
        return str(reason)
    return None


def net_of(op: loihi.NetworkOp, weights: WeightStore) -> Net:
    """A network as netx says it.

    Raises:
        Inexpressible: it cannot.
    """
    source, pairs = _chain_of(op)
    layers = [Layer(synapse, group, _order(synapse.input)) for synapse, group in pairs]
    for place, layer in enumerate(layers):
        _require_synapse(layer, weights, first=not place)
        _require_group(layer.group, weights)
    last = layers[-1].group
    if not {*_outputs_of(op)} <= {last.spikes, last.membrane}:
        raise Inexpressible("It puts out something else than the spikes or membranes of its last layer.")
    return Net(source, layers, {**_message_bits(layers[0]), **_resets(layers), **_spike_exponent(layers)})


# What is a chain of layers


def _chain_of(
    op: loihi.NetworkOp,
) -> tuple[loihi.SourceOp, list[tuple[loihi.ConvOp | loihi.DenseOp, loihi.LifOp | loihi.SigmaDeltaOp]]]:
    ops = [each for each in op.body.block.ops if not isinstance(each, loihi.OutputOp)]
    sources = [each for each in ops if isinstance(each, loihi.SourceOp)]
    if len(sources) != 1 or any(isinstance(each, loihi.PulsesOp) for each in ops):
        raise Inexpressible("A .net file has one input, and no other source of spikes.")
    pairs: list[tuple[loihi.ConvOp | loihi.DenseOp, loihi.LifOp | loihi.SigmaDeltaOp]] = []
    spikes = sources[0].result
    for group in (each for each in ops if isinstance(each, loihi.GroupOp)):
        if not isinstance(group, loihi.LifOp | loihi.SigmaDeltaOp):
            raise Inexpressible(
                f"netx has no `{group.name}` neurons, only ones with a hard reset and sigma-delta ones."
            )
        synapse = group.currents[0].owner if len(group.currents) == 1 else None
        if not isinstance(synapse, loihi.ConvOp | loihi.DenseOp):
            raise Inexpressible("netx has no layers of several synapses, sparse ones, or reshaped currents.")
        if _origin(synapse.input) is not spikes:
            raise Inexpressible("Its layers are no chain, each of which hears the one before.")
        pairs.append((synapse, group))
        spikes = group.spikes
    if not pairs or len(pairs) != sum(isinstance(each, loihi.WeightsOp) for each in ops):
        raise Inexpressible("Its layers are no chain, each of which hears the one before.")
    return sources[0], pairs


def _origin(value: SSAValue) -> SSAValue:
    """The spikes behind reshapes and transposes."""
    while isinstance(value.owner, loihi.ReshapeOp | loihi.TransposeOp):
        value = value.owner.input
    return value


def _order(value: SSAValue) -> Array:
    """The number of the neuron, in row-major order, whose spikes each element of a value are."""
    import numpy as np

    op = value.owner
    if isinstance(op, loihi.ReshapeOp):
        return _order(op.input).reshape(shape_of(value))
    if isinstance(op, loihi.TransposeOp):
        return _order(op.input).transpose(values_of(op.permutation))
    return np.arange(prod(shape_of(value))).reshape(shape_of(value))


def _outputs_of(op: loihi.NetworkOp) -> Iterator[SSAValue]:
    last = op.body.block.last_op
    assert isinstance(last, loihi.OutputOp)
    return (_origin(value) for value in last.values)


# What netx has


def _require_synapse(layer: Layer, weights: WeightStore, *, first: bool) -> None:
    """
    Raises:
        Inexpressible: netx has no such synapse, or would round its weights.
    """
    op, before = layer.synapse, shape_of(_origin(layer.synapse.input))
    bits = op.message_bits
    if not first and bits is not None and bits.value.data != GRADED_BITS:
        raise Inexpressible(f"Between layers of netx, graded spikes have {GRADED_BITS} bits.")
    if isinstance(op, loihi.ConvOp):
        if not first and _origin(op.input) is not op.input:
            raise Inexpressible("netx cannot reshape what a convolution hears.")
        return
    if not first and len(before) not in (1, 3):
        raise Inexpressible("netx flattens images only.")
    if op.weight_exp.value.data:
        raise Inexpressible("netx has no weight exponents.")
    if op.delay.value.data > LONGEST_DELAY:
        raise Inexpressible(f"The delays of netx end at {LONGEST_DELAY} steps.")
    if weights.array(op.weight).max(initial=0) <= 0:
        raise Inexpressible("netx rounds weights of which none is positive.")


def _require_group(op: loihi.LifOp | loihi.SigmaDeltaOp, weights: WeightStore) -> None:
    """
    Raises:
        Inexpressible: netx has no such neurons.
    """
    if isinstance(op, loihi.SigmaDeltaOp):
        if op.state_exp.value.data != STATE_EXPONENT or op.activation.data != "relu":
            raise Inexpressible(
                f"Sigma-delta neurons of netx are rectifiers with a state exponent of {STATE_EXPONENT}."
            )
        return
    if op.initial is not None and weights.array(op.initial).any():
        raise Inexpressible("The membranes of netx begin at zero.")
    biased = op.bias_mant is not None and weights.array(op.bias_mant).any()
    if biased and op.bias_exp.value.data != BIAS_EXPONENT:
        raise Inexpressible(f"The biases of netx have an exponent of {BIAS_EXPONENT}.")


def _message_bits(first: Layer) -> dict[str, int]:
    bits = first.synapse.message_bits
    return {} if bits is None else {"input_message_bits": bits.value.data}


def _resets(layers: Sequence[Layer]) -> dict[str, int]:
    """When membranes are reset: every layer one step behind the one before.

    Raises:
        Inexpressible: they are reset otherwise.
    """
    groups = [layer.group for layer in layers if isinstance(layer.group, loihi.LifOp)]
    intervals = {None if op.reset_interval is None else op.reset_interval.value.data for op in groups}
    if intervals <= {None}:
        return {}
    (interval, *others) = intervals
    if others or interval is None:
        raise Inexpressible("netx resets all layers or none, and all in the same interval.")
    offsets = {
        (layer.group.reset_offset.value.data - place) % interval
        for place, layer in enumerate(layers)
        if isinstance(layer.group, loihi.LifOp)
    }
    if len(offsets) > 1:
        raise Inexpressible("netx resets every layer one step behind the one before.")
    return {"reset_interval": interval, "reset_offset": (offsets.pop() - 1) % interval}


def _spike_exponent(layers: Sequence[Layer]) -> dict[str, int]:
    exponents = {layer.group.spike_exp.value.data for layer in layers if isinstance(layer.group, loihi.SigmaDeltaOp)}
    if len(exponents) > 1:
        raise Inexpressible("netx has one spike exponent for all layers.")
    return {"spike_exp": exponents.pop()} if exponents else {}


# The file


def net_file(net: Net, weights: WeightStore) -> bytes:
    """The .net file of a network."""
    import h5py

    stream = BytesIO()
    with h5py.File(stream, "w", track_order=True) as file:
        records = file.create_group("layer", track_order=True)
        for place, (kind, fields, neuron) in enumerate(_records(net, weights)):
            record = records.create_group(str(place), track_order=True)
            record.create_dataset("type", data=[kind.encode()], dtype="S10")
            _write(record, fields)
            if neuron:
                _write(record.create_group("neuron", track_order=True), neuron)
    return stream.getvalue()


def _write(group: Group, fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        group.create_dataset(name, data=value)


def _records(net: Net, weights: WeightStore) -> Iterator[tuple[str, dict[str, object], dict[str, object]]]:
    """(type, fields, fields of the neurons) of every layer."""
    first = net.layers[0].synapse
    yield "input", {"shape": _backwards(shape_of(first.input))}, {}
    for place, layer in enumerate(net.layers):
        shape = shape_of(layer.group.spikes)
        fields: dict[str, object] = {"shape": _backwards(shape), **_bias(layer.group, weights)}
        if isinstance(layer.synapse, loihi.ConvOp):
            yield "conv", fields | _convolution(layer.synapse, weights), _neuron(layer.group)
            continue
        before = shape_of(net.layers[place - 1].group.spikes) if place else shape_of(first.input)
        if len(before) == 3:
            yield "flatten", {"shape": [prod(before), 1, 1]}, {}
        columns = weights.array(layer.synapse.weight)[:, _columns(layer, before)] if place else None
        fields["weight"] = weights.array(layer.synapse.weight) if columns is None else columns
        delay = layer.synapse.delay.value.data
        yield "dense", fields | ({"delay": delay} if delay else {}), _neuron(layer.group)


def _backwards(values: Sequence[int]) -> list[int]:
    return list(reversed(values))


def _columns(layer: Layer, before: Sequence[int]) -> Array:
    """For every input that netx gives a dense layer, the column of the weights that is meant for it."""
    import numpy as np

    given = np.arange(prod(before)).reshape(before).transpose().ravel()
    return np.argsort(layer.order.ravel())[given]


def _convolution(op: loihi.ConvOp, weights: WeightStore) -> dict[str, object]:
    """Kernels as in PyTorch, and (height, width) in the place of (width, height)."""
    windows = {"stride": op.stride, "padding": op.padding, "dilation": op.dilation}
    sizes = {name: _backwards(values_of(said)) for name, said in windows.items()}
    weight = weights.array(op.weight).transpose(0, 3, 2, 1)[:, :, ::-1, ::-1]
    return {"weight": weight, **sizes, "groups": op.groups.value.data}


def _bias(op: loihi.LifOp | loihi.SigmaDeltaOp, weights: WeightStore) -> dict[str, object]:
    """One number for every channel or, where that is not enough, for every neuron."""
    import numpy as np

    said: Dense | None = op.bias_mant if isinstance(op, loihi.LifOp) else op.bias
    if said is None or not weights.array(said).any():
        return {}
    shape, array = shape_of(op.spikes), weights.array(said)
    by_channel = array.size in (1, array.shape[-1])
    return {"bias": np.broadcast_to(array.ravel() if by_channel else array, shape[-1:] if by_channel else shape)}


def _neuron(op: loihi.LifOp | loihi.SigmaDeltaOp) -> dict[str, object]:
    if isinstance(op, loihi.SigmaDeltaOp):
        return {"type": b"SDNN", "vThMant": op.vth.value.data}
    decays = {"iDecay": op.du.value.data + 1, "vDecay": op.dv.value.data}
    return {"type": b"CUBA", **decays, "vThMant": op.vth.value.data, "refDelay": 1, "gradedSpike": False}
