"""`bundle.json`: what a bundle holds, as frozen structs that refuse unknown fields."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from .contract import FlowSizes, Graph, Precision, Sizes

SCHEMA = 1
MANIFEST = "bundle.json"
Weights = Literal["int8", "int4"]


class Positions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rotary positions of the global sequence.

    `speech_start` unset: counted through, one each. Set: prefix element i has position i * text_stride, patch i (from 0) at
    speech_start + i * patch, and the last prefix element (TASK) one patch before patch 0.
    """

    text_stride: float = 1.0
    speech_start: float | None = None


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Defaults of the draw (paper: 0.7 / 25 / 0.7)."""

    temperature: float = 0.7
    top_k: int = 25
    top_p: float = 0.7
    repetition_window: int = 0
    """Repetition-aware sampling, at token level only: a token drawn that occurs in the last this many tokens ..."""
    repetitions: int = 1
    """... at least this often is forbidden, and another one drawn from all the rest. 0 tokens: plain sampling."""


class Pace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Duration model: n text ids take `least` to `most` times `tokens` + `tokens_per_id` n codec tokens."""

    tokens: float
    tokens_per_id: float
    least: float
    most: float

    def range(self, ids: int) -> tuple[float, float]:
        """Fewest and most codec tokens of a good reading of `ids` text ids."""
        usual = self.tokens + self.tokens_per_id * ids
        return self.least * usual, self.most * usual


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Sizes of the cache, and the range of codec tokens per text id (a missing end is detected by it)."""

    max_seconds: float
    max_text_ids: int
    min_tokens_per_id: float
    max_tokens_per_id: float
    pace: Pace | None = None
    """What readings without a prompt keep to, in place of `max_tokens_per_id`; one outside has lost words, or the end."""

    prompt_seconds: float | None = None
    """Room in the cache for a recording that a voice continues, besides `max_seconds`. None: it takes from these."""

    @property
    def seconds(self) -> float:
        """Seconds of prompt and speech together that the cache has room for."""
        return self.max_seconds + (self.prompt_seconds or 0.0)

    def max_patches(self, token_rate: float, patch: int) -> int:
        """Patches that the cache has room for after the prefix, the prompt's patches included."""
        return math.ceil(self.seconds * token_rate / patch)


class Flow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of CosyVoice3's flow vocoder."""

    sizes: FlowSizes
    chunk_tokens: int
    """The estimator's frames attend to their own chunk of this many tokens and to earlier ones."""
    steps: int
    """Euler steps of the flow."""
    guidance: float
    """Weight of the conditioned velocity beyond one, taken from the unconditioned one."""
    window_frames: int
    """Frames said before that a new chunk attends to; the prompt's come on top."""
    pitch_look_back: int
    wave_look_back: int
    """Mel frames of past with which `pitch` and `waveform` give what the whole utterance would have given."""
    voiced_above: float
    """Hertz."""
    noise: str
    """Path of the .npy file, float32 [frames, mel], that the flow starts from."""
    silent_tokens: tuple[int, ...] = ()
    max_silent: int = 0
    """Silent tokens in a row that are kept; more of them are left out."""


class Vocoder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Vocoder of a bundle; `kind` names the runtime class that runs its graphs."""

    kind: Literal["streaming", "flow"]
    sample_rate: int
    samples_per_token: int
    lookahead: int
    state: int
    flow: Flow | None = None
    """Set where `kind` is flow, which carries no state vector."""


class Encoders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """ONNX models that make a voice of a recording, tensors known by their order."""

    speaker: str
    """To a speaker embedding. `cosyvoice3`: from Kaldi's filter bank float32 [1, T, 80], its mean taken off."""
    tokens: str
    """To codec tokens. `cosyvoice3`: from Whisper's log-mel float32 [1, 128, T] and int32 [1], T."""
    features: Literal["cosyvoice3", "codec-mel"] = "cosyvoice3"
    """What they read. `cosyvoice3`: as above, passed through from the checkpoint. `codec-mel`: both the log-mel frames of the
    embedded voice's codec; the graphs are those of `runtime.bundle.contract.auxiliary_graphs`."""


