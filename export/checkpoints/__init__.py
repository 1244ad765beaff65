"""Checkpoints: read and write weights of each model family."""
