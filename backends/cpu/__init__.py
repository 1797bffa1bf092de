"""The CPU target: machine code made by LLVM and run in this process, or C11 for other compilers."""

from neurocuda.ir.backend import Backend, Hooks
from neurocuda.ir.constraints import Constraints

CODES = ("graded", "latency", "radix", "unary", "signed", "free")
"""The exact codes in the order in which they are tried. As events the trained ResNet-20, T = 15, one image on one
thread of an AMD EPYC with AVX-512, takes 1.1, 3.1, 1.5, 1.4 and 8.2 ms, in 20, 286, 77, 286 and 267 steps; as counts
0.10 ms."""

BACKEND = Backend(
    name="cpu",
    summary="machine code, made by LLVM and run in this process; or a C11 program",
    package="neurocuda.backends.cpu",
    default_chip="host",
    constraints=Constraints(codes=CODES),
    pipeline=(
        'convert-snn-to-cpu{processor="$chip"}',
        "fuse-layers",
        "make-layer-major",
        "choose-kernels",
        "reserve-scratch",
        "allocate-buffers",
    ),
    level="cpu",
    hooks=Hooks(
        emit="neurocuda.backends.cpu.emit:emit_files",
        load="neurocuda.backends.cpu.cross:load",
        availability="neurocuda.backends.cpu.run:availability",
        cost="neurocuda.backends.cpu.cost:cost",
    ),
    runs_segments=True,
    runs_trains=True,
    runs_counts=True,
    reads_activity=True,
)
