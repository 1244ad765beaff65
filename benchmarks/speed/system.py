"""One loaded bundle that decodes to a forced length and says where each patch's time went."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from runtime.backends import create_backend
from runtime.bundle.manifest import Limits
from runtime.bundle.reader import Bundle
from runtime.bundle.voice import Voice
from runtime.decoding.decoder import Decoder
from runtime.decoding.sampling import uniform_source
from runtime.decoding.sequence import LengthLimits
from runtime.errors import OptionError
from runtime.options import SamplingOptions
from runtime.vocoder.vocoding import VocoderOpener, vocoder_opener

FLOW_STAGES = ("flow_encoder", "flow_estimator")
VOCODER_STAGES = ("vocoder", "pitch", "waveform")
FIRST_IDS = 30
"""Text ids are drawn below this number, which every vocabulary has."""


@dataclass
class Sample:
    """One forced utterance. Rows of `stages` are patches; the first one holds the prefill."""

    seconds: float
    tokens: int
    patch: np.ndarray
    """float64 [N]: seconds of each patch before the vocoder, host included."""
    stages: dict[str, np.ndarray]
    """float64 [N] each, by stage."""
    total: float
    """Seconds from the call to the last token or sample."""
    first_audio: float | None
    kv_allocated: int
    kv_used: int
    kv_speech: int
    joules: float | None = None

    @property
    def lm_seconds(self) -> float:
        """Everything but flow and vocoder."""
        return float(self.patch.sum())

    @property
    def rtf(self) -> float:
        """Compute over audio."""
        return self.total / self.seconds


@dataclass
class _Stages:
    """Seconds of each stage since the last patch, as a backend's hook."""

    now: dict[str, float] = field(default_factory=dict)

    def add(self, graph: str, seconds: float) -> None:
        stage = stage_of(graph)
        self.now[stage] = self.now.get(stage, 0.0) + seconds

    def take(self) -> dict[str, float]:
        taken, self.now = self.now, {}
        return taken


class MeasuredSystem:
    """Graphs of a bundle, loaded; one utterance at a time."""

    def __init__(self, name: str, bundle: Bundle, provider: str, threads: int) -> None:
        self.name = name
        self.bundle = bundle
        self._backend = create_backend(bundle, provider, threads)
        vocoder = bundle.manifest.vocoder
        self._vocoders: VocoderOpener | None = None if vocoder is None else vocoder_opener(bundle, vocoder, self._backend)
        self._voice = default_voice(bundle)

    @property
    def provider(self) -> str:
        """The execution provider that really runs the graphs."""
        return self._backend.provider

    def close(self) -> None:
        """Release the graphs."""
        self._backend.close()

    def run(self, seconds: float, text_ids: int, seed: int = 0) -> Sample:
        """Decode, and vocode where the bundle can, exactly `seconds` of audio after `text_ids` random ids."""
        manifest = self.bundle.manifest
        tokens = round(seconds * manifest.token_rate)
        patches = math.ceil(tokens / manifest.sizes.patch)
        decoder = Decoder(msgspec.structs.replace(manifest, limits=exact_limits(self.bundle, self._voice, patches, text_ids)),
                          self._backend)
        stages, rows, times, spent = _Stages(), list[dict[str, float]](), list[float](), 0
        self._backend.record_into({}, stages.add)
        begin = time.perf_counter()
        vocoder = None if self._vocoders is None else self._vocoders(self._voice)
        vocoder_rows, first_audio, made = [stages.take()], None, time.perf_counter()
        bounds = LengthLimits(tokens + manifest.sizes.patch, patches, watch=False)
        for part in decoder.decode(random_ids(text_ids, seed), self._voice, SamplingOptions(),
                                   uniform_source(seed, 0, 0), lambda: False, bounds):
            times.append(time.perf_counter() - made)
            rows.append(stages.take())
            spent += len(part)
            if vocoder is not None:
                samples = vocoder.push(part)
                first_audio = first_audio or (time.perf_counter() - begin if len(samples) else None)
            vocoder_rows.append(stages.take())
            made = time.perf_counter()
        if vocoder is not None:
            samples = vocoder.flush()
            first_audio = first_audio or time.perf_counter() - begin
            vocoder_rows.append(stages.take())
        total = time.perf_counter() - begin
        cache, sizes = decoder.cache, manifest.sizes
        return Sample(spent / manifest.token_rate, spent, np.array(times), _columns(rows, times, vocoder_rows), total,
                      first_audio, cache.bytes_allocated, cache.bytes_used, sizes.cache_bytes(patches, manifest.precision))


def stage_of(graph: str) -> str:
    """The stage that a graph belongs to: flow, vocoder, or its own name in the language model."""
    return "flow" if graph in FLOW_STAGES else "vocoder" if graph in VOCODER_STAGES else graph


def random_ids(count: int, seed: int) -> list[int]:
    """Text ids that any bundle takes: what is said does not change what it costs."""
    return [int(value) for value in np.random.default_rng(seed).integers(1, FIRST_IDS, count)]


def default_voice(bundle: Bundle) -> Voice:
    """The bundle's own voice, or a speaker of zeros where it has none."""
    if bundle.manifest.default_voice is not None:
        return bundle.voice()
    none = np.zeros(0, np.int64)
    return Voice("none", np.zeros(bundle.manifest.sizes.speaker, np.float32), none, none)


def exact_limits(bundle: Bundle, voice: Voice, patches: int, text_ids: int) -> Limits:
    """Limits whose cache holds just this text, this voice's prompt and these patches. OptionError where it is too small."""
    manifest = bundle.manifest
    rate, patch, limits = manifest.token_rate, manifest.sizes.patch, manifest.limits
    ids = text_ids + len(voice.prompt_text_ids)
    wanted = patches + len(voice.prompt_tokens) // patch
    if wanted > limits.max_patches(rate, patch):
        raise OptionError(f"{bundle.root} was exported for {limits.max_seconds:g} s, prompt included, not "
                          f"{wanted * patch / rate:g}; ask for less, or export it with a larger --max-seconds.")
    if ids > limits.max_text_ids:
        raise OptionError(f"{bundle.root} takes {limits.max_text_ids} text ids at most, not {ids}; lower --text-ids.")
    seconds = (wanted - 0.5) * patch / rate  # in the middle of the last patch, so that no rounding adds one
    return msgspec.structs.replace(limits, max_seconds=seconds, max_text_ids=ids)


def _columns(rows: Sequence[dict[str, float]], times: Sequence[float],
             vocoder_rows: Sequence[dict[str, float]]) -> dict[str, np.ndarray]:
    """Seconds by stage, one row per patch; calls after the vocoder's last patch count for the last patch."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: np.array([row.get(name, 0.0) for row in rows]) for name in names}
    behind = list(dict.fromkeys(name for row in vocoder_rows for name in row))
    for name in behind:
        column = np.array([row.get(name, 0.0) for row in vocoder_rows[1:1 + len(rows)]])
        column[0] += vocoder_rows[0].get(name, 0.0)
        column[-1] += sum(row.get(name, 0.0) for row in vocoder_rows[1 + len(rows):])
        columns[name] = columns.get(name, 0.0) + column
    inside = sum(columns[name] for name in names) if names else 0.0
    columns["host"] = np.maximum(0.0, np.array(times) - inside)
    return columns
