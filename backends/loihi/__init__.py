"""Intel's Loihi 2, by way of Lava: a Lava program, and Lava's simulator to run it."""

from neurocuda.ir.backend import Backend, Hooks
from neurocuda.ir.constraints import Constraints

BACKEND = Backend(
    name="loihi",
    summary="Intel Loihi 2: a Lava program, run by Lava's simulator",
    package="neurocuda.backends.loihi",
    default_chip="loihi2",
    constraints=Constraints(codes=("unary", "latency", "graded", "free"), membrane_bits=23, threshold_bits=23),
    pipeline=("convert-snn-to-loihi", "partition-groups{chip=$chip}", "place-groups{chip=$chip}"),
    level="loihi",
    hooks=Hooks(
        emit="neurocuda.backends.loihi.emit:emit_files",
        load="neurocuda.backends.loihi.run:load",
        availability="neurocuda.backends.loihi.run:availability",
        cost="neurocuda.backends.loihi.cost:cost",
        layout="neurocuda.backends.loihi.cost:layout",
    ),
)
