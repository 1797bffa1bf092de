"""How long a tool in a process of its own may take for an image, as the user's environment says."""

from __future__ import annotations

import os

from neurocuda.errors import OptionError


def patience(variable: str, default: float) -> float:
    """Seconds per image: what an environment variable says, or the default.

    Raises:
        OptionError: the environment says no positive number.
    """
    said = os.environ.get(variable, "").strip()
    try:
        seconds = float(said or default)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise OptionError(f"{variable} is '{said}'; expected a positive number of seconds")
    return seconds
