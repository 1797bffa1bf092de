"""`nc-opt`: reads IR, runs passes, writes IR, as mlir-opt does.

    nc-opt model.mlir -p 'fold-batch-norm,quantize-weights{weight-bits=8}' --validate -o quantised.mlir

Large tensors travel in a safetensors side file that the module names in its attribute `nc.weights`. With `-o out.mlir`
they go to `out.safetensors`; on stdout the input's side file is named again. Diagnostics are one line on stderr,
`file:line:column: error: ...`, with exit code 1.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import IO, cast

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import parse_spec
from xdsl.utils.exceptions import ArgSpecParseError
from xdsl.utils.target import Target
from xdsl.xdsl_opt_main import xDSLOptMain

from neurocuda.errors import NeuroCudaError, OptionError, VerificationError, WeightsError
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.files import is_stream, replacing
from neurocuda.ir.parsing import ExternalValue, load_side_file, parse_with_resources, read_source
from neurocuda.ir.pipelines import Instrument, parse_pipeline, pipeline_text, run_passes
from neurocuda.ir.printing import large_keys, naming_weights, print_module, relative_name, side_file_of
from neurocuda.ir.verifying import verify_module
from neurocuda.registry import merged_universe
from neurocuda.tools._command import (
    Answered,
    ArgumentParser,
    complaint,
    complete,
    leave_pipe,
    version_of,
    warnings_in_one_line,
)
from neurocuda.tools.instruments import CrashReproducer, Culprit, IrDumps, Timing

DESCRIPTION = "Reads IR, runs passes, writes IR."

EXAMPLES = """examples:
  nc-opt model.mlir                                       check and print
  nc-opt model.mlir -p fold-batch-norm --validate         run a pass and check what it promises
  nc-opt model.mlir -p 'balance-thresholds{method="max" timesteps=7},quantize-activations{timesteps=7}'
                                                          options in braces, separated by spaces
  nc-opt model.mlir -p ann-to-snn -o snn.mlir             a named pipeline; weights go to snn.safetensors
  nc-opt model.mlir -p ann-to-snn --print-ir-after-all --timing
                                                          watch it at work, on stderr
  nc-opt --list-passes                                    what there is; docs/reference/passes.md says more
