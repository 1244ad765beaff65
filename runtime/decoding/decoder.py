"""The patch loop: prefix -> g_0 -> k tokens -> patch -> backbone step -> g_1 -> ... until the model ends its speech.

    tokens of patch i --compressor--> p_i --backbone, one step--> g_i --extractor(g_i, speaker)--> tokens of patch i + 1

Where the bundle has the graph `step`, it makes that line in one call.
The token-level baseline runs in the same loop with patches of one token.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np

from ..backends.base import Backend, Memory
from ..bundle.contract import NO_TOKEN, STEP, DType
from ..bundle.manifest import Manifest, Positions
from ..bundle.voice import Voice
from ..errors import TextError
from ..options import SamplingOptions
from ..stats import StoppedBy
from .cache import open_cache
from .sequence import LengthLimits, SequenceState

BATCH = 1
"""Rows decoded together; every shape below carries the axis."""


@dataclass(frozen=True, eq=False)
class Prefix:
    """State of an utterance after its prefill, before its first patch."""

    context: np.ndarray
    """[1, D]."""
    recent: np.ndarray
    """The last w - 1 tokens, int64 [1, w - 1]."""
    positions: np.ndarray
    """Rotary positions float32 of the prefix and of all patches that may follow."""
    keys: np.ndarray
    values: np.ndarray
    """[S, L, 1, H, E]."""


class Decoder:
    """Text ids to codec tokens, one utterance at a time; cache and other memory are allocated once."""

    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        self.manifest = manifest
        sizes = manifest.sizes
        self._sizes = sizes
        self.backend = backend
        self._patches = manifest.max_patches
        activation: DType = "float16" if manifest.precision == "fp16" else "float32"
        capacity = manifest.limits.max_text_ids + 2 + self._patches
        self.cache = open_cache(backend, manifest, capacity, BATCH)
        self._context = backend.allocate((BATCH, sizes.hidden), activation)
        self._patch = backend.allocate((BATCH, 1, sizes.hidden), activation)
        self._recent = np.full((BATCH, sizes.compressor_context), NO_TOKEN, np.int64)
        self._positions = np.zeros(0, np.float32)

    def prefix(self) -> Prefix:
        """Return a copy of the state after `prefill`, for a row of a batch. Raises BackendError for device memory."""
        keys, values = self.cache.arrays()
        return Prefix(self._context.array().copy(), self._recent.copy(), self._positions, keys, values)

    def room(self, voice: Voice) -> int:
        """Text ids that one utterance of this voice may have."""
        return self.manifest.limits.max_text_ids - len(voice.prompt_text_ids)

    def speech_seconds(self, voice: Voice) -> float:
        """Seconds of speech that the cache has room for after a voice's prompt."""
        return self.manifest.limits.seconds - len(voice.prompt_tokens) / self.manifest.token_rate

    def bounds(self, ids: int, voice: Voice) -> LengthLimits:
        """Return the length limits of an utterance of `ids` text ids, by the bundle's pace and within the cache."""
        limits, patch = self.manifest.limits, self._sizes.patch
        room = self._patches - len(voice.prompt_tokens) // patch
        early, most = 0.0, limits.max_tokens_per_id * ids
        if limits.pace is not None and not len(voice.prompt_tokens):  # a prompt sets its own pace
            early, most = limits.pace.range(ids)  # not the tokens per id, too few for "No!"
        patches = max(1, min(math.ceil(most / patch), room))
        return LengthLimits(math.ceil(limits.min_tokens_per_id * ids), patches, early=math.ceil(early))

    def prefix_length(self, ids: int, voice: Voice) -> int:
        """Cache positions of an utterance of `ids` text ids before its first own patch: SOS, text, TASK and prompt."""
        return len(voice.prompt_text_ids) + ids + 2 + len(voice.prompt_tokens) // self._sizes.patch

    def decode(self, ids: Sequence[int], voice: Voice, options: SamplingOptions, random: np.random.Generator,
               cancelled: Callable[[], bool], bounds: LengthLimits | None = None) -> Generator[np.ndarray, None, StoppedBy]:
        """Yield the codec tokens of each patch, int64 [k], the last one cut before the end; return why it stopped.

        Args:
            ids: text ids, at most `room(voice)`.
            voice: speaker and prompt.
            options: how tokens are drawn.
            random: where the k uniforms of each patch come from.
            cancelled: asked before every patch.
            bounds: other bounds than the bundle's.
        """
        progress = SequenceState(self.manifest, options, random, bounds or self.bounds(len(ids), voice))
        draw = self.fixed_inputs(voice, options)
        tokens = self._recent[:, :0]
        self.prefill(ids, voice, progress.bounds.max_patches)
        while not cancelled():
            uniforms, end_allowed = progress.draws()
            whole = progress.patches > 0 and STEP in self.manifest.graphs
            if progress.patches and not whole:
                self.step(tokens)
            wanted = "logits" if progress.unrepeated else "tokens"
            if whole:
                tokens = self._step_whole(tokens, draw, uniforms[None], end_allowed, wanted)
            else:
                tokens = self.extract(draw, uniforms[None], end_allowed, wanted)
            if progress.unrepeated:
                tokens = progress.choose(tokens[0], uniforms)[None]
            spoken, reason = progress.take(tokens[0])
            yield spoken
            if reason is not None:
                return reason
        return "cancel"

    def prefill(self, ids: Sequence[int], voice: Voice, patches: int) -> None:
        """One backbone call over SOS, text, TASK and the prompt's patches; leaves g_0. `patches` may follow."""
        text = np.concatenate((voice.prompt_text_ids, np.asarray(ids, np.int64)))
        if len(text) > self.manifest.limits.max_text_ids:
            limit = self.manifest.limits.max_text_ids
            raise TextError(f"An utterance of {len(text)} text ids is longer than the {limit} that the bundle was "
                            "exported for; split it.")
        embedded = self.backend.run("text_embedding", {"text_ids": text[None]}, fetch=("inputs_embeds",))
        embeds = embedded["inputs_embeds"]
        prompt = voice.prompt_tokens[len(voice.prompt_tokens) % self._sizes.patch:]
        prompt_patches = len(prompt) // self._sizes.patch
        rule, prefix = self.manifest.positions, embeds.shape[1]
        self._positions = positions(rule, self._sizes.patch, prefix, prompt_patches + patches)
        self._recent[:] = NO_TOKEN
        if prompt_patches:
            window = np.concatenate((self._recent, prompt[None]), 1)
            compressed = self.backend.run("compressor", {"tokens": window}, fetch=("patches",))["patches"]
            embeds = np.concatenate((embeds, compressed), 1)
            self._remember(window)
        self.cache.clear()
        self._advance(embeds)

    def step(self, tokens: np.ndarray) -> None:
        """Compress the k tokens just written, int64 [B, k], and run the backbone one position further; leaves g_i."""
        window = np.concatenate((self._recent, tokens), 1)
        self.backend.run("compressor", {"tokens": window}, into={"patches": self._patch})
        self._remember(window)
        self._advance(self._patch)

    def _step_whole(self, tokens: np.ndarray, draw: dict[str, np.ndarray], uniforms: np.ndarray,
                    end_allowed: bool, output: str) -> np.ndarray:
        """`step` and `extract` in one call."""
        window = np.concatenate((self._recent, tokens), 1)
        past, into = self._beside_the_past(1)
        inputs: dict[str, np.ndarray | Memory] = {
            "window": window, **past, "uniforms": uniforms, "end_allowed": np.full(BATCH, end_allowed), **draw,
        }
        found = self.backend.run(STEP, inputs, into=into, fetch=(output,))[output]
        self.cache.advance(1)
        self._remember(window)
        return found

    def extract(self, draw: dict[str, np.ndarray], uniforms: np.ndarray, end_allowed: bool,
                output: str = "tokens") -> np.ndarray:
        """The next k tokens, int64 [B, k], from the present context (or their "logits"); what follows an end means nothing."""
        inputs: dict[str, np.ndarray | Memory] = {
            "context": self._context, "uniforms": uniforms, "end_allowed": np.full(BATCH, end_allowed), **draw,
        }
        return self.backend.run("extractor", inputs, fetch=(output,))[output]

    def _advance(self, embeds: np.ndarray | Memory) -> None:
        """Run the backbone over new positions [B, S, D], host or device; keys and values are appended to the past."""
        length = embeds.shape[1]
        past, into = self._beside_the_past(length)
        self.backend.run("backbone", {"inputs_embeds": embeds, **past}, into={"context": self._context, **into})
        self.cache.advance(length)

    def _beside_the_past(self, length: int) -> tuple[dict[str, np.ndarray | Memory], dict[str, Memory]]:
        """Return the inputs that the next `length` positions need, and the memory for their keys and values."""
        past = self.cache.length
        given, into = self.cache.tensors(length)
        return {"positions": np.tile(self._positions[past:past + length], (BATCH, 1)),
                "past_length": np.full(BATCH, past, np.int64), **given}, into

    def _remember(self, window: np.ndarray) -> None:
        """Keep the last w - 1 tokens for the next call of the compressor."""
        self._recent[:] = window[:, window.shape[1] - self._sizes.compressor_context:]

    def fixed_inputs(self, voice: Voice, options: SamplingOptions) -> dict[str, np.ndarray]:
        """The extractor's inputs that stay the same through an utterance: sampling options, and a patch model's speaker."""
        speaker = {} if self._sizes.token_level else {"speaker": np.tile(voice.speaker, (BATCH, 1))}
        return {**options.inputs(BATCH), **speaker}


def positions(rule: Positions, patch: int, prefix: int, patches: int) -> np.ndarray:
    """Rotary positions float32 [prefix + patches] of a prefix (SOS and TASK included) and the patches after it."""
    if rule.speech_start is None:
        return np.arange(prefix + patches, dtype=np.float32)
    text = np.arange(prefix - 1, dtype=np.float32) * np.float32(rule.text_stride)
    speech = np.float32(rule.speech_start) + patch * np.arange(-1, patches, dtype=np.float32)
    return np.concatenate((text, speech))
