"""The graphs of a bundle, described once: export, parity, `bundle.json`, engine profiles, backends and tests derive from this.

Axes are names (dynamic) or integers (fixed). "activation" tensors are float16 in an fp16 bundle and float32 in an fp32 one;
every other dtype is literal. The loop that joins the graphs is in `runtime.decoding.decoder`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

DType = Literal["int64", "float32", "float16", "bool"]
Precision = Literal["fp32", "fp16"]
Axis = str | int

NO_TOKEN = -1
"""Codec token that is not there: left padding of the compressor, flush of the vocoder."""

BATCH, TEXT, LENGTH, PAST, PATCHES, TOKENS, FRAMES = "batch", "text", "length", "past", "patches", "tokens", "frames"
CAPACITY = "capacity"
"""Dynamic axes."""

STEP = "step"
"""The graph of `step_graph`."""

ENCODER_BANDS, ENCODER_STRIDE = 80, 4
"""Mel bands that the embedded voice's encoders read, and frames per token."""


class Tensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input or output: name, dtype and axes."""

    name: str
    dtype: DType
    axes: tuple[Axis, ...]


class Graph(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ONNX graph's inputs and outputs, in order."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class Sizes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The integers that fix every shape. `window` is the compressor's (1 at token level), `patch` 1 means token level."""

    patch: int
    hidden: int
    layers: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    codes: int
    window: int
    speaker: int

    @property
    def token_level(self) -> bool:
        """Return whether a patch is one token: compressor = speech embedding, extractor = linear head."""
        return self.patch == 1

    @property
    def compressor_context(self) -> int:
        """Tokens before the first patch that every compressor call carries."""
        return self.window - 1

    def cache_bytes(self, positions: int, precision: Precision, batch: int = 1) -> int:
        """Bytes of keys and values of `positions`: 2 L H E positions x bytes of an element."""
        return 2 * self.layers * self.kv_heads * self.head_dim * positions * batch * (2 if precision == "fp16" else 4)


class FlowSizes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The integers that fix the shapes of CosyVoice3's four vocoder graphs."""

    mel: int
    speaker: int
    frames_per_token: int
    token_look_back: int
    token_lookahead: int
    width: int
    layers: int
    heads: int
    head_dim: int
    past_inputs: int
    """Rows that the estimator's position convolutions look back at."""
    harmonics: int
    """Sines of the source, the fundamental among them."""
    hop: int
    """Samples a frame."""
    pitch_lookahead: int
    wave_lookahead: int
    """Mel frames of future in every call of `pitch` and `waveform`."""

    def cache_bytes(self, frames: int, precision: Precision, batch: int = 2) -> int:
        """Bytes of the estimator's keys and values of `frames`, for one step of the flow; guidance makes two rows."""
        return 2 * self.layers * self.heads * self.head_dim * frames * batch * (2 if precision == "fp16" else 4)


def activation_dtype(precision: Precision) -> DType:
    """Return the dtype of activations, keys and values in `precision`."""
    return "float16" if precision == "fp16" else "float32"


