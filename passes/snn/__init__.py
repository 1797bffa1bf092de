"""Passes on spiking networks."""
