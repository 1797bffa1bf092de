"""How loop nests of the `cpu` dialect become functions of xDSL's `llvm` dialect: one function per kind of nest."""
