"""Where it runs: one folder per target."""

if __name__ == "backends":  # found through the current folder: a second copy of everything would follow
    raise ImportError("import neurocuda.backends")
