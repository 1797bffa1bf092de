"""What cores, chips and the whole network use."""

from __future__ import annotations

from neurocuda.ir.chip import Chip, Figure, Limit
from neurocuda.ir.layout import CoreUse, Layout

NEURONS = Limit(Figure(10, "neuron", "data sheet", "datasheet"), "core")
CHIP = Chip("toy", "a toy", {"neurons": NEURONS}, {})


def test_cores_are_summed_by_chip_and_in_all() -> None:
    cores = (CoreUse(0, 1, {"neurons": 5}, ()), CoreUse(0, 2, {"neurons": 4, "axons": 1}, ()))
    layout = Layout(CHIP, (*cores, CoreUse(2, 0, {"axons": 7}, ())))
    assert dict(layout.uses("core")) == {
        "core 1 of chip 0": {"neurons": 5},
        "core 2 of chip 0": {"neurons": 4, "axons": 1},
        "core 0 of chip 2": {"axons": 7},
    }
    assert dict(layout.uses("chip")) == {
        "chip 0": {"neurons": 9, "axons": 1, "cores": 2},
        "chip 2": {"axons": 7, "cores": 1},
    }
    assert dict(layout.uses("network")) == {"the whole network": {"neurons": 9, "axons": 8, "cores": 3, "chips": 2}}
    assert cores[0].share(CHIP) == 0.5


def test_nothing_uses_nothing() -> None:
    assert list(Layout(CHIP, ()).uses("core")) == []
    assert dict(Layout(CHIP, ()).uses("network")) == {"the whole network": {"cores": 0, "chips": 0}}
