"""Verifies a module: every operation's own rules, then that values are defined where they are used."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import DiagnosticException

from neurocuda.errors import VerificationError
from neurocuda.ir.dominance import verify_dominance
from neurocuda.ir.places import op_message

_FAILURES = (
    DiagnosticException,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What a verifier raises: xDSL's exception, or whatever it stumbles over in IR that it did not foresee."""


def verify_module(module: ModuleOp) -> None:
    """Checks a module.

    Raises:
        VerificationError: the first thing that is wrong, with its place, in one line.
    """
    try:
        module.verify()
    except _FAILURES as reason:
        raise VerificationError(op_message(_culprit(module), str(reason) or type(reason).__name__)) from reason
    verify_dominance(module)


def _culprit(module: ModuleOp) -> Operation:
    """The first operation that fails by itself; the module where only the structure is broken."""
    for op in module.walk(reverse=False):
        try:
            op.verify(verify_nested_ops=False)
        except _FAILURES:
            return op
    return module
