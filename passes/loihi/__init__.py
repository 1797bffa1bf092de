"""Passes for the Loihi family: lowering, partition, placing."""
