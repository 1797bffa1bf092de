"""From the `llvm` dialect to machine code: translated, optimised and assembled by LLVM in this process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from neurocuda.errors import ToolchainError
from neurocuda.passes.cpu.llvm.features import Features

if TYPE_CHECKING:
    from llvmlite import binding, ir
    from xdsl.dialects import llvm

LEVEL = 3
"""How much is optimised; loops are made into vectors."""

TRIPLES = {"x86_64": "x86_64-unknown-linux-gnu", "aarch64": "aarch64-unknown-linux-gnu"}
"""What code for another machine than this one is assembled for."""

PAUSES = {"x86_64": "@llvm.x86.sse2.pause()", "aarch64": "@llvm.aarch64.hint(i32 1)"}
"""How a thread that waits lets the other one of its core run."""

FINISHED = "optnone"
"""What LLVM calls functions that its passes leave alone."""

_ONE_AT_A_TIME = Lock()
"""LLVM's global context is no place for two threads."""


def version() -> str:
    """Which LLVM: "llvm 22.1"."""
    from llvmlite import binding

    major, minor, _ = binding.llvm_version_info
    return f"llvm {major}.{minor}"


def llvm_text(functions: Sequence[llvm.FuncOp]) -> str:
    """The functions, which must stand in no module yet, as LLVM IR; the text does not depend on the machine."""
    from xdsl.backend.llvm.convert import convert_module
    from xdsl.dialects.builtin import ModuleOp

    module = convert_module(ModuleOp(list(functions)), fallback_target_triple="")
    for function in functions:
        _declare(function, cast("ir.Function", module.get_global(function.sym_name.data)))
    return str(module)


def _declare(function: llvm.FuncOp, target: ir.Function) -> None:
    """What xDSL 0.74 leaves out: the linkage, and what is said of inlining and exceptions."""
    if function.linkage.linkage.data != "external":
        target.linkage = function.linkage.linkage.data
    if function.no_inline is not None:
        target.attributes.add("noinline")
    if function.optimize_none is not None:
        target.attributes.add(FINISHED)
    target.attributes.add("nounwind")


def machine_code(text: str, features: Features) -> bytes:
    """An object file.

    Raises:
        ToolchainError: LLVM does not take the text.
    """
    with _ONE_AT_A_TIME:
        machine = _machine(features)
        return machine.emit_object(_optimised(text, features, machine))


def assembly(text: str, features: Features) -> str:
    """The machine code as text, for people and tests."""
    with _ONE_AT_A_TIME:
        machine = _machine(features)
        return machine.emit_assembly(_optimised(text, features, machine))


def _optimised(text: str, features: Features, machine: binding.TargetMachine) -> binding.ModuleRef:
    from llvmlite import binding

    try:
        module = binding.parse_assembly(text)
        if '@"neurocuda_barrier"' in text:
            module.link_in(binding.parse_assembly(runtime_text(features)))
        module.verify()
    except RuntimeError as reason:
        raise ToolchainError(f"{version()} does not take the program: {reason}") from reason
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    options = binding.create_pipeline_tuning_options(speed_level=LEVEL)
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return _unmarked(module)


def _unmarked(module: binding.ModuleRef) -> binding.ModuleRef:
    """The module without the mark that has kept passes off functions: it would keep registers off, too."""
    from llvmlite import binding

    text = str(module)
    return binding.parse_assembly(text.replace(f" {FINISHED}", "")) if FINISHED in text else module


@cache
def _machine(features: Features) -> binding.TargetMachine:
    from llvmlite import binding

    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    here = binding.get_default_triple()
    triple = here if here.startswith(features.architecture) else TRIPLES[features.architecture]
    return binding.Target.from_triple(triple).create_target_machine(
        cpu=features.processor,
        features=",".join(f"+{flag}" for flag in sorted(features.flags)),
        opt=LEVEL,
        reloc="pic",
        codemodel="small",
    )


def function_addresses(code: bytes, names: Sequence[str]) -> tuple[object, list[int]]:
    """(what keeps the code in memory, the addresses of functions) of an object file for this machine.

    LLVM's linker puts code and its constants into one piece of memory. MCJIT does not: where the address space is full
    they lie further apart than code of the small model reaches, and LLVM ends the process.
    """
    from llvmlite import binding

    library = binding.JITLibraryBuilder().add_object_img(code).add_current_process()
    for name in names:
        library = library.export_symbol(name)
    with _ONE_AT_A_TIME:
        tracker = library.link(_linker(), f"program-{uuid4().hex}")
    return tracker, [tracker[name] for name in names]


@cache
def _linker() -> binding.LLJIT:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(reloc="pic", codemodel="small", jit=True)
    return binding.create_lljit_compiler(machine, use_jit_link=True)


def runtime_text(features: Features) -> str:
    """How threads wait for each other, as LLVM IR."""
    pause = PAUSES[features.architecture]
    text = (Path(__file__).parent / "runtime.ll").read_text("utf-8")
    return text.replace("DECLARED", pause.replace(" 1", "")).replace("PAUSE", pause)
