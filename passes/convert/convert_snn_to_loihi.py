"""Turns spiking networks into networks of Loihi: groups of neurons, synapses, and pulses that say when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.ir import Operation, Region, SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import GRADED
from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import Problem, UnsupportedModelError
from neurocuda.ir.attributes import element_type, integer, integers, shape_of
from neurocuda.ir.origin import inherit, user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.convert.convert_ann_to_snn import SAME

if TYPE_CHECKING:
    from neurocuda.passes.loihi.lowering.builder import Builder
    from neurocuda.passes.loihi.lowering.coding import Coding, Readout

ON_THE_HOST: Mapping[type[Operation], type[Operation]] = {spiking: plain for plain, spiking in SAME.items()}
"""What the host does with sums that are read."""


@dataclass(frozen=True)
class ConvertSnnToLoihiPass(NeuroPass):
    """
    Rewrites a `snn.network` as a `loihi.network`, integer for integer; every synapse takes one step more.

    `unary`, `free`: neurons with a soft reset and a firing window, a program for Loihi's microcode. `latency`: stock
    LIF neurons whose current lasts; pulses lift and raise their membranes when their time has come, and latches take
    the currents away. `graded`: sigma-delta neurons, whose thresholds are powers of two. With T = 1 `unary` and
    `latency` are stock LIF neurons without a memory.

    Weights of mixed sign are even on the chip, so that all numbers of their layer are doubled. Axes are reversed, as in
    Lava, and kernels flipped. Sums of windows go into the synapse that reads them, maxima of spikes become neurons that
    any spike fires, residual joins several synapses of one group. What is no convolution and no matrix is a list of
    pairs. In codes where it matters, spikes that come too early are delayed. What leaves the chip's registers is
    refused.

    With `sparse` convolutions are lists of pairs, too: in Lava's simulator they are faster.

    Before:
        func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
          %y = snn.network code "unary" steps 5 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) initial(dense<7> : tensor<1xi32>)
                   levels 4 fire [1, 5] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %4 : tensor<1xi32>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }

    After:
        func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
          %0 = loihi.stimulus %x factors [1] : tensor<1x!ann.count<-8, 7>> -> tensor<1x1xi32>
          %1 = loihi.network steps 7 inputs(%0) {
          ^bb0(%2: tensor<1x1xi32>):
            %3 = loihi.source %2 : tensor<1x1xi32> -> tensor<1xi32>
            %4 = loihi.dense %3 weight(dense<3> : tensor<1x1xi8>) sign_mode "excitatory" message_bits 8
                   : tensor<1xi32> -> tensor<1xi24>
            %5, %6 = loihi.integrate_and_fire %4 threshold(dense<10> : tensor<1xi32>) initial(dense<7> : tensor<1xi32>)
                       fire [2, 6] : (tensor<1xi24>) -> tensor<1xi1>, tensor<1xi24>
            %7 = loihi.dense %5 weight(dense<7> : tensor<1x1xi8>) sign_mode "excitatory" : tensor<1xi1> -> tensor<1xi24>
            %8, %9 = loihi.integrate_and_fire %7 threshold(dense<8388607> : tensor<1xi32>)
                       initial(dense<0> : tensor<1xi32>) fire [7, 8] : (tensor<1xi24>) -> tensor<1xi1>, tensor<1xi24>
            loihi.output %9 : tensor<1xi24>
          } : (tensor<1x1xi32>) -> (tensor<7x1xi24>)
          %y = loihi.readout %1 "last" : tensor<7x1xi24> -> tensor<1xi32>
          func.return %y : tensor<1xi32>
        }
    """

    name = "convert-snn-to-loihi"
    promise = Equal()

    sparse: bool = False

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        networks = [op for op in module.walk() if isinstance(op, snn.NetworkOp)]
        problems = list(_one_network(networks))
        if not problems:
            problems = [problem for network in networks for problem in self._convert(network, weights)]
        if problems:
            raise UnsupportedModelError("the network does not fit Loihi:", problems)

    def _convert(self, network: snn.NetworkOp, weights: WeightStore) -> list[Problem]:
        """Replaces the network; returns what stands in the way instead, leaving the module as it was."""
        from neurocuda.passes.loihi.lowering.builder import Builder
        from neurocuda.passes.loihi.lowering.network import NetworkLowering
        from neurocuda.passes.snn.analysis.activity import activities
        from neurocuda.passes.snn.analysis.bounds import BoundsAnalysis

        bounds = BoundsAnalysis(network, weights, activities(network))
        problems: list[Problem] = []
        for coding in _codings(network):
            build = Builder(weights)
            lowering = NetworkLowering(network, coding(build, bounds, network.duration, sparse=self.sparse), build)
            readouts = lowering.run()
            problems = build.problems or _one_moment(readouts)
            if not problems:
                _replace(network, build, lowering.factors, readouts)
                break
        return problems


def _codings(network: snn.NetworkOp) -> list[type[Coding]]:
    """How the network may be said, the first choice first."""
    from neurocuda.passes.loihi.lowering.hard_reset import HardReset
    from neurocuda.passes.loihi.lowering.one_shot import Memoryless, SigmaDelta
    from neurocuda.passes.loihi.lowering.soft_reset import Free, SoftReset

    codings: Mapping[str, type[Coding]] = {
        "unary": SoftReset,
        "free": Free,
        "latency": HardReset,
        "graded": SigmaDelta,
    }
    stock = [Memoryless] if _says_bits(network) else []
    return [*stock, codings[network.code.data]]


def _one_network(networks: list[snn.NetworkOp]) -> list[Problem]:
    """A program is one network, in a code that it has."""
    if len(networks) != 1:
        why = f"there are {len(networks)} networks with a part on the host between them, and a program is one network"
        return [Problem("the model", "", why, 'Use a model that spikes throughout (host="refuse").')]
    code = networks[0].code.data
    if code in ("unary", "free", "latency", "graded"):
        return []
    why = "counts are not said in time yet" if code == "count" else "Loihi's neurons have no such code"
    remedy = 'Use code="unary", "latency", "graded" or "free".'
    return [Problem(f'code "{code}"', user_location(networks[0]), why, remedy)]


def _says_bits(network: snn.NetworkOp) -> bool:
    """Whether every layer says 0 or 1 at one step: T = 1, in an exact code of plain spikes."""
    layers = [op for op in network.body.block.ops if isinstance(op, snn.IntegrateAndFireOp)]
    return network.code.data in ("unary", "latency") and all(
        op.levels is not None and op.levels.value.data == 1 for op in layers
    )


def _one_moment(readouts: Mapping[SSAValue, Readout]) -> list[Problem]:
    """What passes by can only be read at the last step."""
    moments = {readout.step for readout in readouts.values()}
    if len(moments) < 2 or not any(readout.passing for readout in readouts.values()):
        return []
    why = f"with T = 1 its outputs pass by at steps {', '.join(map(str, sorted(moments)))}, and are read at one"
    return [Problem("the model", "", why, "Use timesteps=2 or more.")]


def _before(network: snn.NetworkOp, op: Operation) -> SSAValue:
    assert network.parent is not None
    network.parent.insert_op_before(op, network)
    op.location = network.location
    return op.results[0]


def _replace(
    network: snn.NetworkOp,
    build: Builder,
    factors: Mapping[SSAValue, tuple[int, ...]],
    readouts: Mapping[SSAValue, Readout],
) -> None:
    stimuli = [
        _stimulus(network, argument, factors[inner])
        for argument, inner in zip(network.inputs, network.body.block.args, strict=True)
    ]
    probes = {value: readout.membrane for value, readout in readouts.items()}
    build.block.add_op(loihi.OutputOp(list(probes.values())))
    steps = 1 + max([readout.step for readout in readouts.values()] + [_last_pulse(build)])
    results = [TensorType(element_type(probe), (steps, *shape_of(probe))) for probe in probes.values()]
    new = loihi.NetworkOp(stimuli, Region(build.block), results, steps=steps)
    _before(network, new)
    inherit(network, new)
    read: dict[SSAValue, SSAValue] = {}
    for value, train in zip(probes, new.outputs, strict=True):
        readout = loihi.ReadoutOp.build(
            operands=[train],
            properties={"read": StringAttr("last"), "divisor": integer(readouts[value].divisor)},
            result_types=[value.type],
        )
        read[value] = _before(network, readout)
    last = network.body.block.last_op
    assert isinstance(last, snn.OutputOp)
    for old, value in zip(network.outputs, last.values, strict=True):
        outcome = _on_the_host(network, value, read)
        outcome.name_hint = old.name_hint
        old.replace_all_uses_with(outcome)
    assert network.parent is not None
    network.parent.erase_op(network)


def _stimulus(network: snn.NetworkOp, argument: SSAValue, factors: tuple[int, ...]) -> SSAValue:
    """What the host makes of a value that enters."""
    rows = TensorType(GRADED, (len(factors), *shape_of(argument)[::-1]))
    properties = {"factors": integers(factors)}
    return _before(network, loihi.StimulusOp.build(operands=[argument], properties=properties, result_types=[rows]))


def _last_pulse(build: Builder) -> int:
    pulses = [step for op in build.block.ops if isinstance(op, loihi.PulsesOp) for step in op.pulses]
    return max(pulses, default=0)


def _on_the_host(network: snn.NetworkOp, value: SSAValue, read: dict[SSAValue, SSAValue]) -> SSAValue:
    """A sum that is read, moved on the host as the network moves it."""
    if value not in read:
        op = value.owner
        assert isinstance(op, Operation)
        operands = [_on_the_host(network, operand, read) for operand in op.operands]
        kind = ON_THE_HOST[type(op)]
        read[value] = _before(
            network, kind.create(operands=operands, properties=op.properties, result_types=[value.type])
        )
    return read[value]
