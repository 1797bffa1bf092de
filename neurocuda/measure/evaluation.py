"""Accuracy and activity on labelled images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurocuda.errors import InputError
from neurocuda.images import Array, plain_array
from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.layers import TRAIN, Layer, Operations
from neurocuda.measure.words import counted
from neurocuda.passes.snn.analysis.spikes import spikes_per_count


@dataclass(frozen=True)
class Evaluation:
    """Accuracy and activity on labelled images.

    `spikes_per_neuron` is the mean per image over all neurons: of the spikes that said their counts, whatever each
    stands for; where that depends on the way there (code "signed"), of those that the interpreter saw on
    `spikes_counted_on` images. `sparsity` is the share of neurons whose count is zero. Both are None where the run
    counted nothing. `seconds_per_image` is measured, over the whole run. `operations` are counted on the first of the
    images.
    """

    accuracy: Accuracy
    spikes_per_neuron: float | None
    sparsity: float | None
    seconds_per_image: float
    steps: int
    provenance: str
    operations: Operations | None = None
    spikes_counted_on: int | None = None

    def __str__(self) -> str:
        latency = f"{1e3 * self.seconds_per_image:.3g} ms per image (measured)"
        return f"{self.without_time()}, {latency}, {self.provenance}"

    def without_time(self) -> str:
        """What is the same on every machine."""
        activity = ""
        if self.spikes_per_neuron is not None and self.sparsity is not None:
            silent = f"{100 * self.sparsity:.1f} % of neurons silent"
            on = "" if self.spikes_counted_on is None else f" (counted on {counted(self.spikes_counted_on, 'image')})"
            activity = f", {self.spikes_per_neuron:.2f} spikes per neuron{on}, {silent}"
        return f"{self.accuracy}{activity}, {counted(self.steps, 'step')}"


class Activity:
    """Sums up over batches the spikes that said the counts of layers in a code."""

    def __init__(self, code: str, layers: Sequence[Layer]) -> None:
        self.tables = {} if code == TRAIN else {layer.name: spikes_per_count(code, layer.levels) for layer in layers}
        self.spikes = 0
        self.silent = 0
        self.neurons = 0

    def add(self, counts: Mapping[str, Array]) -> None:
        """Adds the counts of a batch."""
        for name, values in counts.items():
            table = self.tables.get(name)
            if not self.tables:  # trains: what is counted are spikes
                self.spikes += int(np.abs(values.astype(np.int64)).sum())
            elif table is not None:
                self.spikes += int(np.bincount(np.abs(values).reshape(-1), minlength=len(table)) @ table)
            self.silent += int((values == 0).sum())
            self.neurons += values.size

    @property
    def spikes_per_neuron(self) -> float | None:
        """The mean per image; None where nothing was counted."""
        return self.spikes / self.neurons if self.neurons else None

    @property
    def sparsity(self) -> float | None:
        """The share of neurons that sent nothing; None where nothing was counted."""
        return self.silent / self.neurons if self.neurons else None


def correct_answers(outputs: Array, truth: NDArray[np.int64]) -> int:
    """How many images have their largest output at their label.

    Raises:
        InputError: a label is no class of the network.
    """
    scores = outputs.reshape(len(outputs), -1)
    strange = truth[(truth < 0) | (truth >= scores.shape[1])]
    if len(strange):
        raise InputError(f"labels: {strange[0]} is no class: the network has outputs 0 ... {scores.shape[1] - 1}")
    return int((scores.argmax(axis=1) == truth).sum())


def labels_of(labels: object, images: int) -> NDArray[np.int64]:
    """Class numbers, one per image, of a tensor, an array or a list.

    Raises:
        InputError: they are no whole numbers, or not as many as images.
    """
    array = plain_array(labels)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise InputError(f"labels: expected one class number per image, found {array.dtype} of shape {array.shape}")
    if len(array) != images:
        raise InputError(f"labels: {images} images but {len(array)} labels")
    return array.astype(np.int64)
