"""Importers, one small function per ATen operation, by family. `neurocuda.frontend.table` finds them here."""
