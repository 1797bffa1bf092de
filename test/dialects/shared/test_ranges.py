"""Range types differ where their ranges differ: fields of an undecorated base would not be compared."""

import pytest
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.snn.types import GradedType, SpikesType


@pytest.mark.parametrize("kind", [CountType, SpikesType, GradedType])
def test_equality_looks_at_both_ends(kind: type[CountType]) -> None:
    assert kind.of(0, 3) == kind.of(0, 3)
    assert hash(kind.of(0, 3)) == hash(kind.of(0, 3))
    assert kind.of(0, 3) != kind.of(0, 4)
    assert kind.of(-1, 3) != kind.of(0, 3)


def test_kinds_differ() -> None:
    assert CountType.of(0, 3) != SpikesType.of(0, 3)


def test_c1_an_empty_range_is_refused() -> None:
    with pytest.raises(VerifyException, match="is empty"):
        CountType.of(1, 0)
