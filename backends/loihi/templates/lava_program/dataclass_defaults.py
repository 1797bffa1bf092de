"""Lets Lava 0.10.0, made for Python 3.10, load in Python 3.11 and 3.12: import this before anything of Lava's.

They refuse a default of a dataclass that cannot be hashed, and Lava has `encoder: ByteEncoder = ByteEncoder()`,
where ByteEncoder is a dataclass that compares by value. Such classes get the hash of their identity here.
"""

import dataclasses

_get_field = dataclasses._get_field


def _get_hashable_field(cls, name, *rest):
    default = getattr(cls, name, dataclasses.MISSING)
    kind = type(default.default if isinstance(default, dataclasses.Field) else default)
    if kind.__hash__ is None and kind.__module__.startswith("lava."):
        kind.__hash__ = object.__hash__
    return _get_field(cls, name, *rest)


dataclasses._get_field = _get_hashable_field
