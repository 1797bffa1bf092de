"""The `snn` dialect: the same network said in time."""
