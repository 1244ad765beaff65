"""Quantities: numbers with units, lengths, sizes, and single letters after numbers."""
