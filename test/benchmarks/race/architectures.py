"""The shapes of the raced networks, written for anything that has layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol


class Layers(Protocol):
    """What a network is made of. A value has a name; shapes have no batch axis."""

    def input(self, *shape: int) -> str:
        """What the network reads."""
        ...

    def conv(self, x: str, channels: int, kernel: int = 3, stride: int = 1) -> str:
        """A convolution whose padding keeps the size of the image, up to the stride."""
        ...

    def linear(self, x: str, features: int) -> str:
        """A matrix product."""
        ...

    def shortcut(self, x: str, beside: str) -> str:
        """An identity scaled to be added to another current."""
        ...

    def neurons(self, *currents: str) -> str:
        """A layer of neurons on the sum of currents."""
        ...

    def pool(self, x: str, size: int | None = None) -> str:
        """The sums of size x size windows; without a size, of the whole image."""
        ...

    def flat(self, x: str) -> str:
        """A vector of all elements."""
        ...

    def readout(self, current: str) -> str:
        """What the network says."""
        ...

    def channels(self, x: str) -> int:
        """The number of channels."""
        ...


def mlp(layers: Layers) -> str:
    """784-512-256-10."""
    x = layers.input(784)
    for features in (512, 256):
        x = layers.neurons(layers.linear(x, features))
    return layers.readout(layers.linear(x, 10))


def vgg11(layers: Layers) -> str:
    """VGG-11 for 32 x 32 images with average pooling (a sum whose divisor the next weights contain)."""
    x = layers.input(3, 32, 32)
    for channels, pooled in ((64, 1), (128, 1), (256, 0), (256, 1), (512, 0), (512, 1), (512, 0), (512, 1)):
        x = layers.neurons(layers.conv(x, channels))
        x = layers.pool(x, 2) if pooled else x
    return layers.readout(layers.linear(layers.flat(x), 10))


def resnet(layers: Layers, widths: Sequence[int], blocks: int) -> str:
    """Stages of residual blocks for 32 x 32 images; a projection where the shape changes."""
    x = layers.neurons(layers.conv(layers.input(3, 32, 32), widths[0]))
    for stage, width in enumerate(widths):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            inner = layers.neurons(layers.conv(x, width, stride=stride))
            current = layers.conv(inner, width)
            same = stride == 1 and layers.channels(x) == width
            around = layers.shortcut(x, current) if same else layers.conv(x, width, kernel=1, stride=stride)
            x = layers.neurons(current, around)
    return layers.readout(layers.linear(layers.flat(layers.pool(x)), 10))


def resnet20(layers: Layers) -> str:
    """The CIFAR-10 ResNet of depth 20."""
    return resnet(layers, (16, 32, 64), 3)


def resnet18(layers: Layers) -> str:
    """ResNet-18 in its form for CIFAR-10: a 3 x 3 stem without pooling."""
    return resnet(layers, (64, 128, 256, 512), 2)


ARCHITECTURES: Mapping[str, Callable[[Layers], str]] = {
    "mlp": mlp,
    "vgg11": vgg11,
    "resnet20": resnet20,
    "resnet18": resnet18,
}
