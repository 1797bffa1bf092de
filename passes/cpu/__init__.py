"""Passes on CPU programs."""