"""

_SPLIT = re.compile(r"^// -----[ \t]*$\n?", re.MULTILINE)
_REPRODUCER = "mlir_reproducer"


class NcOptMain(xDSLOptMain):
    """xDSL's driver with one-line diagnostics, side files, and what an mlir-opt user expects."""

    def __init__(self, description: str = DESCRIPTION, args: Sequence[str] | None = None) -> None:
        arguments = list(sys.argv[1:] if args is None else args)
        self._universe = merged_universe(_plugins(arguments))
        self.available_frontends = {}
        self.available_passes = {}
        self.available_targets = {}
        self.register_all_dialects()
        self.register_all_passes()
        self.register_all_targets()
        parser = ArgumentParser("nc-opt", description, EXAMPLES)
        self.register_all_arguments(parser)
        complete(parser)
        self.args = parser.parse_args(arguments)
        self.ctx.allow_unregistered = self.args.allow_unregistered_dialect
        self._steps = self._parse_pipelines(self.args.passes)
        self._timing = Timing(sys.stderr)
        self.culprit = Culprit()
        self._check_names()

    # What exists.

    def register_all_dialects(self) -> None:
        self.ctx = create_context(universe=self._universe)

    def register_all_passes(self) -> None:
        for name, factory in self._universe.all_passes.items():
            self.register_pass(name, factory)

    def register_all_targets(self) -> None:
        self.available_targets.update(self._universe.all_targets)

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        _add_input_and_output(arg_parser)
        _add_pipeline(arg_parser)
        _add_watching(arg_parser)
        _add_listing(arg_parser)

    def _parse_pipelines(self, texts: Sequence[str]) -> tuple[ModulePass, ...]:
        named: Mapping[str, str] = named_pipelines() if texts else {}
        return tuple(step for text in texts for step in parse_pipeline(text, self.available_passes, named))

    def _check_names(self) -> None:
        target = _spec_name(self.args.target)
        if target not in self.available_targets:
            raise OptionError(f"unknown target '{target}'; available are {', '.join(sorted(self.available_targets))}")
        if target == "mlir" and self.args.target != target:
            raise OptionError(f"target '{self.args.target}': mlir takes no options")
        for name in _names(self.args.print_ir_before) | _names(self.args.print_ir_after):
            if name not in self.available_passes:
                raise OptionError(f"unknown pass '{name}' in --print-ir-before or --print-ir-after")
        if self.args.run_reproducer and self._steps:
            raise OptionError("--run-reproducer takes its pipeline from the file; give no other")

    # What is done.

    def run(self) -> None:
        """Does what the arguments say.

        Raises:
            NeuroCudaError: in one line, with its place. Whatever else a pass raises goes through.
        """
        if self.args.list_passes or self.args.show_dialects:
            self._list()
            return
        modules = [self._process(text) for text in self._texts()]
        self._write(modules)
        if self.args.timing:
            self._timing.lap("output")
            self._timing.report()

    def _list(self) -> None:
        if self.args.show_dialects:
            sys.stdout.writelines(f"{name}\n" for name in sorted(self.ctx.registered_dialect_names))
        if self.args.list_passes:
            sys.stdout.writelines(f"{line}\n" for line in self._listed_passes())

    def _listed_passes(self) -> Iterator[str]:
        """Named pipelines, the passes that are not xDSL's with the first sentence of their docstring, then xDSL's."""
        from xdsl.transforms import get_all_passes

        theirs = get_all_passes()
        yield "# named pipelines"
        yield from (f"{name} = {text}" for name, text in sorted(named_pipelines().items()))
        yield "# passes; their options are in docs/reference/passes.md"
        for name in sorted(self.available_passes.keys() - theirs):
            text = " ".join((inspect.getdoc(self.available_passes[name]()) or "").split())
            yield f"{name}: {text.partition('. ')[0].removesuffix('.')}"
        yield "# passes of xDSL"
        yield from sorted(self.available_passes.keys() & theirs)

    def _input_name(self) -> str:
        return "-" if self.args.input_file in (None, "-") else self.args.input_file

    def _input_folder(self) -> Path:
        return Path(self._input_name()).parent

    def _texts(self) -> list[bytes]:
        """The input, or its parts, each behind as many empty lines as stood before it: lines keep their numbers."""
        stdin = self._input_name() == "-"
        source = sys.stdin.buffer.read() if stdin else read_source(Path(self._input_name()))
        if not self.args.split_input_file:
            return [source]
        try:
            text = source.decode()
        except UnicodeDecodeError:
            return [source]  # the parser says where
        cuts = list(_SPLIT.finditer(text))
        starts, ends = [0, *(cut.end() for cut in cuts)], [*(cut.start() for cut in cuts), len(text)]
        return [
            ("\n" * text.count("\n", 0, start) + text[start:end]).encode()
            for start, end in zip(starts, ends, strict=True)
        ]

    def _process(self, source: bytes) -> ModuleOp:
        module, external = parse_with_resources(self.ctx, source, self._input_name())
        verify = not self.args.disable_verify and self._is_verified(external)
        if verify:
            verify_module(module)
        load_side_file(module, self.ctx, self._input_folder(), self.args.weights)
        self._timing.lap("parse")
        steps = self._reproduced(external) if self.args.run_reproducer else self._steps
        if self.args.dump_pass_pipeline:
            sys.stderr.write(pipeline_text(steps) + "\n")
        run_passes(
            self.ctx,
            module,
            steps,
            self._instruments(steps, verify=verify),
            verify=verify,
            apply=_validated if self.args.validate else _plain,
        )
        return module

    def _reproduced(self, external: Mapping[str, Mapping[str, ExternalValue]]) -> tuple[ModulePass, ...]:
        pipeline = external.get(_REPRODUCER, {}).get("pipeline")
        if not isinstance(pipeline, str):
            raise OptionError(f"{self._input_name()}: no reproducer: external_resources hold no {_REPRODUCER} pipeline")
        return self._parse_pipelines([pipeline])

    def _is_verified(self, external: Mapping[str, Mapping[str, ExternalValue]]) -> bool:
        """Whether a reproducer was written by a run that verified; true for any other input."""
        return not self.args.run_reproducer or external.get(_REPRODUCER, {}).get("verify_each") is not False

    def _instruments(self, steps: Sequence[ModulePass], *, verify: bool) -> list[Instrument]:
        args = self.args
        found: list[Instrument] = [
            self.culprit,
            IrDumps(
                self.ctx,
                sys.stderr,
                _names(args.print_ir_before),
                _names(args.print_ir_after),
                args.print_ir_before_all,
                args.print_ir_after_all,
                args.print_ir_after_change,
                args.print_ir_after_failure,
                args.print_debuginfo,
            ),
        ]
        if args.crash_reproducer is not None:
            found.append(CrashReproducer(self.ctx, args.crash_reproducer, steps, sys.stderr, verify=verify))
        return [*found, self._timing]  # the clock stands closest to the pass

    # What is written.

    def _write(self, modules: Sequence[ModuleOp]) -> None:
        output = self.args.output_file
        folder = Path() if output is None or is_stream(output) else output.parent
        large = sorted({key for module in modules for key in self._large(module)})
        side, copy = self._side_file(large, folder)
        name = None if side is None else relative_name(side, folder)
        text = "// -----\n".join(self._text(module, name) for module in modules)
        with ExitStack() as stack:
            if side is not None and copy:
                weights_of(self.ctx).write(stack.enter_context(replacing(side)), large)
            if output is not None:
                stack.enter_context(replacing(output)).write(text.encode())
        if output is None:
            sys.stdout.write(text)
            sys.stdout.flush()

    def _large(self, module: ModuleOp) -> list[str]:
        return [] if self.args.elide else large_keys(module, self.ctx, self.args.inline_limit)

    def _side_file(self, large: Sequence[str], folder: Path) -> tuple[Path | None, bool]:
        """(the side file to name, whether it is to be written)."""
        if not large or _spec_name(self.args.target) != "mlir":
            return None, False
        output, given = self.args.output_file, self.args.weights_out
        if output is not None and (given is not None or not is_stream(output)):
            return side_file_of(output, given), True
        if given is not None:
            return given, True
        store = weights_of(self.ctx)
        sources = {store.source(key) for key in large}
        source = sources.pop()
        if source is None or sources:
            fresh = next((key for key in large if store.source(key) is None), large[0])
            raise WeightsError(
                f"{len(large)} tensors are too large for text and in no single side file (e.g. '{fresh}'); "
                "give --weights-out FILE, -o FILE or --elide"
            )
        return source, False

    def _text(self, module: ModuleOp, weights: str | None) -> str:
        stream = StringIO()
        with naming_weights(module, weights):
            self._emit(module, stream)
        return stream.getvalue()

    def _emit(self, module: ModuleOp, stream: IO[str]) -> None:
        args = self.args
        if _spec_name(args.target) == "mlir":
            print_module(
                module,
                self.ctx,
                stream,
                locations=args.print_debuginfo,
                generic=args.print_op_generic,
                inline_limit=args.inline_limit,
                elide=args.elide,
            )
            return
        target = cast("Callable[[], type[Target]]", self.available_targets[_spec_name(args.target)])()
        try:
            emitter = target.from_spec(parse_spec(args.target))
        except (TypeError, ValueError) as reason:
            raise OptionError(f"target '{args.target}': {' '.join(str(reason).split())}") from reason
        emitter.emit(self.ctx, module, stream)


