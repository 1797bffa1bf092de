"""Lowering to NIR graphs."""
