"""CosyVoice3's flow matching, chunk by chunk: codec tokens to mel frames, then to samples.

Frames attend to their own chunk, the prompt, and a window of what was said before. Keys and values of earlier frames are kept
for every step of the flow, so a chunk costs the same at any position, and an utterance gives the same samples streamed or
whole. The prompt is computed once per voice.
"""

from __future__ import annotations

import math

import numpy as np

from ..backends.base import Backend, Memory
from ..bundle.contract import NO_TOKEN, DType, Precision
from ..bundle.manifest import Flow, Vocoder
from ..bundle.voice import Voice
from ..errors import BackendError, VoiceError
from .mel_vocoder import MelVocoder

ROWS = 2
"""The conditioned and the unconditioned velocity, computed together."""
NEVER = 1 << 40
"""Chunk number of cache rows that may not be seen: they are being written over."""


class FlowEngine:
    """State that all utterances share: keys and values of every step, allocated once per voice, its prompt first."""

    def __init__(self, backend: Backend, vocoder: Vocoder, flow: Flow, precision: Precision, noise: np.ndarray) -> None:
        self.flow, self.sizes, self.vocoder, self.backend = flow, flow.sizes, vocoder, backend
        self.chunk = flow.chunk_tokens * flow.sizes.frames_per_token
        self._activation: DType = "float16" if precision == "fp16" else "float32"
        self._noise = noise
        self._times = (1 - np.cos(np.linspace(0, 1, flow.steps + 1) * 0.5 * np.pi)).astype(np.float32)
        self._voice: Voice | None = None
        self._caches: list[tuple[Memory, Memory]] = []
        self._prompt_inputs: list[np.ndarray] = []
        self.prompt_rows = 0
        """Cache rows of the prompt: its whole chunks."""

    def begin(self, voice: Voice) -> list[np.ndarray]:
        """Have the voice's prompt in the caches; gives what each step's next chunk looks back at."""
        if voice is not self._voice:
            self._voice = None
            self._allocate(voice)
            self._run_prompt(voice)
            self._voice = voice
        return list(self._prompt_inputs)

    def cache_bytes(self) -> int:
        """Bytes of all steps' keys and values."""
        return sum(keys.nbytes + values.nbytes for keys, values in self._caches)

    def condition(self, tokens: np.ndarray, speaker: np.ndarray, begin: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """mu [1, T, M] of the tokens begin..end and the speaker [1, M]; what is outside of `tokens` counts as not there."""
        left, right = begin - self.sizes.token_look_back, end + self.sizes.token_lookahead
        window = np.full(right - left, NO_TOKEN, np.int64)
        inside = tokens[max(left, 0):right]
        window[max(-left, 0):max(-left, 0) + len(inside)] = inside
        outputs = self.backend.run("flow_encoder", {"codec_tokens": window[None], "speaker": speaker[None]},
                                   fetch=("mu", "speaker_mel"))
        return outputs["mu"], outputs["speaker_mel"]

    def noise(self, numbers: np.ndarray) -> np.ndarray:
        """Return the initial noise of the frames with these numbers, float32 [T, M]."""
        taken: np.ndarray = np.take(self._noise, numbers, axis=0, mode="wrap")
        return taken

    def solve(self, mu: np.ndarray, cond: np.ndarray, speaker: np.ndarray, start: int, seen: np.ndarray, row: int,
              inputs: list[np.ndarray]) -> np.ndarray:
        """Mel frames float32 [T, M] from frame `start` on, by Euler's steps.

        `inputs` moves on, cache rows from `row` on are written; `seen` int64 [P] has the chunk number of each row in use.
        """
        frames = mu.shape[1]
        numbers = np.arange(start, start + frames)
        x = self.noise(numbers)[None]
        fixed = {
            "mu": _with_nothing(mu), "cond": _with_nothing(cond), "speaker_mel": _with_nothing(speaker),
            "positions": np.tile(numbers.astype(np.float32), (ROWS, 1)),
            "chunks": np.tile(numbers // self.chunk, (ROWS, 1)), "past_chunks": np.tile(seen, (ROWS, 1)),
        }
        for step, (keys, values) in enumerate(self._caches):
            given: dict[str, np.ndarray | Memory] = {
                **fixed, "x": np.tile(x, (ROWS, 1, 1)), "time": np.full(ROWS, self._times[step]), "past_inputs": inputs[step],
                "past_keys": keys.rows(0, len(seen)), "past_values": values.rows(0, len(seen)),
            }
            into = {"present_keys": keys.rows(row, row + frames), "present_values": values.rows(row, row + frames)}
            outputs = self.backend.run("flow_estimator", given, into=into, fetch=("velocity", "next_inputs"))
            inputs[step] = outputs["next_inputs"]
            guided = (1 + self.flow.guidance) * outputs["velocity"][:1] - self.flow.guidance * outputs["velocity"][1:]
            x = x + (self._times[step + 1] - self._times[step]) * guided
        if not np.isfinite(x).all():
            raise BackendError("The flow computed mel frames that are not finite; use an FP32 bundle or provider cpu.")
        mel: np.ndarray = x[0]
        return mel

    def _allocate(self, voice: Voice) -> None:
        whole = max(0, len(voice.flow_tokens) - self.sizes.token_lookahead) // self.flow.chunk_tokens
        rows = whole * self.chunk + self.flow.window_frames
        if not self._caches or self._caches[0][0].shape[0] < rows:
            self._caches.clear()
            shape = (rows, self.sizes.layers, ROWS, self.sizes.heads, self.sizes.head_dim)
            self._caches = [(self.backend.allocate(shape, self._activation), self.backend.allocate(shape, self._activation))
                            for _ in range(self.flow.steps)]
        self.prompt_rows = whole * self.chunk

    def _run_prompt(self, voice: Voice) -> None:
        self._prompt_inputs = [np.zeros((ROWS, self.sizes.past_inputs, self.sizes.width), np.float32)
                               for _ in range(self.flow.steps)]
        if self.prompt_rows:
            mu, speaker = self.condition(voice.flow_tokens, voice.speaker, 0, self.prompt_rows // self.sizes.frames_per_token)
            cond = voice.flow_mel[None, :self.prompt_rows]
            self.solve(mu, cond, speaker, 0, np.zeros(0, np.int64), 0, self._prompt_inputs)


class FlowVocoder:
    """One utterance: tokens in, samples out."""

    def __init__(self, engine: FlowEngine, voice: Voice) -> None:
        if voice.speaker.shape != (engine.sizes.speaker,):
            raise VoiceError(f"Voice {voice.name!r} does not fit this bundle's vocoder.")
        self._engine, self._voice = engine, voice
        self._inputs = engine.begin(voice)
        self._tokens = voice.flow_tokens
        self._done = engine.prompt_rows
        """Frames whose mel is known, the prompt's among them."""
        self._silent = 0
        self._any = False
        self._waves = MelVocoder(engine.backend, engine.vocoder, engine.flow)

    def push(self, tokens: np.ndarray) -> np.ndarray:
        """Samples float32 [T] that the tokens int64 [N] complete; none until a chunk and its lookahead are there."""
        heard = self._audible(tokens)
        self._any |= bool(len(heard))
        self._tokens = np.concatenate((self._tokens, heard))
        engine, pieces = self._engine, []
        ready = (len(self._tokens) - engine.sizes.token_lookahead) * engine.sizes.frames_per_token
        while self._done + engine.chunk <= ready:
            pieces.append(self._waves.push(self._next_frames(self._done + engine.chunk)))
        return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)

    def flush(self) -> np.ndarray:
        """The last samples, once, at the end; none if there was no token."""
        end = len(self._tokens) * self._engine.sizes.frames_per_token
        if not self._any:
            return np.zeros(0, np.float32)
        pieces = [np.zeros((0, self._engine.sizes.mel), np.float32)]
        while self._done < end:
            pieces.append(self._next_frames(min(self._done + self._engine.chunk, end)))
        return self._waves.push(np.concatenate(pieces), last=True)

    def _next_frames(self, end: int) -> np.ndarray:
        """Mel float32 [T, M] of the frames up to `end`, one chunk at most, without the prompt's."""
        engine, voice, ratio = self._engine, self._voice, self._engine.sizes.frames_per_token
        mu, speaker = engine.condition(self._tokens, voice.speaker, self._done // ratio, math.ceil(end / ratio))
        cond = np.zeros_like(mu)
        prompt = voice.flow_mel[self._done:end]
        cond[0, :len(prompt)] = prompt
        row, seen = self._place(end - self._done)
        mel = engine.solve(mu, cond, speaker, self._done, seen, row, self._inputs)
        self._done = end
        return mel[len(prompt):]

    def _place(self, frames: int) -> tuple[int, np.ndarray]:
        """Cache row where the next chunk goes, and the chunk of every row that it may see: the oldest one makes room.

        What is written over is masked, so it does not matter when the graph writes.
        """
        engine = self._engine
        window, said = engine.flow.window_frames, self._done - engine.prompt_rows
        used = min(said, window)
        row = engine.prompt_rows + said % window
        seen = np.zeros(engine.prompt_rows + used, np.int64)
        seen[row:row + frames] = NEVER
        return row, seen

    def _audible(self, tokens: np.ndarray) -> np.ndarray:
        """The tokens without those that would make a silence longer than the model's rule allows."""
        flow, kept = self._engine.flow, []
        for token in tokens.tolist():
            self._silent = self._silent + 1 if token in flow.silent_tokens else 0
            if self._silent <= flow.max_silent or not flow.silent_tokens:
                kept.append(token)
        return np.array(kept, np.int64)


def _with_nothing(x: np.ndarray) -> np.ndarray:
    """x [1, ...] and zeros of its shape: [2, ...]."""
    return np.concatenate((x, np.zeros_like(x)))
