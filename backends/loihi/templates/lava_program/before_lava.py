"""What comes before anything of Lava's: import this first.

Lava 0.10.0 was made for Python 3.10. Python 3.11 and 3.12 refuse a default of a dataclass that cannot be hashed, and
Lava has `encoder: ByteEncoder = ByteEncoder()`, where ByteEncoder is a dataclass that compares by value. Such classes
get the hash of their identity here.
"""

import dataclasses
import sys
from importlib.util import find_spec
from pathlib import Path

_get_field = dataclasses._get_field


def _get_hashable_field(cls, name, *rest):
    default = getattr(cls, name, dataclasses.MISSING)
    kind = type(default.default if isinstance(default, dataclasses.Field) else default)
    if kind.__hash__ is None and kind.__module__.startswith("lava."):
        kind.__hash__ = object.__hash__
    return _get_field(cls, name, *rest)


def require(package, command):
    """Ends the process with a line that says how to get a package, where that is missing."""
    if find_spec(package) is None:
        sys.exit(f"{Path(sys.argv[0]).name}: error: {package} is missing: {command}")


require("lava", "pip install lava-nc==0.10.0, which asks for Python 3.10, or see requirements-lava.txt of NeuroCUDA")
dataclasses._get_field = _get_hashable_field