def language_model_graphs(sizes: Sizes, precision: Precision, cpu: bool = False) -> dict[str, Graph]:
    """`text_embedding`, `compressor`, `backbone` and `extractor`, for TLDR and for the token-level baseline alike; `cpu` is
    `Manifest.cpu`."""
    activation = activation_dtype(precision)
    past, present = _layered_cache(sizes, activation) if cpu else _position_major_cache(sizes, activation)
    compressor_tokens = f"{sizes.compressor_context}+{sizes.patch}*{PATCHES}"
    speaker = () if sizes.token_level else (Tensor("speaker", "float32", (BATCH, sizes.speaker)),)
    return {
        "text_embedding": Graph(
            inputs=(Tensor("text_ids", "int64", (BATCH, TEXT)),),
            outputs=(Tensor("inputs_embeds", activation, (BATCH, f"{TEXT}+2", sizes.hidden)),),
        ),
        "compressor": Graph(
            inputs=(Tensor("tokens", "int64", (BATCH, compressor_tokens)),),
            outputs=(Tensor("patches", activation, (BATCH, PATCHES, sizes.hidden)),),
        ),
        "backbone": Graph(
            inputs=(
                Tensor("inputs_embeds", activation, (BATCH, LENGTH, sizes.hidden)),
                Tensor("positions", "float32", (BATCH, LENGTH)),
                Tensor("past_length", "int64", (BATCH,)),
                *past,
            ),
            outputs=(Tensor("context", activation, (BATCH, sizes.hidden)), *present),
        ),
        "extractor": Graph(
            inputs=(
                Tensor("context", activation, (BATCH, sizes.hidden)),
                *speaker,
                Tensor("temperature", "float32", (BATCH,)),
                Tensor("top_k", "int64", (BATCH,)),
                Tensor("top_p", "float32", (BATCH,)),
                Tensor("uniforms", "float32", (BATCH, sizes.patch)),
                Tensor("end_allowed", "bool", (BATCH,)),
            ),
            outputs=(
                Tensor("tokens", "int64", (BATCH, sizes.patch)),
                Tensor("logits", "float32", (BATCH, sizes.patch, sizes.vocabulary)),
            ),
        ),
    }


def _position_major_cache(sizes: Sizes, activation: DType) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Past positions and new ones: two tensors each, contiguous in memory."""
    axes = (sizes.layers, BATCH, sizes.kv_heads, sizes.head_dim)
    return ((Tensor("past_keys", activation, (PAST, *axes)), Tensor("past_values", activation, (PAST, *axes))),
            (Tensor("present_keys", activation, (LENGTH, *axes)), Tensor("present_values", activation, (LENGTH, *axes))))


def _layered_cache(sizes: Sizes, activation: DType) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Keys and values of each layer at their whole capacity, before and after: the same memory, written in place."""
    axes = (BATCH, sizes.kv_heads, CAPACITY, sizes.head_dim)
    return (tuple(Tensor(f"past_{name}", activation, axes) for name in layer_names(sizes)),
            tuple(Tensor(f"present_{name}", activation, axes) for name in layer_names(sizes)))


def layer_names(sizes: Sizes) -> list[str]:
    """`keys_0`, `values_0`, `keys_1` and so on: the pieces of a layered cache, in the order of a graph's tensors."""
    return [f"{kind}_{layer}" for layer in range(sizes.layers) for kind in ("keys", "values")]


def step_graph(sizes: Sizes, precision: Precision, cpu: bool = False) -> Graph:
    """`step`: compressor, backbone and extractor of one patch in one call, which a bundle may have besides the three.

    What passes between them stays inside, and `window` is the compressor's `tokens`.
    """
    parts = language_model_graphs(sizes, precision, cpu)
    window = Tensor("window", "int64", (BATCH, sizes.compressor_context + sizes.patch))
    _, *past = (_of_one_position(tensor) for tensor in parts["backbone"].inputs)
    _, *present = (_of_one_position(tensor) for tensor in parts["backbone"].outputs)
    return Graph((window, *past, *parts["extractor"].inputs[1:]), (*parts["extractor"].outputs, *present))


def _of_one_position(tensor: Tensor) -> Tensor:
    return Tensor(tensor.name, tensor.dtype, tuple(1 if axis == LENGTH else axis for axis in tensor.axes))


def streaming_vocoder_graph(speaker: int, state: int, samples_per_token: int) -> Graph:
    """The embedded voice's vocoder: T new tokens and the carried state in, T tokens' worth of samples and the state out.

    Samples come `lookahead` tokens late: the first lookahead x samples_per_token samples of an utterance are dropped, and
    lookahead NO_TOKENs flush it. State is all zeros at the start. Float32 at any precision.
    """
    return Graph(
        inputs=(Tensor("tokens", "int64", (BATCH, TOKENS)), Tensor("speaker", "float32", (BATCH, speaker)),
                Tensor("state", "float32", (BATCH, state))),
        outputs=(Tensor("waveform", "float32", (BATCH, f"{samples_per_token}*{TOKENS}")),
                 Tensor("next_state", "float32", (BATCH, state))),
    )


