"""NIR, the field's exchange format: a .nir file, and the reference interpreter to run what it says."""

from neurocuda.ir.backend import Backend, Hooks
from neurocuda.ir.constraints import Constraints

EXACT_BITS = 24
"""Readers compute in float32, which holds every integer of so many bits, and the halves between them."""

BACKEND = Backend(
    name="nir",
    summary="a .nir file for other frameworks; run by the reference interpreter",
    package="neurocuda.backends.nir",
    default_chip="exact",
    constraints=Constraints(codes=("unary", "free"), membrane_bits=EXACT_BITS),
    pipeline=("convert-snn-to-nir{form=$chip}",),
    level="nir",
    runs_trains=True,
    hooks=Hooks(
        emit="neurocuda.backends.nir.emit:emit_files",
        load="neurocuda.backends.nir.run:load",
        availability="neurocuda.backends.nir.emit:availability",
        cost="neurocuda.backends.nir.cost:cost",
    ),
)
