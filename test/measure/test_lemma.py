"""The lemma of a neuron is proved where it is true, and refuted with an example where it is not."""

from __future__ import annotations

import pytest

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.measure.lemma import Proof, defined_in, proofs_of


def proofs(*neurons: str, result: str = "!snn.spikes<0, 4>") -> tuple[Proof, ...]:
    """The proofs for a module of neurons with these properties."""
    lines = [
        f"%{index} = snn.integrate_and_fire %x threshold(dense<10> : tensor<1xi32>) {neuron} "
        f": (tensor<1xi32>) -> tensor<1x{result}>"
        for index, neuron in enumerate(neurons)
    ]
    text = "\n".join(["func.func @main(%x: tensor<1xi32>) {", *lines, "func.return", "}"])
    return proofs_in(text)


def proofs_in(text: str) -> tuple[Proof, ...]:
    """The proofs for a module."""
    context = create_context()
    return proofs_of(parse_module(context, text), weights_of(context))


def test_a_window_of_as_many_steps_as_levels_is_enough() -> None:
    (proof,) = proofs("levels 4 fire [3, 7]")
    assert not proof.counterexample
    assert str(proof) == "4 levels in 4 steps, reset subtract (1 layer): holds in all 70 cases"


def test_a_signed_neuron_comes_to_rest_whatever_it_has_sent() -> None:
    (proof,) = proofs("levels 4 fire [0, 12] signed true", result="!snn.graded<0, 4>")
    assert str(proof) == "4 levels, signed (1 layer): holds in all 350 cases"


def test_values_are_greedy_digits() -> None:
    right, wrong = proofs(
        "levels 6 fire [1, 4] values [3, 2, 1]", "levels 6 fire [1, 3] values [4, 2]", result="!snn.graded<0, 6>"
    )
    assert not right.counterexample
    assert wrong.counterexample == "charge 1 at threshold 1 sends 0"


def test_layers_that_behave_alike_are_proved_once() -> None:
    alike, other = proofs("levels 4 fire [3, 7]", "initial(dense<5> : tensor<1xi32>) levels 4 fire [7, 11]", "levels 3")
    assert (alike.layers, other.layers) == (2, 1)


@pytest.mark.parametrize(
    ("neuron", "counterexample"),
    [
        ("levels 4 fire [3, 6]", "charge 4 at threshold 1 sends 3"),  # a window that is too short
        ("levels 4 strict true fire [3, 7]", "charge 1 at threshold 1 sends 0"),
        ('levels 4 reset "zero" fire [3, 7]', "charge 2 at threshold 1 sends 1"),
        ("levels 4 refractory 1 fire [3, 7]", "charge 3 at threshold 1 sends 2"),
    ],
)
def test_what_does_not_send_its_count_is_refuted(neuron: str, counterexample: str) -> None:
    (proof,) = proofs(neuron)
    assert proof.counterexample == counterexample


TABLES = """
func.func @main(%x: tensor<2xi32>) {
  %0 = snn.lookup %x threshold(dense<9> : tensor<1xi32>) clip -1 to 1 table(dense<[5, -3, 7]> : tensor<3xi8>)
    fire [3, 4] : (tensor<2xi32>) -> tensor<2x!snn.graded<-3, 7>>
  %1 = snn.lookup %x threshold(dense<4> : tensor<1xi32>) clip -1 to 1 table(dense<[5, -3, 7]> : tensor<3xi8>)
    fire [1, 2] : (tensor<2xi32>) -> tensor<2x!snn.graded<-3, 7>>
  %2 = snn.lookup %x threshold(dense<9> : tensor<1xi32>) clip -4 to 4 fire [3, 4]
    : (tensor<2xi32>) -> tensor<2x!snn.graded<-4, 4>>
  %3 = snn.softmax %x divisor(dense<1> : tensor<1xi32>) table(dense<1> : tensor<1xi8>) levels 3 fire [1, 2]
    : (tensor<2xi32>) -> tensor<2x!snn.graded<0, 3>>
  func.return
}
"""


def test_a_table_is_tried_at_every_index_and_beyond_its_ends() -> None:
    alike, plain = proofs_in(TABLES)
    assert str(alike) == "a table from -1 to 1, spoken at once (2 layers): holds in all 50 cases"
    assert str(plain) == "their charge from -4 to 4, spoken at once (1 layer): holds in all 110 cases"


def test_what_shares_a_row_is_said_to_be_defined_not_proved() -> None:
    (line,) = defined_in(parse_module(create_context(), TABLES))
    assert line == "`snn.softmax` (1 layer): not proved; what it sends is its integer meaning"
