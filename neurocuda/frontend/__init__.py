"""From PyTorch to the `ann` dialect. Only this package and `neurocuda.training` import torch."""
