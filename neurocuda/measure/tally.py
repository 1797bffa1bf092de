"""Sums, over images, how far the values of one layer moved and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurocuda.images import Array
from neurocuda.measure.analysis import CAUSES, Change, Errors, Firing
from neurocuda.passes.ann._statistics import by_channel

Floats: TypeAlias = NDArray[np.float64]


@dataclass
class Tally:
    """Sums over images of what `Errors` and `Firing` say as means."""

    values: int = 0
    square: float = 0.0
    bias: float = 0.0
    error: float = 0.0
    quantized_bias: float = 0.0
    quantized_error: float = 0.0
    changes: dict[str, Change] = field(default_factory=lambda: dict.fromkeys(CAUSES, Change()))
    clipped: int = 0
    spikes: float = 0.0
    silent: int = 0
    off: int = 0
    fired: NDArray[np.bool_] | None = None
    alive: NDArray[np.bool_] | None = None

    def add(self, stages: Sequence[Floats], quantized: Floats) -> None:
        """Adds some images: the values after every cause, and those of the quantised network."""
        exact, error = stages[0], stages[-1] - stages[0]
        self.values += exact.size
        self.square += float(np.square(exact).sum())
        self.bias += float(error.sum())
        self.error += float(np.square(error).sum())
        self.quantized_bias += float((quantized - exact).sum())
        self.quantized_error += float(np.square(quantized - exact).sum())
        self.clipped += int((stages[2] != stages[3]).sum())
        for name, (before, after) in zip(CAUSES, pairwise(stages), strict=True):
            change, old = after - before, self.changes[name]
            self.changes[name] = replace(
                old,
                bias=old.bias + float(change.sum()),
                square=old.square + float(np.square(change).sum()),
                share=old.share + float((change * error).sum()),
            )

    def add_counts(self, sent: Array, own: Array, exact: Floats, spikes: float) -> None:
        """Adds the counts that a layer sent in so many spikes, those of what it received, its float activations."""
        self.spikes += spikes
        self.silent += int((sent == 0).sum())
        self.off += int((sent != own).sum())
        fired, alive = (np.asarray(by_channel(values).any(axis=1)) for values in (sent, exact))
        self.fired = fired if self.fired is None else np.logical_or(self.fired, fired)
        self.alive = alive if self.alive is None else np.logical_or(self.alive, alive)

    def charge(self, cause: str, lost: int, moved: float) -> None:
        """Books images, and squared distance of the output, on a cause."""
        old = self.changes[cause]
        self.changes[cause] = replace(old, lost=old.lost + lost, moved=old.moved + moved)

    def errors(self, outputs: int) -> Errors:
        """The sums as means; `outputs` is how many values of the first output were compared."""
        values = self.values
        causes = {
            name: Change(
                change.bias / values,
                change.square / values,
                change.share / self.error if self.error else 0.0,
                change.lost,
                change.moved / outputs,
            )
            for name, change in self.changes.items()
        }
        return Errors(
            square=self.square / values,
            bias=self.bias / values,
            error=self.error / values,
            quantized_bias=self.quantized_bias / values,
            quantized_error=self.quantized_error / values,
            clipped=self.clipped / values,
            causes=causes,
        )

    def firing(self) -> Firing | None:
        """What was sent; None where no counts were added."""
        if self.fired is None or self.alive is None:
            return None
        return Firing(
            spikes=self.spikes / self.values,
            silent=self.silent / self.values,
            off=self.off / self.values,
            channels=len(self.fired),
            dead=int((~self.fired).sum()),
            dead_in_float=int((~self.alive).sum()),
        )
