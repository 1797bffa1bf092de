"""What a fine-tuning run needs to go on after it was killed, in one file that is written whole or not at all."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from neurocuda.errors import TrainingError
from neurocuda.ir.files import replacing

FORMAT: Final = 1

_UNREADABLE: Final = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What torch raises for a file that is damaged, or holds more than tensors and numbers."""


def fingerprint(model: nn.Module) -> str:
    """SHA-256 of all parameters and buffers, by which a run is known again."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(cast(Tensor, tensor).detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def save_checkpoint(path: Path, run: str, epoch: int, model: nn.Module, optimizer: Optimizer) -> None:
    """Writes the state after `epoch` epochs of the run that `run` describes.

    Raises:
        WriteError: the file cannot be written; an older one is still there.
    """
    stream = io.BytesIO()
    state = {"format": FORMAT, "run": run, "epoch": epoch}
    torch.save({**state, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, stream)
    with replacing(path) as file:
        file.write(stream.getvalue())


def load_checkpoint(path: Path, run: str, model: nn.Module, optimizer: Optimizer) -> int:
    """Puts a saved state into model and optimizer and returns how many epochs it has behind it; 0 without a file.

    Raises:
        TrainingError: the file is damaged, or of another run.
    """
    if not path.exists():
        return 0
    try:
        content = path.read_bytes()
    except OSError as reason:
        raise TrainingError(f"'{path}' cannot be read: {reason.strerror}") from None
    try:
        state = cast("Mapping[str, object]", torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))
        found, epoch = (state["format"], state["run"]), state["epoch"]
        if found == (FORMAT, run) and isinstance(epoch, int):
            model.load_state_dict(cast("dict[str, Tensor]", state["model"]))
            optimizer.load_state_dict(cast("dict[str, object]", state["optimizer"]))
            return epoch
    except _UNREADABLE:
        raise TrainingError(f"'{path}' is no checkpoint, or is damaged; remove it to start again") from None
    raise TrainingError(
        f"'{path}' is a checkpoint of another run: model, calibration images or options were others; "
        "remove it to start again, or name another file"
    )
