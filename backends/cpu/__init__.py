"""The CPU target: one C11 file, built by the system's compiler and run in this process."""

from neurocuda.ir.backend import Backend, Hooks
from neurocuda.ir.constraints import Constraints

BACKEND = Backend(
    name="cpu",
    summary="a C11 program, built by the system's compiler, run in this process",
    package="neurocuda.backends.cpu",
    default_chip="host",
    constraints=Constraints(codes=("unary", "radix", "latency", "graded", "signed", "free")),
    pipeline=("convert-snn-to-cpu", "allocate-buffers"),
    level="cpu",
    hooks=Hooks(
        emit="neurocuda.backends.cpu.emit:emit_files",
        load="neurocuda.backends.cpu.run:load",
        availability="neurocuda.backends.cpu.build:availability",
        cost="neurocuda.backends.cpu.cost:cost",
    ),
)
