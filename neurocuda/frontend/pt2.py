"""Reads `.pt2` files."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.export import ExportedProgram


def load_program(path: Path) -> ExportedProgram:
    return torch.export.load(path)
