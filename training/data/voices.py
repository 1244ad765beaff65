"""Speaker embeddings of the teacher's voices, until a speaker encoder of ours makes them from recordings.

With a handful of speakers any well-separated unit vectors serve: they are drawn from the voice's name, so every stage and
every machine gets the same ones.
"""

from __future__ import annotations

import hashlib

import numpy as np


def speaker_embedding(voice: str, width: int) -> np.ndarray:
    """Unit-variance float32 [width] vector of a voice's name."""
    seed = int.from_bytes(hashlib.sha256(voice.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).standard_normal(width)
    return (vector / np.sqrt(np.mean(vector**2))).astype(np.float32)
