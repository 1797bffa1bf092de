"""Passes on networks before they spike."""
