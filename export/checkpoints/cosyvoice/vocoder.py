"""The four graphs between codec tokens and samples, loaded one by one, and what `bundle.json` says of them."""

from __future__ import annotations

import math
from pathlib import Path

from torch import Tensor

from export.checkpoints.cosyvoice import acoustics
from export.checkpoints.cosyvoice.directory import FLOW
from export.checkpoints.cosyvoice.state import read_state
from export.graphs.graph_module import GraphModule, GraphPlan, ModuleFactory
from export.graphs.quantization import quantized_weights
from export.model.config import FlowConfig, HiftConfig
from export.model.flow import LOOK_BACK, FlowEncoder, FlowEstimator
from export.model.hift import PITCH_AHEAD, PITCH_LAYERS, PitchPredictor, Waveform
from runtime.bundle.contract import FlowSizes, Precision, flow_vocoder_graphs
from runtime.bundle.manifest import Flow, Vocoder, Weights
from runtime.errors import CheckpointError

ESTIMATOR = "flow_estimator"
NOISE = "vocoder/noise.npy"
WINDOW_SECONDS = 5.0
SILENT_TOKENS = (1, 2, 28, 29, 55, 248, 494, 2241, 2242, 2322, 2323)
MAX_SILENT = 5
EDGE_FRAMES = 1
"""Frames at the right edge of a waveform window whose STFT mirrors samples that are not there."""


class FlowEncoderGraph(GraphModule):
    """See `FlowEncoder`; small, so float32 always."""

    def __init__(self, encoder: FlowEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, codec_tokens: Tensor, speaker: Tensor) -> tuple[Tensor, Tensor]:
        return self.encoder(codec_tokens, speaker)  # type: ignore[no-any-return]


class FlowEstimatorGraph(GraphModule):
    """See `FlowEstimator`. Float32 in an FP16 bundle: what no norm has bounded yet (input map, position convolutions), the
    residual stream, norms and their modulation, time embedding, softmax, GELU and the output map."""

    def __init__(self, estimator: FlowEstimator) -> None:
        super().__init__()
        self.estimator = estimator

    def forward(self, x: Tensor, mu: Tensor, cond: Tensor, speaker_mel: Tensor, time: Tensor, positions: Tensor, chunks: Tensor,
                past_chunks: Tensor, past_keys: Tensor, past_values: Tensor,
                past_inputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.estimator(x, mu, cond, speaker_mel, time, positions, chunks, past_chunks,  # type: ignore[no-any-return]
                              past_keys, past_values, past_inputs)


class PitchGraph(GraphModule):
    """See `PitchPredictor`; phases add up its errors, so float32 always."""

    def __init__(self, predictor: PitchPredictor) -> None:
        super().__init__()
        self.predictor = predictor

    def forward(self, mel: Tensor) -> Tensor:
        return self.predictor(mel)  # type: ignore[no-any-return]


class WaveformGraph(GraphModule):
    """See `Waveform`; exponentials and sums of many sines, so float32 always."""

    def __init__(self, waveform: Waveform) -> None:
        super().__init__()
        self.waveform = waveform

    def forward(self, mel: Tensor, phases: Tensor, voiced: Tensor, noise: Tensor) -> Tensor:
        return self.waveform(mel, phases, voiced, noise)  # type: ignore[no-any-return]


class CosyVoiceVocoder:
    """`flow.pt` and `hift.pt` of a directory; raises CheckpointError where they do not belong together."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._flow = acoustics.read_flow_config(directory, read_state(directory / FLOW))
        self._hift = acoustics.read_hift_config(directory, acoustics.read_hift(directory))
        if self._flow.mel != self._hift.mel:
            raise CheckpointError(f"{directory}: flow.pt makes {self._flow.mel} mel channels, hift.pt reads {self._hift.mel}.")
        self.form = vocoder_form(self._flow, self._hift)

    @property
    def speaker(self) -> int:
        """Width of a speaker embedding."""
        return self._flow.speaker

    @property
    def noise(self) -> Tensor:
        """Return the initial noise of the flow, float32 [frames, M]."""
        return acoustics.flow_noise(self._flow.mel)

    def plans(self, precision: Precision, weights: Weights | None) -> list[GraphPlan]:
        """Return the plan of each graph; weights are read when its module is built."""
        assert self.form.flow is not None
        place, flow, hift = self._directory, self._flow, self._hift
        modules: dict[str, ModuleFactory] = {
            "flow_encoder": lambda: FlowEncoderGraph(acoustics.flow_encoder(place, flow, read_state(place / FLOW))),
            "flow_estimator": lambda: FlowEstimatorGraph(acoustics.flow_estimator(place, flow, read_state(place / FLOW))),
            "pitch": lambda: PitchGraph(acoustics.pitch_predictor(place, hift, acoustics.read_hift(place))),
            "waveform": lambda: WaveformGraph(acoustics.waveform(place, hift, acoustics.read_hift(place))),
        }
        signatures = flow_vocoder_graphs(self.form.flow.sizes, precision)
        return [GraphPlan(name=name, signature=signature, module=modules[name],
                          precision=precision if name == ESTIMATOR else "fp32",
                          fp32_modules=fp32_modules(flow.layers) if name == ESTIMATOR else (),
                          weights=quantized_weights(name, weights, precision if name == ESTIMATOR else "fp32"))
                for name, signature in signatures.items()]


def fp32_modules(layers: int) -> tuple[str, ...]:
    """Return the paths in `FlowEstimatorGraph` whose linear maps compute in float32 in an FP16 bundle."""
    blocks = (f"estimator.transformer_blocks.{index}.attn_norm" for index in range(layers))
    return ("estimator", "estimator.input_embed", "estimator.time_embed.time_mlp", "estimator.norm_out", *blocks)


def vocoder_form(flow: FlowConfig, hift: HiftConfig) -> Vocoder:
    """Return the vocoder's entry of `bundle.json`."""
    sizes = FlowSizes(mel=flow.mel, speaker=flow.speaker, frames_per_token=flow.frames_per_token, token_look_back=LOOK_BACK,
                      token_lookahead=flow.lookahead, width=flow.width, layers=flow.layers, heads=flow.heads,
                      head_dim=flow.head_dim, past_inputs=2 * (flow.kernel - 1), harmonics=hift.harmonics + 1, hop=hift.hop,
                      pitch_lookahead=PITCH_AHEAD, wave_lookahead=hift.lookahead)
    chunk = flow.chunk_tokens * flow.frames_per_token
    window = chunk * math.ceil(WINDOW_SECONDS * hift.sample_rate / hift.hop / chunk)
    late = flow.lookahead + math.ceil((hift.lookahead + EDGE_FRAMES) / flow.frames_per_token)
    return Vocoder("flow", hift.sample_rate, hift.hop * flow.frames_per_token, late, 0, Flow(
        sizes=sizes, chunk_tokens=flow.chunk_tokens, steps=flow.steps, guidance=flow.guidance, window_frames=window,
        pitch_look_back=2 * (PITCH_LAYERS - 1), wave_look_back=hift.look_back, voiced_above=hift.voiced_above, noise=NOISE,
        silent_tokens=SILENT_TOKENS, max_silent=MAX_SILENT))
