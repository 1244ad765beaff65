"""Compare greedy decoding through the exported graphs with PyTorch, token by token."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from export.model.language_model import PatchLM, TokenLM
from export.verification.reference import GreedyRun, compare_runs, greedy_run, silent_voice
from runtime.backends import create_backend
from runtime.bundle.manifest import Manifest
from runtime.bundle.reader import Bundle
from runtime.bundle.voice import Voice, read_voice
from runtime.decoding.decoder import Decoder
from runtime.decoding.sequence import LengthLimits
from runtime.options import SamplingOptions

UTTERANCES, TOKENS = 20, 160
"""Utterances that are compared, and tokens of each."""
LARGE_UTTERANCES, LARGE_TOKENS, LARGE_HIDDEN = 2, 24, 512
"""The same for models at least this wide, where a few patches take as long."""


class LoopCheck:
    """Greedy decoding of the same utterances, first in PyTorch, then by the runtime's own loop on the exported graphs."""

    def __init__(self, partial: Path, manifest: Manifest, utterances: Sequence[Sequence[int]]) -> None:
        self._bundle = Bundle(partial, manifest)
        large, limits, patch = manifest.sizes.hidden >= LARGE_HIDDEN, manifest.limits, manifest.sizes.patch
        self._patches = min(math.ceil((LARGE_TOKENS if large else TOKENS) / patch), manifest.max_patches)
        count = LARGE_UTTERANCES if large else UTTERANCES
        self._ids = [list(ids[:limits.max_text_ids]) for ids in utterances[:count]]
        self._voice = self._default_voice()
        self.reference: list[GreedyRun] = []
        """PyTorch's runs, after `run_reference`."""
        self.ties = 0
        """Utterances that differ first at a tie, after `compare`."""

    def run_reference(self, model: PatchLM | TokenLM) -> None:
        """Decode every utterance in PyTorch, float32."""
        self.reference = [greedy_run(model, ids, self._voice, bounds.min_tokens, bounds.max_patches)
                          for ids, bounds in zip(self._ids, map(self._bounds, self._ids), strict=True)]

    def compare(self) -> int:
        """Decode them through the graphs and return how many are equal. Only plain float32 must have float32's draws.

        Raises:
            ParityError: a float32 bundle draws another token where there was no tie.
        """
        manifest = self._bundle.manifest
        backend = create_backend(self._bundle, "cpu", 1)
        try:
            decoder = Decoder(manifest, backend)
            options, random = SamplingOptions(top_k=1), np.random.default_rng(0)
            found = [[int(token) for part in decoder.decode(ids, self._voice, options, random, lambda: False, self._bounds(ids))
                      for token in part] for ids in self._ids]
        finally:
            backend.close()
        strict = manifest.precision == "fp32" and manifest.weights is None
        equal, self.ties = compare_runs(self.reference, found, strict=strict)
        return equal

    def _bounds(self, ids: list[int]) -> LengthLimits:
        limits = self._bundle.manifest.limits
        return LengthLimits(math.ceil(limits.min_tokens_per_id * len(ids)), self._patches, watch=False)

    def _default_voice(self) -> Voice:
        manifest = self._bundle.manifest
        if manifest.default_voice is None:
            return silent_voice(manifest.sizes.speaker)
        path = self._bundle.root / manifest.voices[manifest.default_voice]
        return read_voice(path, manifest.default_voice, manifest)
