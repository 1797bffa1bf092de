"""What `calibrate-layers` does at each layer: one step, one file."""