class Parity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One graph output against PyTorch, at its worst over several lengths."""

    graph: str
    output: str
    max_abs: float
    relative: float
    tolerance: float


class KeptNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node of an FP16 graph that computes in float32, and why."""

    node: str
    operator: str
    reason: str
    max_abs: float


class HalfRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """FP16 check of a graph: ranges and errors on recorded calls, every value rounded as a GPU rounds it."""

    graph: str
    nodes: int
    """Nodes that take or give float16 values, without the kept ones."""
    max_abs: float
    """Largest magnitude of any float16 value; the type ends at 65,504."""
    node: str
    """The node that gives it."""
    relative: float
    """Largest error against the same graph in float32, as a part of the largest value of an output."""
    kept: tuple[KeptNode, ...]


class AudioCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole utterances of an FP16 bundle against the same graphs in float32."""

    utterances: int
    equal: int
    """Utterances with the same greedy tokens."""
    spectral: float
    """Largest difference of the spectra of those, as a part of the loudest."""
    heard_alike: int | None = None
    """Unused; in bundles of before December 2026 the number of utterances with equal transcripts."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`bundle.json`. Paths are relative to the bundle, with forward slashes; `files` maps each to its sha256."""

    schema: int
    model: str
    precision: Precision
    token_rate: float
    sizes: Sizes
    positions: Positions
    sampling: Sampling
    limits: Limits
    text: Literal["english-phonemes", "qwen2", "none"]
    """`none`: the bundle takes ids only, as one of a preset with random weights does; it can be measured, not spoken with."""
    vocoder: Vocoder | None
    default_voice: str | None
    voices: dict[str, str]
    graphs: dict[str, Graph]
    files: dict[str, str]
    parity: tuple[Parity, ...]
    greedy_sentences: int
    """Sentences on which the ONNX loop gave exactly the PyTorch loop's greedy tokens at export (0: not checked)."""
    tools: dict[str, str]
    licence: str
    half: tuple[HalfRange, ...] = ()
    """FP16 bundles: each graph's proof that float16 holds. Empty: not checked."""
    audio: AudioCheck | None = None
    """FP16 bundles that speak: the same for whole utterances."""
    weights: Weights | None = None
    """Weight-only quantisation of compressor, backbone and extractor: in fp32 bundles by an operator that only ONNX Runtime
    has, for CPUs; in fp16 ones for TensorRT, and of a flow's estimator with them."""
    encoders: Encoders | None = None
    """What `clone_voice` needs; None where the bundle cannot."""
    listener: str | None = None
    """ONNX model of the phoneme recogniser that verifies sentences (`runtime.bundle.contract.auxiliary_graphs`)."""
    phoneme_lag: float = 0.0
    """Seconds from the sound of a phoneme to the codec tokens in which the recogniser finds it, -0.2 to 0.2."""
    cpu: bool = False
    """Whether the backbone is written in operators that only ONNX Runtime has, for its CPU kernels, and keeps keys and values
    of each layer in a piece of their own."""

    @property
    def numbers(self) -> str:
        """`numbers_of` the bundle."""
        return numbers_of(self.precision, self.weights)

    @property
    def max_patches(self) -> int:
        """Patches that the cache has room for after the prefix, the prompt's patches included."""
        return self.limits.max_patches(self.token_rate, self.sizes.patch)

    def graph_path(self, name: str) -> str:
        """Return the path of graph `name`, relative to the bundle."""
        return f"onnx/{name}.onnx"


def numbers_of(precision: Precision, weights: Weights | None) -> str:
    """Activations and weights in a word: fp16, int4 (for CPUs), fp16-int4 (for TensorRT)."""
    return precision if weights is None else weights if precision == "fp32" else f"{precision}-{weights}"
