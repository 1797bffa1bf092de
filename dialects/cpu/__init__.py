"""The `cpu` dialect: buffers and loop nests, ready to be printed as C."""
