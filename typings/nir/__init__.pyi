"""Package nir comes without types; only tests use it."""

from typing import Any

def __getattr__(name: str) -> Any: ...