def named_pipelines() -> Mapping[str, str]:
    """The pipelines that have a name, from `neurocuda.pipeline`, which knows the stages."""
    if find_spec("neurocuda.pipeline") is None:
        return {}
    from neurocuda.pipeline import NAMED_PIPELINES

    return NAMED_PIPELINES


def _plain(step: ModulePass, ctx: Context, module: ModuleOp) -> None:
    step.apply(ctx, module)


def _validated(step: ModulePass, ctx: Context, module: ModuleOp) -> None:
    """Applies a pass and checks on random inputs what it promises."""
    from neurocuda.ir.validation import validate_pass

    validate_pass(step, ctx, module)


# Arguments.


def _add_input_and_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("input and output")
    add = group.add_argument
    add("input_file", nargs="?", metavar="FILE", help="IR to read; '-' or nothing is stdin")
    add("-o", "--output-file", type=_output, metavar="FILE", help="where to write; '-' or nothing is stdout")
    add("-t", "--target", default="mlir", metavar="NAME", help="what to write (default: mlir)")
    add("--weights", type=Path, metavar="FILE", help="side file of the input; default: the one that it names")
    add("--weights-out", type=Path, metavar="FILE", help="side file of the output; default: beside -o FILE")
    add("--inline-limit", type=_size, metavar="N", help="write tensors of at most N bytes as text (default: 65536)")
    add("--elide", action="store_true", help="name tensors without writing them: for reading, not for reading back")
    add("--split-input-file", action="store_true", help="cut the input at lines '// -----' and process each part")
    add("--allow-unregistered-dialect", action="store_true", help="accept operations that nobody defines")
    add("--print-op-generic", "--mlir-print-op-generic", action="store_true", help="print the generic form")
    add("--print-debuginfo", "--mlir-print-debuginfo", action="store_true", help="print locations")


