"""NIR, the field's exchange format: a .nir file, and the reference interpreter to run what it says."""

from neurocuda.ir.backend import Backend, Hooks
from neurocuda.ir.constraints import Constraints

BACKEND = Backend(
    name="nir",
    summary="a .nir file for other frameworks; run by the reference interpreter",
    package="neurocuda.backends.nir",
    default_chip="exact",
    constraints=Constraints(codes=("unary", "free")),
    pipeline=("convert-snn-to-nir{form=$chip}",),
    level="nir",
    hooks=Hooks(
        emit="neurocuda.backends.nir.emit:emit_files",
        load="neurocuda.backends.nir.run:load",
        availability="neurocuda.backends.nir.emit:availability",
        cost="neurocuda.backends.nir.cost:cost",
    ),
)
