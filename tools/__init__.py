"""The command-line tools."""

if __name__ == "tools":  # found through the current folder: a second copy of everything would follow
    raise ImportError("import neurocuda.tools")
