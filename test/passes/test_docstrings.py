"""Every pass shows IR before and after itself in its docstring, and what it shows is true.

`Before:` is IR, `Options: a=1` (if there is such a line) are the pass's options, `After:` is what comes out. `...` in
it stands for anything.
"""

from __future__ import annotations

import inspect
import re
import warnings
from textwrap import dedent

import pytest
from xdsl.dialects.builtin import ModuleOp, UnknownLoc

from neurocuda.errors import NeuroCudaWarning
from neurocuda.ir.context import create_context
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.pipelines import parse_pipeline
from neurocuda.ir.printing import module_text
from neurocuda.registry import pass_factories

EXAMPLE = re.compile(
    r"^Before:\n(?P<before>.*?)^(?:Options: (?P<options>[^\n]*)\n\s*)?After:\n(?P<after>.*?)(?=^\S|\Z)", re.M | re.S
)


def example_of(name: str) -> tuple[str, str, str]:
    """(IR before, options, IR after) from the docstring of a pass."""
    docstring = inspect.getdoc(pass_factories()[name]()) or ""
    found = EXAMPLE.search(docstring)
    assert found is not None, f"the docstring of {name} has no `Before:` and `After:` with indented IR"
    return dedent(found["before"]), found["options"] or "", dedent(found["after"])


def applied(name: str, options: str, before: str) -> str:
    """The text of a module after a pass."""
    context = create_context()
    module = parse_module(context, before, f"the docstring of {name}")
    for op in module.walk():
        op.location = UnknownLoc()
    (step,) = parse_pipeline(f"{name}{{{options}}}" if options else name, pass_factories())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeuroCudaWarning)
        step.apply(context, module)
    module.verify()
    return module_text(module, context, elide=True)


def parsed(text: str) -> ModuleOp:
    """The module, to compare without regard to white space and to names of values."""
    return parse_module(create_context(), text, "After")


@pytest.mark.parametrize("name", sorted(pass_factories()))
def test_the_docstring_is_true(name: str) -> None:
    before, options, after = example_of(name)
    found = applied(name, options, before)
    if "..." not in after:
        assert parsed(found).is_structurally_equivalent(parsed(after)), f"{found}\n\nis not\n\n{after}"
        return
    parts = [re.escape(" ".join(part.split())) for part in after.split("...")]
    text = " ".join(found.split())
    assert re.search(".*".join(parts), text), f"{text}\n\nis not\n\n{after}"
