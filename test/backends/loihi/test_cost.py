"""What lies on which core, and what an inference costs, against sums by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from neurocuda.backends.loihi import BACKEND
from neurocuda.backends.loihi.cost import cost, layout
from neurocuda.errors import TargetError
from neurocuda.ir.backend import Execution, Reading
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.weights import WeightStore

TEXT = """
func.func @main(%x: tensor<2x4xi32>) -> tensor<9x2xi1> {
  %y = loihi.network steps 9 inputs(%x) {
  ^bb0(%i: tensor<2x4xi32>):
    %0 = loihi.source %i : tensor<2x4xi32> -> tensor<4xi32>
    %1 = loihi.dense %0 weight(dense<2> : tensor<6x4xi8>) sign_mode "mixed" message_bits 8
           : tensor<4xi32> -> tensor<6xi24>
    %p = loihi.pulses steps [1, 2, 5] payloads [3, 3, 3] : tensor<1xi32>
    %2 = loihi.dense %p weight(dense<2> : tensor<6x1xi8>) sign_mode "mixed" message_bits 8
           : tensor<1xi32> -> tensor<6xi24>
    %3, %4 = loihi.integrate_and_fire %1, %2 threshold(dense<3> : tensor<1xi32>)
               tiles [2] chips [0, 0] cores [0, 17] {nc.origin = "hidden"}
               : (tensor<6xi24>, tensor<6xi24>) -> tensor<6xi1>, tensor<6xi24>
    %5 = loihi.dense %3 weight(dense<2> : tensor<2x6xi8>) sign_mode "mixed" weight_bits 4 delay 3
           : tensor<6xi1> -> tensor<2xi24>
    %6, %7 = loihi.lif %5 du 4095 dv 0 vth 3 until 9 tiles [1] chips [1] cores [0] {nc.origin = "last"}
               : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
    loihi.output %6 : tensor<2xi1>
  } : (tensor<2x4xi32>) -> (tensor<9x2xi1>)
  func.return %y : tensor<9x2xi1>
}
"""

OPERATIONS = 4 * 6 * 2 + 1 * 6 * 3
"""Of the source, two rows, and of the clock, three pulses."""


@pytest.fixture
def module() -> tuple[ModuleOp, WeightStore]:
    """Two groups on three cores of two chips."""
    context = create_context()
    return parse_module(context, TEXT), weights_of(context)


def readings(found: tuple[ModuleOp, WeightStore], execution: Execution | None = None) -> dict[str, Reading]:
    return {reading.name: reading for reading in cost(*found, BACKEND.chip(), execution)}


def test_cores_say_what_lies_there(module: tuple[ModuleOp, WeightStore]) -> None:
    first, second, third = layout(*module, BACKEND.chip()).cores
    assert (first.chip, first.core, second.core, third.chip, third.core) == (0, 0, 17, 1, 0)
    assert first.parts == second.parts == ("hidden: 3 of 6 neurons",)
    assert third.parts == ("last: 2 of 2 neurons",)
    # three neurons of two words, one threshold, 3 x 5 weights
    assert first.uses == {"neurons": 3, "memory_bytes": 3 * 8 + 4 + 15, "in_axons": 5, "out_axons": 3, "synapses": 15}
    # two neurons of two words and four steps of delay, twelve weights of four bits
    assert third.uses == {"neurons": 2, "memory_bytes": 2 * 24 + 6, "in_axons": 6, "out_axons": 0, "synapses": 12}


def test_one_spike_per_neuron_where_nobody_has_counted(module: tuple[ModuleOp, WeightStore]) -> None:
    found = readings(module)
    guess = ", with one spike per neuron for want of images"
    assert found[f"spikes{guess}"].value == 8
    assert found[f"synaptic operations{guess}"].value == OPERATIONS + 12
    assert found["messages between cores"].value == 6
    assert found["hops between cores"].value == 3 * (16 + 16) + 3 * (15 + 16 + 1)
    assert found["time steps"] == Reading("time steps", 9, "steps", "estimated")
    assert {name: found[name].value for name in ("chips", "cores", "neurons", "weights kept")} == {
        "chips": 2,
        "cores": 3,
        "neurons": 8,
        "weights kept": 42,
    }
    assert found["axons into cores"].value == 16
    assert found["axons out of cores"].value == 6


def test_energy_is_assumed_and_the_sum_of_its_parts(module: tuple[ModuleOp, WeightStore]) -> None:
    found = {name.partition(",")[0]: reading for name, reading in readings(module).items()}
    parts = ("energy of synapses", "energy of neurons", "energy of messages")
    assert found["energy of synapses"].value == pytest.approx((OPERATIONS + 12) * 23.6e-6)
    assert found["energy of neurons"].value == pytest.approx((8 * 81 + (72 - 8) * 52) * 1e-6)
    hops = (3 * 32 + 3 * 31) * 3.0 + 3 * 1 * 4.0
    assert found["energy of messages"].value == pytest.approx((6 * 1.7 + hops) * 1e-6)
    assert found["energy"].value == pytest.approx(sum(found[name].value for name in parts))
    assert {found[name].kind for name in (*parts, "energy", "cores", "hops between cores")} == {"assumed"}


def test_counted_spikes_are_used(module: tuple[ModuleOp, WeightStore]) -> None:
    counts = {"hidden": np.array([[1, 0, 2, 3, 0, 0], [0, 0, 0, 0, 0, 0]]), "last": np.array([[0, 7], [0, 0]])}
    found = readings(module, Execution((np.zeros((2, 2)),), counts, 9, 1.0, "reference"))
    assert found["spikes"].value == pytest.approx(6 / 2 + 1 / 2)  # whatever the time says, a spike is one message
    assert found["synaptic operations"].value == pytest.approx(OPERATIONS + 2 * 6 / 2)
    assert found["messages between cores"].value == pytest.approx(3)


def test_known_activity_is_used() -> None:
    context = create_context()
    known = TEXT.replace('"hidden"', '"hidden", nc.activity = 0.5 : f64')
    module = parse_module(context, known)
    found = {reading.name: reading for reading in BACKEND.cost(module, weights_of(context), chip="loihi3")}
    assert found["spikes"].value == 6 * 0.5 + 2
    assert found["cores"].kind == "assumed"


def test_groups_without_a_place_have_no_layout_and_no_cost() -> None:
    context = create_context()
    module = parse_module(context, TEXT.replace("tiles [1] chips [1] cores [0]", ""))
    for hook in (layout, cost):
        with pytest.raises(TargetError, match="layout: last and 0 other groups lie on no core; run partition-groups"):
            hook(module, weights_of(context), BACKEND.chip())


@pytest.mark.parametrize("table", ["energies", "constants", "limits"])
def test_a_chip_file_that_leaves_something_out_is_refused(table: str, module: tuple[ModuleOp, WeightStore]) -> None:
    chip = replace(BACKEND.chip(), **{table: {}})
    with pytest.raises(TargetError, match=rf"the file of chip loihi2 has no \[{table}\."):
        cost(*module, chip, None)
