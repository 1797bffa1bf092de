"""Runs Lava programs, one behind the other in one process: `run_programs.py folder ...`, with inputs.npz in each."""

import runpy
import sys


def main(folders):
    for folder in folders:
        sys.argv = ["model_lava.py", f"{folder}/inputs.npz", f"{folder}/outputs.npz", "--probe", "all"]
        try:
            runpy.run_path(f"{folder}/model_lava.py", run_name="__main__")
        except SystemExit as end:
            if end.code:
                raise


if __name__ == "__main__":
    main(sys.argv[1:])
