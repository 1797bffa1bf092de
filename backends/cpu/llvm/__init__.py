"""Machine code for programs: LLVM in this process, no compiler on the machine."""
