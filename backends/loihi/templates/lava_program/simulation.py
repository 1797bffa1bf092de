"""Runs the processes of a program in Lava, for one image."""

import os
from importlib.metadata import version

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2HwCfg, Loihi2SimCfg
from lava.proc.monitor.process import Monitor
from lava.utils import loihi
from lava_program.files import Refused
from loihi_processes.spike_counter import SpikeCounter


def run_config(hardware):
    """Lava's run configuration, and what to call what it runs on."""
    lava = f"lava-nc {version('lava-nc')}"
    if not hardware:
        return Loihi2SimCfg(select_tag="fixed_pt"), f"simulator: {lava} Loihi2SimCfg(fixed_pt)"
    if not loihi.is_installed():
        raise Refused("--hardware needs lava-loihi, which Intel gives to members of its research community")
    try:
        if "NXSDKHOST" in os.environ:
            loihi.use_ethernet_host(os.environ["NXSDKHOST"])
        else:
            loihi.use_slurm_host()
    except ValueError as why:
        raise Refused(f"--hardware: {why}") from None
    return Loihi2HwCfg(), f"hardware: {lava} Loihi2HwCfg"


def simulate(program, rows, weights, wanted, config):
    """What `wanted` ports and variables were at every step, (steps, *shape) by name; counts are of all steps."""
    processes = program.build({name: as_data(each, program.steps) for name, each in rows.items()}, weights)
    listeners = {name: listener(program, processes, name) for name in wanted}
    started = []
    for process in processes.values():
        if process.runtime is None:  # nothing leads from those that have run to this one
            process.run(condition=RunSteps(program.steps), run_cfg=config)
            started.append(process)
    heard = {name: values_of(each) for name, each in listeners.items()}
    for process in started:
        process.stop()
    return heard


def as_data(rows, steps):
    """Rows as a ring buffer wants them: silence behind them, time as the last axis."""
    data = np.zeros((steps, *rows.shape[1:]), np.int32)
    data[: len(rows)] = rows
    return np.moveaxis(data, 0, -1)


def listener(program, processes, name):
    """A process that records a port or variable, "conv1.s_out" or "conv1.v", or adds up what is said, "conv1.count"."""
    process, _, part = name.partition(".")
    if part != "count":
        monitor = Monitor()
        monitor.probe(getattr(processes[process], part), program.steps)
        return monitor
    worths = program.groups[process].worths(program.steps)
    counter = SpikeCounter(shape=processes[process].s_out.shape, worths=worths)
    processes[process].s_out.connect(counter.s_in)
    return counter


def values_of(each):
    """What a listener heard."""
    if isinstance(each, SpikeCounter):
        return each.count.get().astype(np.int32)
    ((values,),) = (tuple(parts.values()) for parts in each.get_data().values())
    return values.astype(np.int32)
