"""What can be said: one folder per dialect."""

if __name__ == "dialects":  # found through the current folder: a second copy of everything would follow
    raise ImportError("import neurocuda.dialects")
