"""Codec tokens to samples."""
