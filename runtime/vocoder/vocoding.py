"""Codec tokens to samples in growing blocks: the vocoder's state is passed from call to call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, repeat
from typing import Protocol

import numpy as np

from ..atomic import BROKEN_ARCHIVE
from ..backends.base import Backend
from ..bundle.contract import NO_TOKEN
from ..bundle.manifest import Flow, Vocoder
from ..bundle.reader import Bundle
from ..bundle.voice import Voice
from ..errors import BackendError, BundleError
from .flow import FlowEngine, FlowVocoder

BLOCKS = (8, 8, 16, 32)
"""Tokens of the first calls of the graph, the last number for all later ones. The first gives 0.2 s of audio at 25 tokens/s
and 3 of lookahead, enough to compute the next at an RTF of 0.6; growing ones cost less a token."""


class UtteranceVocoder(Protocol):
    """Tokens of one utterance to samples."""

    def push(self, tokens: np.ndarray) -> np.ndarray:
        """Samples float32 [T] that the tokens int64 [N] complete."""

    def flush(self) -> np.ndarray:
        """The last samples, once, at the end."""


VocoderOpener = Callable[[Voice], UtteranceVocoder]


def vocoder_opener(bundle: Bundle, vocoder: Vocoder, backend: Backend) -> VocoderOpener:
    """Return a factory of the vocoder of each utterance. Raises BundleError where the bundle's noise has other sizes."""
    if vocoder.flow is None:
        return lambda voice: TokenVocoder(backend, vocoder, voice.speaker)
    engine = flow_engine(bundle, vocoder, vocoder.flow, backend)
    return lambda voice: FlowVocoder(engine, voice)


def flow_engine(bundle: Bundle, vocoder: Vocoder, flow: Flow, backend: Backend) -> FlowEngine:
    """Return the state that the utterances of a flow share. Raises BundleError as above."""
    try:
        noise = np.load(bundle.path / flow.noise, mmap_mode="r", allow_pickle=False)
    except BROKEN_ARCHIVE as error:
        raise BundleError(f"{flow.noise} is no array ({error}); export the bundle again.") from error
    if noise.dtype != np.float32 or noise.ndim != 2 or noise.shape[1] != flow.sizes.mel or not len(noise):
        raise BundleError(f"{flow.noise} does not fit the vocoder; export the bundle again.")
    return FlowEngine(backend, vocoder, flow, bundle.manifest.precision, noise)


class TokenVocoder:
    """One utterance's vocoder.

    The graph is always called with the same blocks of tokens, counted from the utterance's start, whoever cuts the tokens
    into whatever calls: sums of another size would round in another way. So all samples together are the same, bit for bit.
    """

    def __init__(self, backend: Backend, vocoder: Vocoder, speaker: np.ndarray, blocks: Sequence[int] = BLOCKS) -> None:
        self._backend = backend
        self._blocks = chain(blocks, repeat(blocks[-1]))
        self._block = next(self._blocks)
        self._waiting = np.zeros(0, np.int64)
        self._vocoder = vocoder
        self._speaker = speaker[None]
        self._state = np.zeros((1, vocoder.state), np.float32)
        self._late = vocoder.lookahead * vocoder.samples_per_token
        """Samples still to be dropped: the graph answers `lookahead` tokens late."""

    def push(self, tokens: np.ndarray) -> np.ndarray:
        """Samples float32 [T] of the blocks that the tokens int64 [N] complete; often none."""
        self._waiting = np.concatenate((self._waiting, tokens))
        samples = [np.zeros(0, np.float32)]
        while len(self._waiting) >= self._block:
            ready, self._waiting = np.split(self._waiting, [self._block])
            samples.append(self._vocode(ready))
            self._block = next(self._blocks)
        return np.concatenate(samples)

    def flush(self) -> np.ndarray:
        """The last samples, float32 [T], once, at the end: of the block begun, and of the lookahead; none without a token."""
        end = np.full(self._vocoder.lookahead, NO_TOKEN, np.int64)
        waiting, self._waiting = self._waiting, np.zeros(0, np.int64)
        return self._vocode(np.concatenate((waiting, end)))

    def _vocode(self, tokens: np.ndarray) -> np.ndarray:
        """Samples float32 [T] of one call of the graph; may be empty at the start."""
        if not len(tokens):
            return np.zeros(0, np.float32)
        outputs = self._backend.run("vocoder", {"tokens": tokens[None], "speaker": self._speaker, "state": self._state},
                                    fetch=("waveform", "next_state"))
        self._state = outputs["next_state"]
        samples = outputs["waveform"][0]
        dropped = min(self._late, len(samples))
        self._late -= dropped
        samples = samples[dropped:]
        if not np.isfinite(samples).all():
            raise BackendError("The vocoder computed samples that are not finite; use an FP32 bundle or provider cpu.")
        clipped: np.ndarray = np.clip(samples, -1.0, 1.0)
        return clipped
