"""Intel's Loihi 2, by way of Lava: a Lava program, and Lava's simulator to run it."""

from neurocuda.ir.backend import Backend, Hooks
from neurocuda.ir.constraints import Constraints

SOFT_RESET = Constraints(codes=("unary", "latency", "graded", "free"), membrane_bits=23, threshold_bits=23)
"""A membrane of 24 bits holds integers that are counted twice, as weights of mixed sign are even."""

STOCK = Constraints(codes=("latency",), membrane_bits=17, threshold_bits=17)
"""A membrane of a LIF neuron counts in 64ths; what its threshold is compared with are up to T thresholds."""

GRADED = Constraints(
    codes=("graded",),
    membrane_bits=23,
    threshold_bits=23,
    threshold_exponent=6,
    threshold_granularity="layer",
)
"""A sigma-delta neuron divides by a power of two that has three bits, one for all neurons of a group."""

BACKEND = Backend(
    name="loihi",
    summary="Intel Loihi 2: a Lava program, run by Lava's simulator",
    package="neurocuda.backends.loihi",
    default_chip="loihi2",
    constraints=SOFT_RESET,
    code_constraints={"latency": STOCK, "graded": GRADED},
    pipeline=("convert-snn-to-loihi", "partition-groups{chip=$chip}", "place-groups{chip=$chip}"),
    level="loihi",
    reads_activity=True,
    hooks=Hooks(
        emit="neurocuda.backends.loihi.emit:emit_files",
        load="neurocuda.backends.loihi.run:load",
        availability="neurocuda.backends.loihi.run:availability",
        cost="neurocuda.backends.loihi.cost:cost",
        layout="neurocuda.backends.loihi.cost:layout",
    ),
)
