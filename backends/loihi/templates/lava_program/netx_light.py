"""Loads netx, which reads .net files, from lava-dl: without slayer beside it, and so without PyTorch and OpenCV.

netx takes two names from there: the parameters of resonate-and-fire neurons, which our files have not, and PyTorch, for
one question about types. Small modules stand in for both while netx is loaded.
"""

import sys
from importlib.util import find_spec
from types import ModuleType


def stand_in(name, **contents):
    """A module of a few names."""
    module = ModuleType(name)
    module.__path__ = []
    vars(module).update(contents)
    sys.modules[name] = module
    return module


def load_netx():
    """`lava.lib.dl.netx.hdf5`, or a line that says how to get it."""
    if find_spec("lava") is None or find_spec("lava.lib") is None or find_spec("h5py") is None:
        sys.exit("error: netx is missing: pip install --no-deps lava-dl==0.6.0 h5py")
    if find_spec("torch") is None:
        stand_in("torch", tensor=type("tensor", (), {}), is_tensor=lambda _: False)
    resonators = stand_in("lava.lib.dl.slayer.neuron.rf", neuron_params=None)
    stand_in("lava.lib.dl.slayer", neuron=stand_in("lava.lib.dl.slayer.neuron", rf=resonators))
    from lava.lib.dl.netx import hdf5

    return hdf5


Network = load_netx().Network
