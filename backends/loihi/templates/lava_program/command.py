"""The command line of a Lava program: integers in, a run in Lava for every image, integers out."""

import argparse
import sys
from pathlib import Path

import numpy as np
from lava_program.files import Refused, listed, read_inputs, read_weights, write_arrays
from lava_program.simulation import run_config, simulate

EPILOG = """
INPUTS.npz   integers (images, *shape), an array per input; every image begins with fresh state:
{inputs}
OUTPUTS.npz  integers (images, *shape), an array per output:
{outputs}
             and what is asked for, its axes as Lava has them: what groups sent and their membranes at every step,
             GROUP.s_out and GROUP.v, GROUP.sigma for sigma-delta neurons; what all their spikes say, GROUP.count
groups       {groups}
"""

ANY = (-(2**31), 2**31 - 1)
"""What a graded spike may be."""


def main(program, file):
    """Runs a program on what the command line says, and ends the process."""
    arguments = parser(program, file).parse_args()
    try:
        run(program, arguments, Path(file).parent)
    except Refused as why:
        sys.exit(f"{Path(file).name}: error: {why}")
    sys.exit(0)


def parser(program, file):
    """The command line."""
    inputs = "\n".join(f"             {name} {each.shape}" for name, each in program.inputs.items())
    outputs = "\n".join(f"             {name}" for name in program.outputs)
    result = argparse.ArgumentParser(
        prog=Path(file).name,
        description=f"Runs a spiking network on Lava, for {program.steps} steps per image.",
        epilog=EPILOG.format(inputs=inputs, outputs=outputs, groups=listed(program.groups)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("inputs", type=Path, metavar="INPUTS.npz")
    add("outputs", type=Path, metavar="OUTPUTS.npz")
    add("--probe", nargs="+", default=[], metavar="GROUP", help='record spikes and membranes of groups, or of "all"')
    add("--counts", nargs="+", default=[], metavar="GROUP", help='add up what the spikes of groups say, or of "all"')
    add("--trains", action="store_true", help="take the rows of sources, and give what outputs are read of, as trains")
    add("--hardware", action="store_true", help="run on Loihi 2 with Intel's lava-loihi, not in Lava's simulator")
    return result


def run(program, arguments, folder):
    """Reads, runs image after image, says so, and writes."""
    asked = asked_for(program, arguments)
    wanted = list(dict.fromkeys([*(output.part for output in program.outputs.values()), *asked]))
    shapes = {name: each.rows_shape if arguments.trains else each.shape for name, each in program.inputs.items()}
    if not arguments.outputs.parent.is_dir():
        raise Refused(f"{arguments.outputs}: there is no folder {arguments.outputs.parent}")
    arrays = read_inputs(arguments.inputs, {name: tuple(shape) for name, shape in shapes.items()})
    weights = read_weights(folder / program.weights, program.digest)
    config, what = run_config(arguments.hardware)
    print(f"runs on {what}", flush=True)
    images = max((len(array) for array in arrays.values()), default=1)
    if not images:
        raise Refused(f"{arguments.inputs}: holds no images")
    results = []
    for image in range(images):
        rows = rows_of(program, {name: array[image] for name, array in arrays.items()}, arguments.trains)
        heard = simulate(program, rows, weights, wanted, config)
        results.append({**{name: heard[name] for name in asked}, **outputs_of(program, heard, arguments.trains)})
        print(f"image {image + 1} of {images}", flush=True)
    write_arrays(arguments.outputs, {name: np.stack([each[name] for each in results]) for name in results[0]})


def asked_for(program, arguments):
    """The ports and variables that the options name."""
    membranes = {name: group.membrane for name, group in program.groups.items()}
    probed = [f"{name}.{part}" for name in chosen(program, arguments.probe) for part in ("s_out", membranes[name])]
    return probed + [f"{name}.count" for name in chosen(program, arguments.counts)]


def chosen(program, given):
    """The groups that are meant."""
    unknown = [name for name in given if name not in (*program.groups, "all")]
    if unknown:
        raise Refused(f"there is no group {listed(unknown)}; there are {listed(program.groups)}")
    return list(program.groups) if "all" in given else given


def rows_of(program, values, are_rows):
    """What every source sends for an image."""
    rows = {}
    for name, each in values.items():
        given = program.inputs[name]
        rows[name] = each.astype(np.int64) if are_rows else given.rows(each.astype(np.int64))
        lowest, highest = ANY if given.graded else (0, 1)
        if rows[name].size and (rows[name].min() < lowest or rows[name].max() > highest):
            found = f"{rows[name].min()} ... {rows[name].max()}"
            raise Refused(f"{name}: its spikes are in {found}, outside of {lowest} ... {highest}")
    return rows


def outputs_of(program, heard, as_trains):
    """The outputs for an image."""
    return {
        name: output.moved(heard[output.part]) if as_trains else output.values(heard[output.part])
        for name, output in program.outputs.items()
    }
