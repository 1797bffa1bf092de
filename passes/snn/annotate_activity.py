"""Notes how often neurons fire on the calibration images, for estimates of what moves on a chip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.errors import OptionError
from neurocuda.ir.activity import set_activity
from neurocuda.ir.attributes import element_type
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import named_images
from neurocuda.passes.snn._encoding import networks_of_counts
from neurocuda.passes.snn.analysis.activity import NEURONS
from neurocuda.passes.snn.analysis.spikes import spikes_per_count

if TYPE_CHECKING:
    from neurocuda.reference.meaning import Array

CODES = ("unary", "radix", "latency", "graded", "signed", "free")
"""The codes that a network of counts can be said in."""

IMAGES = 32
"""So many calibration images are run, at most."""


@dataclass(frozen=True)
class AnnotateActivityPass(NeuroPass):
    """
    Writes on every layer of neurons how many spikes a neuron sends per image, the mean on calibration images.

    It looks at a network of counts, which takes one step, and counts the spikes that say a count in the `code` that the
    network will have: as many in "unary", one where the count is not zero in "latency" and "graded", in "radix" the
    digits that are not zero. In code "free" a neuron sends about its count. In "signed" the number depends on the way
    there, and nothing is written; nor is without images (`nc.calibration`), of which 32 are enough.

    Before:
        builtin.module attributes {nc.calibration = [dense<[[0.0], [6.0]]> : tensor<2x1xf32>]} {
          func.func @main(%p: tensor<1xf32>) -> tensor<1xi32> {
            %x = host.quantize %p step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>)
                   scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>)
                   : tensor<1xf32> -> tensor<1x!ann.count<-8, 7>>
            %y = snn.network code "count" steps 1 inputs(%x) {
            ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
              %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!ann.count<-8, 7>>
              %1 = snn.linear %0 weight(dense<5> : tensor<1x1xi8>) : tensor<1x!ann.count<-8, 7>> -> tensor<1xi32>
              %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4
                     : (tensor<1xi32>) -> tensor<1x!ann.count<0, 4>>
              %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!ann.count<0, 4>> -> tensor<1xi32>
              %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
              snn.output %4 : tensor<1xi32>
            } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
            func.return %y : tensor<1xi32>
          }
        }

    Options: code="unary"

    After:
        ...
          %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4
                 {nc.activity = 1.500000e+00 : f64} : (tensor<1xi32>) -> tensor<1x!ann.count<0, 4>>
        ...
    """

    name = "annotate-activity"
    promise = Equal()

    code: str = "unary"

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.reference.interpreter import interpret

        if self.code not in CODES:
            raise OptionError(f"{self.name}: code '{self.code}' is none of {', '.join(CODES)}")
        list(networks_of_counts(module, self.name))  # there are some, and they have no code yet
        images = named_images(module, weights)
        if not images or self.code == "signed":
            return

        def note(op: Operation, counts: Array) -> None:
            if isinstance(op, NEURONS):
                set_activity(op, self._spikes(op, counts))

        interpret(module, weights, _some(images), note)

    def _spikes(self, op: NEURONS, counts: Array) -> float:
        """The mean number of spikes that say a count."""
        import numpy as np

        element = element_type(op.result)
        assert isinstance(element, RangeType)
        table = spikes_per_count(self.code, max(map(abs, element.bounds)))
        assert table is not None
        return float(table[np.abs(counts)].mean())


def _some(images: Sequence[Array]) -> list[Array]:
    """At most so many, from all over, as they may be sorted by class."""
    step = -(-len(images[0]) // IMAGES)
    return [array[::step] for array in images]
