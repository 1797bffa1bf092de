# How the .mlir tests run: `lit test`. The lines `// RUN: ...` of a test are its commands.
# ruff: noqa: F821  lit defines `config`
import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import lit.formats

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent

config.name = "NeuroCUDA"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["Inputs"]
config.test_source_root = str(TESTS)
config.test_exec_root = str(ROOT / "build" / "lit")

# The tools run as modules, from the checkout: nothing needs to be installed.
search = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
python = f'env "PYTHONPATH={search}" "{sys.executable}"'  # not for all at once: lit's own `cat` overwrites it
for tool in ("compile", "diff", "new", "opt", "report", "run", "translate"):
    config.substitutions.append((rf"(?<![\w./-])nc-{tool}(?![\w.-])", f"{python} -m neurocuda.tools.nc_{tool}"))
config.environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
config.environment["PYTHONPATH"] = search
for name in ("HOME", "LD_LIBRARY_PATH", "NEUROCUDA_DATA", "NEUROCUDA_MLIR_OPT", "XDG_CACHE_HOME"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

# Optional tools, for `// REQUIRES:`.
mlir_opt = os.environ.get("NEUROCUDA_MLIR_OPT") or next(
    (found for name in ("mlir-opt", "mlir-opt-22", "mlir-opt-19") if (found := shutil.which(name))), None
)
if mlir_opt:
    config.available_features.add("mlir-opt")
    config.substitutions.append((r"(?<![\w./-])mlir-opt(?![\w.-])", mlir_opt))
if any(map(shutil.which, ("cc", "gcc", "clang"))):
    config.available_features.add("cc")
if find_spec("torch") is not None:
    config.available_features.add("torch")
if find_spec("psutil") is not None:
    config.maxIndividualTestTime = 120
