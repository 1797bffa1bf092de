"""The source network in onnxruntime, in float32 and as int8."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

Floats = NDArray[np.float32]


def exported(model: nn.Module, images: Floats) -> bytes:
    """An ONNX file of the model for batches of this size, batch norms folded."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, torch.as_tensor(images), file, dynamo=False, input_names=["x"], output_names=["y"])
    return file.getvalue()


def quantized(file: bytes, calibration: Floats, batch: int) -> bytes:
    """The same in int8, as onnxruntime recommends for CNNs: QDQ, activations u8, weights s8 per channel."""
    with TemporaryDirectory() as folder:
        prepared, target = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        quant_pre_process(onnx.load_from_string(file), prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            _Reader(calibration, batch),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()


class _Reader(CalibrationDataReader):
    def __init__(self, images: Floats, batch: int) -> None:
        self.batches: Iterator[Floats] = iter(np.array_split(images, len(images) // batch))

    def get_next(self) -> dict[str, Floats] | None:
        batch = next(self.batches, None)
        return None if batch is None else {"x": batch}


def session(file: bytes, threads: int) -> Callable[[Floats], Floats]:
    """The network ready to run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 3
    made = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda images: made.run(None, {"x": images})[0]
