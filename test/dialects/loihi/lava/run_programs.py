"""Runs Lava programs, one behind the other in one process: `run_programs.py folder/model_lava.py ...`.

inputs.npz lies beside each, and outputs.npz will.
"""

import runpy
import sys
from pathlib import Path


def main(scripts):
    for script in map(Path, scripts):
        folder = script.parent
        sys.argv = [str(script), str(folder / "inputs.npz"), str(folder / "outputs.npz"), "--probe", "all"]
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise


if __name__ == "__main__":
    main(sys.argv[1:])
