"""Turns spiking networks into NIR graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Region, SSAValue

from neurocuda.dialects.nir import ops as nir
from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import OptionError, Problem, UnsupportedModelError, warn
from neurocuda.ir.origin import inherit, user_location
from neurocuda.ir.promise import Approximates, Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from neurocuda.passes.nir.lowering.builder import Builder

FORMS = ("exact", "compatible")

RESETS = (
    "NIR's IF nodes reset to a value, and this network's neurons subtract their threshold: a reader that goes by the "
    'file computes something else than the network. Target "nir:exact" says the subtraction; docs/nir.md lists which '
    "readers subtract by themselves"
)


@dataclass(frozen=True)
class ConvertSnnToNirPass(NeuroPass):
    """
    Rewrites a `snn.network` as a `nir.graph`, in one of two forms.

    `exact`: every spike stays. A neuron that resets by subtraction becomes an integrator, a threshold, and a factor
    that takes the threshold away at the next step. NIR compares strictly, so a threshold that may be reached is the
    float below. Firing windows and initial values become pulses that depend on the time alone, which the integrator
    adds up: a clock counts steps, and thresholds compare it. Biases go into the synapses, groups and other index maps
    into weights.

    `compatible`: IF nodes, and nothing but what most frameworks read. IF nodes reset to 0; where the network's neurons
    subtract, a warning says so, and the graph means what the file says.

    What NIR cannot say is refused, and so are integers beyond what float32 holds.

    Before:
        func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
          %y = snn.network code "free" steps 4 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i code "current" : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<40> : tensor<1xi32>) bias(dense<2> : tensor<1xi32>) levels 4
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            %3 = snn.linear %2 weight(dense<28> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %4 : tensor<1xi32>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }

    After:
        ...
            %1 = nir.input "input"(%0) "always" : tensor<1x!ann.count<-8, 7>> -> tensor<1xf32>
            %2 = nir.affine "linear"(%1) weight(dense<3.000000e+00> : tensor<1x1xf32>)
                   bias(dense<2.000000e+00> : tensor<1xf32>) : (tensor<1xf32>) -> tensor<1xf32>
            %3 = nir.i "integrate_and_fire_membrane"(%2, %4) r(dense<1.000000e+00> : tensor<1xf32>)
                   : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
            %5 = nir.threshold "integrate_and_fire"(%3) threshold(dense<39.9999962> : tensor<1xf32>)
                   : (tensor<1xf32>) -> tensor<1x!snn.spikes<0, 4>>
            %4 = nir.scale "integrate_and_fire_reset"(%5) scale(dense<-4.000000e+01> : tensor<1xf32>)
                   : (tensor<1x!snn.spikes<0, 4>>) -> tensor<1xf32>
            %6 = nir.affine "linear_1"(%5) weight(dense<2.800000e+01> : tensor<1x1xf32>)
                   bias(dense<0.000000e+00> : tensor<1xf32>) : (tensor<1x!snn.spikes<0, 4>>) -> tensor<1xf32>
            %7 = nir.i "accumulate"(%6) r(dense<1.000000e+00> : tensor<1xf32>) : (tensor<1xf32>) -> tensor<1xf32>
            nir.output %7 "last" : tensor<1xf32>
        ...
    """

    name = "convert-snn-to-nir"
    promise = Equal(rtol=1e-5)

    form: str = "exact"

    def __post_init__(self) -> None:
        if self.form == "compatible":  # resets change, and with them everything
            object.__setattr__(self, "promise", Approximates())

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        if self.form not in FORMS:
            raise OptionError(f'convert-snn-to-nir: form "{self.form}" is neither of {", ".join(FORMS)}')
        networks = [op for op in module.walk() if isinstance(op, snn.NetworkOp)]
        problems = list(_one_network(networks))
        if not problems:
            problems = [problem for network in networks for problem in self._convert(network, weights)]
        if problems:
            raise UnsupportedModelError("the network cannot be said in NIR:", problems)

    def _convert(self, network: snn.NetworkOp, weights: WeightStore) -> list[Problem]:
        """Replaces the network; returns what stands in the way instead, leaving the module as it was."""
        from neurocuda.passes.nir.lowering.builder import Builder
        from neurocuda.passes.nir.lowering.network import NetworkLowering

        build = Builder(weights, self.form == "exact")
        for index, argument in enumerate(network.body.block.args):
            build.block.insert_arg(argument.type, index)
        last = network.body.block.last_op
        assert isinstance(last, snn.OutputOp)
        outputs = [build.joined(last, signal) for signal in NetworkLowering(network, weights, build).run()]
        if build.problems:
            return build.problems
        if not build.exact and _subtracts(network):
            warn(RESETS)
        self._replace(network, build, outputs)
        return []

    def _replace(self, network: snn.NetworkOp, build: Builder, outputs: list[SSAValue]) -> None:
        from neurocuda.passes.nir.lowering.builder import SECONDS_PER_STEP

        last = network.body.block.last_op
        assert isinstance(last, snn.OutputOp)
        sums = not build.exact and all(isinstance(value.owner, snn.AccumulateOp) for value in last.values)
        read = "train" if network.steps is None else "sum" if sums else "last"
        end = nir.OutputOp(outputs, read)
        build.block.add_op(end)
        graph = nir.GraphOp(
            list(network.inputs),
            Region(build.block),
            list(network.result_types),
            dt=SECONDS_PER_STEP,
            steps=None if network.steps is None else network.duration,
        )
        block = network.parent
        assert block is not None
        block.insert_op_before(graph, network)
        graph.location = network.location
        inherit(network, graph)
        for old, new in zip(network.outputs, graph.outputs, strict=True):
            new.name_hint = old.name_hint
            old.replace_all_uses_with(new)
        block.erase_op(network)


def _one_network(networks: list[snn.NetworkOp]) -> list[Problem]:
    """A file holds one graph, of a network that is said in time."""
    if len(networks) != 1:
        why = f"there are {len(networks)} networks with a part on the host between them, and a file holds one graph"
        return [Problem("the model", "", why, 'Use a model that spikes throughout (host="refuse").')]
    code = networks[0].code.data
    if code in ("unary", "free", "train"):
        return []
    why = "NIR has spikes of one kind, one per step" if code != "count" else "counts are not said in time yet"
    return [Problem(f'code "{code}"', user_location(networks[0]), why, 'Use code="unary" or code="free".')]


def _subtracts(network: snn.NetworkOp) -> bool:
    layers = [op for op in network.body.block.ops if isinstance(op, snn.IntegrateAndFireOp)]
    return any(op.reset.data == "subtract" for op in layers)
