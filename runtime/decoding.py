"""The patch loop: prefix -> g_0 -> k tokens -> patch -> backbone step -> g_1 -> ... until the model ends its speech.

    tokens of patch i --compressor--> p_i --backbone, one step--> g_i --extractor(g_i, speaker)--> tokens of patch i + 1

The token-level baseline runs in the same loop with patches of one token.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np

from runtime.backends.base import Backend, Memory
from runtime.cache import KVCache
from runtime.contract import NO_TOKEN, DType
from runtime.errors import TextError
from runtime.manifest import Limits, Manifest, Positions
from runtime.sampling import SamplingOptions, draw_unrepeated
from runtime.stats import StoppedBy
from runtime.voice import Voice
from runtime.watchdog import Watchdog

BATCH = 1
"""Rows decoded together; every shape below carries the axis."""


@dataclass(frozen=True)
class Bounds:
    """How long one utterance may get. With min_tokens beyond max_patches its length is forced, for benchmarks."""

    min_tokens: int
    """The end may only be drawn in a patch that starts after this many tokens."""
    max_patches: int
    watch: bool = True
    """Whether a repeating model is stopped."""


class Decoder:
    """Text ids to codec tokens, one utterance at a time; cache and other memory are allocated once."""

    def __init__(self, manifest: Manifest, backend: Backend) -> None:
        self.manifest = manifest
        sizes = manifest.sizes
        self._sizes = sizes
        self._backend = backend
        self._patches = patch_capacity(manifest.limits, manifest.token_rate, sizes.patch)
        activation: DType = "float16" if manifest.precision == "fp16" else "float32"
        capacity = manifest.limits.max_text_ids + 2 + self._patches
        self.cache = KVCache(backend, sizes, manifest.precision, capacity, BATCH)
        self._context = backend.allocate((BATCH, sizes.hidden), activation)
        self._patch = backend.allocate((BATCH, 1, sizes.hidden), activation)
        self._recent = np.full((BATCH, sizes.compressor_context), NO_TOKEN, np.int64)
        self._positions = np.zeros(0, np.float32)

    def room(self, voice: Voice) -> int:
        """Text ids that one utterance of this voice may have."""
        return self.manifest.limits.max_text_ids - len(voice.prompt_text_ids)

    def bounds(self, ids: int, voice: Voice) -> Bounds:
        """What an utterance of `ids` text ids may take: the bundle's tokens per id, within the cache."""
        limits, patch = self.manifest.limits, self._sizes.patch
        room = self._patches - len(voice.prompt_tokens) // patch
        wanted = math.ceil(limits.max_tokens_per_id * ids / patch)
        return Bounds(math.ceil(limits.min_tokens_per_id * ids), max(1, min(wanted, room)))

    def decode(self, ids: Sequence[int], voice: Voice, options: SamplingOptions, random: np.random.Generator,
               cancelled: Callable[[], bool], bounds: Bounds | None = None) -> Generator[np.ndarray, None, StoppedBy]:
        """Yield the codec tokens of each patch, int64 [k], the last one cut before the end; return why it stopped.

        Args:
            ids: text ids, at most `room(voice)`.
            voice: speaker and prompt.
            options: how tokens are drawn.
            random: where the k uniforms of each patch come from.
            cancelled: asked before every patch.
            bounds: other bounds than the bundle's.
        """
        bounds = bounds or self.bounds(len(ids), voice)
        draw = self._fixed_inputs(voice, options)
        watchdog = Watchdog(self.manifest.token_rate)
        recent: deque[int] = deque(maxlen=self.manifest.sampling.repetition_window)
        unrepeated = self._sizes.token_level and recent.maxlen and not options.greedy
        tokens = self._recent[:, :0]
        self.prefill(ids, voice, bounds.max_patches)
        for patch in range(bounds.max_patches):
            if cancelled():
                return "cancel"
            if patch:
                self.step(tokens)
            uniforms = random.random((BATCH, self._sizes.patch), np.float32)
            end_allowed = patch * self._sizes.patch >= bounds.min_tokens
            if unrepeated:
                tokens = self._extract_unrepeated(draw, uniforms, end_allowed, options, recent, random)
            else:
                tokens = self.extract(draw, uniforms, end_allowed)
            spoken = before_end(tokens[0], self._sizes.codes)
            yield spoken
            if len(spoken) < self._sizes.patch:
                return "end"
            if bounds.watch and watchdog.push(spoken.tolist()):
                return "repetition"
        return "length"

    def prefill(self, ids: Sequence[int], voice: Voice, patches: int) -> None:
        """One backbone call over SOS, text, TASK and the prompt's patches; leaves g_0. `patches` may follow."""
        text = np.concatenate((voice.prompt_text_ids, np.asarray(ids, np.int64)))
        if len(text) > self.manifest.limits.max_text_ids:
            limit = self.manifest.limits.max_text_ids
            raise TextError(f"An utterance of {len(text)} text ids is longer than the {limit} that the bundle was "
                            "exported for; split it.")
        embedded = self._backend.run("text_embedding", {"text_ids": text[None]}, fetch=("inputs_embeds",))
        embeds = embedded["inputs_embeds"]
        prompt = voice.prompt_tokens[len(voice.prompt_tokens) % self._sizes.patch:]
        prompt_patches = len(prompt) // self._sizes.patch
        rule, prefix = self.manifest.positions, embeds.shape[1]
        self._positions = positions(rule, self._sizes.patch, prefix, prompt_patches + patches)
        self._recent[:] = NO_TOKEN
        if prompt_patches:
            window = np.concatenate((self._recent, prompt[None]), 1)
            compressed = self._backend.run("compressor", {"tokens": window}, fetch=("patches",))["patches"]
            embeds = np.concatenate((embeds, compressed), 1)
            self._remember(window)
        self.cache.clear()
        self._advance(embeds)

    def step(self, tokens: np.ndarray) -> None:
        """Compress the k tokens just written, int64 [B, k], and run the backbone one position further; leaves g_i."""
        window = np.concatenate((self._recent, tokens), 1)
        self._backend.run("compressor", {"tokens": window}, into={"patches": self._patch})
        self._remember(window)
        self._advance(self._patch)

    def extract(self, draw: dict[str, np.ndarray], uniforms: np.ndarray, end_allowed: bool) -> np.ndarray:
        """The next k tokens, int64 [B, k], from the present context; what follows an end among them means nothing."""
        inputs: dict[str, np.ndarray | Memory] = {
            "context": self._context, "uniforms": uniforms, "end_allowed": np.full(BATCH, end_allowed), **draw,
        }
        return self._backend.run("extractor", inputs, fetch=("tokens",))["tokens"]

    def _extract_unrepeated(self, draw: dict[str, np.ndarray], uniforms: np.ndarray, end_allowed: bool,
                            options: SamplingOptions, recent: deque[int], random: np.random.Generator) -> np.ndarray:
        """The same at token level, drawn here by repetition-aware sampling, which looks back at `recent`."""
        inputs: dict[str, np.ndarray | Memory] = {
            "context": self._context, "uniforms": uniforms, "end_allowed": np.full(BATCH, end_allowed), **draw,
        }
        logits = self._backend.run("extractor", inputs, fetch=("logits",))["logits"][0, 0]
        draws = (float(uniforms[0, 0]), random.random())
        recent.append(draw_unrepeated(logits, options, recent, self.manifest.sampling.repetitions, draws))
        return np.array([[recent[-1]]], np.int64)

    def _advance(self, embeds: np.ndarray | Memory) -> None:
        """One backbone call over new positions [B, S, D], host or device; keys and values go right behind the past."""
        past, length = self.cache.length, embeds.shape[1]
        past_keys, past_values = self.cache.past()
        present_keys, present_values = self.cache.room(length)
        self._backend.run(
            "backbone",
            {"inputs_embeds": embeds, "positions": np.tile(self._positions[past:past + length], (BATCH, 1)),
             "past_length": np.full(BATCH, past, np.int64), "past_keys": past_keys, "past_values": past_values},
            into={"context": self._context, "present_keys": present_keys, "present_values": present_values},
        )
        self.cache.advance(length)

    def _remember(self, window: np.ndarray) -> None:
        """Keep the last w - 1 tokens for the next call of the compressor."""
        self._recent[:] = window[:, window.shape[1] - self._sizes.compressor_context:]

    def _fixed_inputs(self, voice: Voice, options: SamplingOptions) -> dict[str, np.ndarray]:
        speaker = {} if self._sizes.token_level else {"speaker": np.tile(voice.speaker, (BATCH, 1))}
        return {**options.inputs(BATCH), **speaker}


def patch_capacity(limits: Limits, token_rate: float, patch: int) -> int:
    """Patches that the cache has room for behind the prefix, the prompt's among them."""
    return math.ceil(limits.max_seconds * token_rate / patch)


def positions(rule: Positions, patch: int, prefix: int, patches: int) -> np.ndarray:
    """Rotary positions float32 [prefix + patches] of a prefix (SOS and TASK included) and the patches behind it."""
    if rule.speech_start is None:
        return np.arange(prefix + patches, dtype=np.float32)
    text = np.arange(prefix - 1, dtype=np.float32) * np.float32(rule.text_stride)
    speech = np.float32(rule.speech_start) + patch * np.arange(-1, patches, dtype=np.float32)
    return np.concatenate((text, speech))


def before_end(tokens: np.ndarray, codes: int) -> np.ndarray:
    """The tokens of a patch [k] before the first that is no code: all of them if none ends the speech."""
    ends = np.flatnonzero(tokens >= codes)
    return tokens[:ends[0]] if ends.size else tokens
