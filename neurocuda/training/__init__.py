"""Fine-tuning: a network is trained a little further with its activations in few levels, so that few steps suffice.

`with_staircases` puts a staircase in the place of every rectifier, `fine_tune` trains the network with them, on
quantised activations or through time, and `neurocuda.compile` takes the result like any other module: its clip ranges
and levels are then the neurons' thresholds and counts.
"""

from neurocuda.training.fine_tuning import Batches, FineTuning, Progress, Step, fine_tune
from neurocuda.training.network import StaircaseNetwork, with_staircases
from neurocuda.training.staircase import Staircase, staircase

__all__ = [
    "Batches",
    "FineTuning",
    "Progress",
    "Staircase",
    "StaircaseNetwork",
    "Step",
    "fine_tune",
    "staircase",
    "with_staircases",
]
