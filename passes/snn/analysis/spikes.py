"""How many spikes it took to say a count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurocuda.passes.snn.analysis.multiples import radix_values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def spikes_per_count(code: str, levels: int) -> NDArray[np.int64] | None:
    """The spikes that say each of the counts 0 ... levels; None where that depends on the way there (code "signed")."""
    import numpy as np

    counts = np.arange(levels + 1)
    if code == "signed":
        return None
    if code in ("latency", "graded"):
        return np.minimum(counts, 1)
    if code != "radix":
        return counts
    spikes = np.zeros_like(counts)
    for value in radix_values(levels):
        spikes += counts >= value
        counts = np.where(counts >= value, counts - value, counts)
    return spikes
