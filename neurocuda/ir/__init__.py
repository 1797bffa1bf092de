"""The kernel: contexts, levels, promises, rewriting, weights. It imports no dialect."""