def _add_pipeline(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("passes")
    add = group.add_argument
    text = "passes or named pipelines, e.g. 'a,b{x=1 y=2}' or 'builtin.module(a,b)'; may be given several times"
    add("-p", "--passes", "--pass-pipeline", action="append", default=[], metavar="PIPELINE", help=text)
    add("--validate", action="store_true", help="check on random inputs that every pass keeps what it promises")
    add("--disable-verify", action="store_true", help="do not verify the IR after reading and after each pass")
    add("--load-plugin", action="append", type=Path, default=[], metavar="FILE.py", help="a file with a UNIVERSE")
    add("--crash-reproducer", type=Path, metavar="FILE", help="where to write a reproducer when a pass fails")
    add("--run-reproducer", action="store_true", help="run the pipeline that the input, a reproducer, holds")


def _add_watching(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("watching, on stderr")
    add = group.add_argument
    for when in ("before", "after"):
        add(f"--print-ir-{when}", f"--mlir-print-ir-{when}", action="append", default=[], metavar="PASS",
            help=f"print the IR {when} these passes (comma-separated)")  # fmt: skip
        add(f"--print-ir-{when}-all", f"--mlir-print-ir-{when}-all", action="store_true",
            help=f"print the IR {when} each pass")  # fmt: skip
    add("--print-ir-after-change", "--mlir-print-ir-after-change", action="store_true",
        help="print the IR after each pass that changed it")  # fmt: skip
    add("--print-ir-after-failure", "--mlir-print-ir-after-failure", action="store_true",
        help="print the IR after a pass that failed")  # fmt: skip
    add("--timing", "--mlir-timing", action="store_true", help="print the time that each pass took")
    add("--dump-pass-pipeline", action="store_true", help="print the pipeline that is run")
    add("--backtrace", action="store_true", help="print a Python traceback on errors")


def _add_listing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("information")
    add = group.add_argument
    add("--list-passes", action="store_true", help="print all passes and named pipelines")
    add("--show-dialects", action="store_true", help="print the names of all dialects")
    add("-v", "--version", action="version", version=version_of("nc-opt"), help="print the version")


def _output(text: str) -> Path | None:
    return None if text == "-" else Path(text)


def _size(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number of bytes, found '{text}'")
    return int(text)


def _names(texts: Sequence[str]) -> frozenset[str]:
    return frozenset(name.strip() for text in texts for name in text.split(",") if name.strip())


def _spec_name(text: str) -> str:
    try:
        return parse_spec(text).name
    except ArgSpecParseError as reason:
        raise OptionError(f"target '{text}': {str(reason).strip().splitlines()[-1].strip()}") from reason


def _plugins(arguments: Sequence[str]) -> list[Path]:
    """The plug-in files, which must be known before the arguments that depend on them."""
    parser = ArgumentParser("nc-opt", add_help=False, allow_abbrev=False)
    parser.add_argument("--load-plugin", action="append", type=Path, default=[])
    return cast("list[Path]", parser.parse_known_args(arguments)[0].load_plugin)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool and returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    with warnings_in_one_line("nc-opt"):
        tool = None
        try:
            tool = NcOptMain(args=arguments)
            tool.run()
        except Answered:
            return 0
        except BrokenPipeError:  # the reader has seen enough
            return leave_pipe()
        except (Exception, KeyboardInterrupt, SystemExit) as reason:  # the border: whatever goes wrong is one line
            if "--backtrace" in arguments:
                raise
            sys.stderr.write(_message(reason, None if tool is None else tool.culprit.name) + "\n")
            return 1
    return 0


def _message(reason: BaseException, culprit: str | None) -> str:
    if isinstance(reason, VerificationError) and culprit is not None:
        return f"{str(reason).strip()} (after pass '{culprit}')"
    where = "" if culprit is None or isinstance(reason, NeuroCudaError) else f"pass '{culprit}': "
    return complaint("nc-opt", reason, where)


if __name__ == "__main__":
    sys.exit(main())
