"""Judges of speech: recognisers, MOS predictors, speaker similarity, and their statistics."""
