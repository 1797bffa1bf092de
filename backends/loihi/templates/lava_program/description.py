"""What a Lava program says of itself: its inputs, its outputs, and the function that builds its processes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix


def backwards(values, first):
    """The axes from one on in reverse order."""
    return values.transpose(*range(first), *reversed(range(first, values.ndim)))


def unmoved(train):
    """A train as it is."""
    return train


@dataclass(frozen=True)
class Input:
    """What a source sends for an image: integers of this shape.

    Row r is `factors[r]` times them; without factors, their first axis counts rows. Lava has the other axes in reverse
    order; with `lava_axes` they come like that. Spikes are 0 or 1 unless they are graded.
    """

    shape: tuple
    graded: bool
    factors: tuple = ()
    lava_axes: bool = False

    def rows(self, values):
        """What is sent step by step, as Lava has it."""
        rows = np.stack([values * factor for factor in self.factors]) if self.factors else values
        return rows if self.lava_axes else backwards(rows, 1)

    @property
    def rows_shape(self):
        """The shape of its rows."""
        return self.rows(np.zeros(self.shape, np.int8)).shape


@dataclass(frozen=True)
class Output:
    """What is read of `part`, a port or a variable of a process: its last value, the sum of all, or every step's.

    The first `skip` steps are left out, and the rest is divided by `divisor`, rounded down. `moved` brings a train
    (steps, *shape) into the shape that is read; its axes stay as Lava has them with `lava_axes`.
    """

    part: str
    read: str = "train"
    divisor: int = 1
    skip: int = 0
    lava_axes: bool = False
    moved: Callable = unmoved

    def values(self, train):
        """What is read of a train."""
        left = self.moved(train)[self.skip :]
        if self.read == "train":
            return (left if self.lava_axes else backwards(left, 1)) // self.divisor
        return backwards(left[-1] if self.read == "last" else left.sum(axis=0), 0) // self.divisor


@dataclass(frozen=True)
class Group:
    """A group of neurons: what its process calls the membrane, and what its spikes say of the count of its layer.

    A spike says `worth`, or with `until` as many times that as there are steps from it to this one; nothing before step
    `since`.
    """

    membrane: str
    worth: int = 1
    since: int = 0
    until: int | None = None

    def worths(self, steps):
        """What a spike of each step says."""
        return np.array([self.worth_at(step) for step in range(steps)], np.int32)

    def worth_at(self, step):
        """What a spike of a step says."""
        if step < self.since:
            return 0
        return self.worth * (1 if self.until is None else max(0, self.until - step))


@dataclass(frozen=True)
class Program:
    """A network: `build(rows, weights)` makes its processes, by name.

    `weights` is the file of its constants, `digest` the SHA-256 of that.
    """

    build: Callable
    steps: int
    inputs: dict
    outputs: dict
    groups: dict
    weights: str
    digest: str


def per_neuron(constant, shape):
    """A constant for every neuron of a group, of fewer numbers that broadcast."""
    return np.broadcast_to(constant, shape).astype(np.int32)


def pulses(payloads, shape, steps):
    """What neurons send that all say the same, at some steps: (*shape, steps)."""
    data = np.zeros((*shape, steps), np.int32)
    for step, payload in payloads.items():
        data[..., step] = payload
    return data


def connections(weights, name, shape, delay=None):
    """The (targets, sources) matrix of a sparse synapse: its weights, or the delay of each of them."""
    values, targets, sources = (weights[f"{name}.{part}"] for part in ("weight", "targets", "sources"))
    return csr_matrix((values if delay is None else np.full(len(values), delay), (targets, sources)), shape=shape)


def unfolded(kernels, image, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """A convolution as the (targets, sources) matrix of a sparse synapse; arguments and results are those of `Conv`."""
    out, width, height, channels = kernels.shape
    sizes = (
        (image[axis] + 2 * padding[axis] - dilation[axis] * (kernels.shape[1 + axis] - 1) - 1) // stride[axis] + 1
        for axis in range(2)
    )
    shape = (*sizes, out)
    x, y, k, i, j, c = np.indices((*shape, width, height, channels)).reshape(6, -1)
    column, row = (x * stride[0] - padding[0] + i * dilation[0], y * stride[1] - padding[1] + j * dilation[1])
    inside = (column >= 0) & (column < image[0]) & (row >= 0) & (row < image[1])
    sources = ((column * image[1] + row) * image[2] + k // (out // groups) * channels + c)[inside]
    targets = np.ravel_multi_index((x, y, k), shape)[inside]
    values = kernels[:, ::-1, ::-1][k, i, j, c][inside]
    return csr_matrix((values, (targets, sources)), shape=(np.prod(shape), np.prod(image)))