def auxiliary_graphs(speaker: int, phonemes: int) -> dict[str, Graph]:
    """Return the auxiliary graphs of the embedded voice: two encoders, which turn a recording's normalised log-mel
    frames (`runtime.cloning.features`), and the listener: the log-probability of each phoneme id at each codec token.

    They run once per voice and once per sentence, on the CPU and in float32 at any precision, and are no part of
    `Manifest.graphs`: no backend loads them, no engine is built of them.
    """
    mels = Tensor("mels", "float32", (BATCH, f"{ENCODER_STRIDE}*{TOKENS}", ENCODER_BANDS))
    return {
        "speaker_encoder": Graph(inputs=(mels,), outputs=(Tensor("speaker", "float32", (BATCH, speaker)),)),
        "speech_tokenizer": Graph(inputs=(mels,), outputs=(Tensor("codes", "int64", (BATCH, TOKENS)),)),
        "listener": Graph(inputs=(Tensor("tokens", "int64", (BATCH, TOKENS)),),
                          outputs=(Tensor("heard", "float32", (BATCH, TOKENS, phonemes)),)),
    }


def flow_vocoder_graphs(sizes: FlowSizes, precision: Precision) -> dict[str, Graph]:
    """CosyVoice3's vocoder: tokens to mel by `flow_encoder` and, once per step of the flow, `flow_estimator`; mel to samples by
    `pitch` and `waveform`. Only the estimator's keys and values are activations; all the rest is float32 at any precision.
    """
    activation = activation_dtype(precision)
    mel, cache = (BATCH, FRAMES, sizes.mel), (sizes.layers, BATCH, sizes.heads, sizes.head_dim)
    inputs = (BATCH, sizes.past_inputs, sizes.width)
    return {
        "flow_encoder": Graph(
            inputs=(Tensor("codec_tokens", "int64", (BATCH, f"{sizes.token_look_back + sizes.token_lookahead}+{TOKENS}")),
                    Tensor("speaker", "float32", (BATCH, sizes.speaker))),
            outputs=(Tensor("mu", "float32", (BATCH, f"{sizes.frames_per_token}*{TOKENS}", sizes.mel)),
                     Tensor("speaker_mel", "float32", (BATCH, sizes.mel))),
        ),
        "flow_estimator": Graph(
            inputs=(Tensor("x", "float32", mel), Tensor("mu", "float32", mel), Tensor("cond", "float32", mel),
                    Tensor("speaker_mel", "float32", (BATCH, sizes.mel)), Tensor("time", "float32", (BATCH,)),
                    Tensor("positions", "float32", (BATCH, FRAMES)), Tensor("chunks", "int64", (BATCH, FRAMES)),
                    Tensor("past_chunks", "int64", (BATCH, PAST)), Tensor("past_keys", activation, (PAST, *cache)),
                    Tensor("past_values", activation, (PAST, *cache)), Tensor("past_inputs", "float32", inputs)),
            outputs=(Tensor("velocity", "float32", mel), Tensor("present_keys", activation, (FRAMES, *cache)),
                     Tensor("present_values", activation, (FRAMES, *cache)), Tensor("next_inputs", "float32", inputs)),
        ),
        "pitch": Graph(
            inputs=(Tensor("mel", "float32", (BATCH, f"{sizes.pitch_lookahead}+{FRAMES}", sizes.mel)),),
            outputs=(Tensor("hertz", "float32", (BATCH, FRAMES)),),
        ),
        "waveform": Graph(
            inputs=(Tensor("mel", "float32", (BATCH, f"{sizes.wave_lookahead}+{FRAMES}", sizes.mel)),
                    Tensor("phases", "float32", (BATCH, FRAMES, sizes.harmonics)), Tensor("voiced", "float32", (BATCH, FRAMES)),
                    Tensor("noise", "float32", (BATCH, f"{sizes.hop}*{FRAMES}", sizes.harmonics))),
            outputs=(Tensor("waveform", "float32", (BATCH, f"{sizes.hop}*{FRAMES}")),),
        ),
    }
