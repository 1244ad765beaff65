"""Modules of a bundle's graphs: one thin wrapper per graph, with the inputs and outputs of `runtime.bundle.contract`."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from export.graphs.cpu_backbone import CpuBackboneGraph
from export.graphs.graph_module import GraphModule, GraphPlan, ModuleFactory
from export.graphs.quantization import quantized_weights
from export.model.backbone import Backbone
from export.model.compressor import Compressor
from export.model.config import ModelConfig
from export.model.extractor import Extractor
from export.model.language_model import PatchLM, SpeechLM, TokenLM
from export.model.sampling import mask_end, reject_non_finite, sample
from export.model.vocoder import Vocoder as VocoderModel
from runtime.bundle.contract import STEP, Precision, Sizes, language_model_graphs, step_graph, streaming_vocoder_graph
from runtime.bundle.manifest import Vocoder, Weights


class TextEmbeddingGraph(GraphModule):
    """text_ids [B, S] to [SOS, text, TASK] as embeddings [B, S + 2, D]."""

    def __init__(self, model: SpeechLM) -> None:
        super().__init__()
        vocabulary = model.config.vocabulary
        self.table = model.text_embedding
        self.sos = nn.Parameter(model.speech_embedding.weight[vocabulary.sos][None, None].clone())
        self.task = nn.Parameter(model.speech_embedding.weight[vocabulary.task][None, None].clone())

    def forward(self, text_ids: Tensor) -> Tensor:
        batch = text_ids.shape[0]
        return torch.cat((self.sos.expand(batch, -1, -1), self.table(text_ids), self.task.expand(batch, -1, -1)), 1)


class CompressorGraph(GraphModule):
    """tokens [B, w - 1 + N * k] to patches [B, N, D]."""

    def __init__(self, compressor: Compressor, speech_embedding: nn.Embedding) -> None:
        super().__init__()
        self.compressor = compressor
        self.speech_embedding = speech_embedding

    def forward(self, tokens: Tensor) -> Tensor:
        patches: Tensor = self.compressor(tokens, self.speech_embedding)
        return patches


class TokenEmbeddingGraph(GraphModule):
    """The token-level compressor: tokens [B, N] to their embeddings [B, N, D]."""

    def __init__(self, speech_embedding: nn.Embedding) -> None:
        super().__init__()
        self.speech_embedding = speech_embedding

    def forward(self, tokens: Tensor) -> Tensor:
        embedded: Tensor = self.speech_embedding(tokens)
        return embedded


class BackboneGraph(GraphModule):
    """Prefill (P = 0) and step (S = 1) in one: see `Backbone.step`."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, inputs_embeds: Tensor, positions: Tensor, past_length: Tensor, past_keys: Tensor,
                past_values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.backbone.step(inputs_embeds, positions, past_length, past_keys, past_values)


class ExtractorGraph(GraphModule):
    """context [B, D] and speaker [B, Es] to tokens [B, k] and logits [B, k, V], all k draws inside."""

    def __init__(self, extractor: Extractor, speech_embedding: nn.Embedding, codes: int) -> None:
        super().__init__()
        self.extractor = extractor
        self.speech_embedding = speech_embedding
        self.codes = codes

    def forward(self, context: Tensor, speaker: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor, uniforms: Tensor,
                end_allowed: Tensor) -> tuple[Tensor, Tensor]:
        tokens, logits = self.extractor.generate(context, speaker.to(context.dtype), self.speech_embedding, self.codes,
                                                 temperature, top_k, top_p, uniforms, end_allowed)
        return reject_non_finite(tokens, logits), logits

    def forced_logits(self, context: Tensor, speaker: Tensor | None, tokens: Tensor, end_allowed: Tensor) -> Tensor:
        """Logits [B, k, V] along given tokens, by the whole-patch form that training uses: parity's independent reference."""
        logits = self.extractor(context, speaker, self.speech_embedding(tokens[:, :-1])).float()
        return _mask_ends(logits, end_allowed, self.codes)


class HeadGraph(GraphModule):
    """The token-level extractor: a linear head and one draw."""

    def __init__(self, head: nn.Linear, codes: int) -> None:
        super().__init__()
        self.head = head
        self.codes = codes

    def forward(self, context: Tensor, temperature: Tensor, top_k: Tensor, top_p: Tensor, uniforms: Tensor,
                end_allowed: Tensor) -> tuple[Tensor, Tensor]:
        logits = mask_end(self.head(context).float(), end_allowed, self.codes)
        tokens = sample(logits, temperature, top_k, top_p, uniforms[:, 0])[:, None]
        return reject_non_finite(tokens, logits[:, None]), logits[:, None]

    def forced_logits(self, context: Tensor, speaker: Tensor | None, tokens: Tensor, end_allowed: Tensor) -> Tensor:
        """Logits [B, 1, V]; neither speaker nor earlier tokens matter here."""
        del speaker, tokens
        return _mask_ends(self.head(context)[:, None].float(), end_allowed, self.codes)


class StepGraph(GraphModule):
    """A patch in one graph: see `runtime.bundle.contract.step_graph`. `pieces` tensors hold the past."""

    def __init__(self, compressor: nn.Module, backbone: nn.Module, extractor: nn.Module, pieces: int) -> None:
        super().__init__()
        self.compressor, self.backbone, self.extractor, self.pieces = compressor, backbone, extractor, pieces

    def forward(self, window: Tensor, positions: Tensor, past_length: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        past, draw = rest[:self.pieces], rest[self.pieces:]
        context, *present = self.backbone(self.compressor(window), positions, past_length, *past)
        return *self.extractor(context, *draw), *present


class VocoderGraph(GraphModule):
    """tokens, speaker and state to samples and the next state: see `export.model.vocoder.StreamingVocoder`."""

    def __init__(self, vocoder: VocoderModel) -> None:
        super().__init__()
        self.vocoder = vocoder

    def forward(self, tokens: Tensor, speaker: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return self.vocoder(tokens, speaker, state)  # type: ignore[no-any-return]


def sizes_of(config: ModelConfig) -> Sizes:
    """The contract's integers for a model."""
    backbone, vocabulary = config.backbone, config.vocabulary
    window = 1 if config.patch == 1 else config.compressor.window
    return Sizes(config.patch, backbone.hidden, backbone.layers, backbone.kv_heads, backbone.head_dim, vocabulary.size,
                 vocabulary.codes, window, config.speaker)


def language_model_plans(model: SpeechLM, precision: Precision, weights: Weights | None, *, cpu: bool = False,
                         step: bool = False) -> list[GraphPlan]:
    """Plans of the language model's graphs; their modules share the weights of `model`.

    Args:
        model: float32, adapters merged.
        precision: of weights and activations.
        weights: integer format of the weights, if any.
        cpu: write the backbone in ONNX Runtime's own operators (`Manifest.cpu`).
        step: also plan the graph `step`.
    """
    speech, codes = model.speech_embedding, model.config.vocabulary.codes
    modules: dict[str, ModuleFactory] = {
        "text_embedding": lambda: TextEmbeddingGraph(model),
        "backbone": lambda: CpuBackboneGraph(model.backbone) if cpu else BackboneGraph(model.backbone),
    }
    if isinstance(model, PatchLM):
        modules["compressor"] = lambda: CompressorGraph(model.compressor, speech)
        modules["extractor"] = lambda: ExtractorGraph(model.extractor, speech, codes)
    elif isinstance(model, TokenLM):
        modules["compressor"] = lambda: TokenEmbeddingGraph(speech)
        modules["extractor"] = lambda: HeadGraph(model.head, codes)
    sizes = sizes_of(model.config)
    signatures = language_model_graphs(sizes, precision, cpu)
    if step:
        pieces = 2 * sizes.layers if cpu else 2
        modules[STEP] = lambda: StepGraph(modules["compressor"](), modules["backbone"](), modules["extractor"](), pieces)
        signatures[STEP] = step_graph(sizes, precision, cpu)
    return [GraphPlan(name=name, signature=signature, module=modules[name], precision=precision,
                      weights=quantized_weights(name, weights, precision), parity=name != STEP)
            for name, signature in signatures.items()]


class VocoderParts(Protocol):
    """A vocoder as an exporter needs it: its description in `bundle.json` and the plans of its graphs."""

    form: Vocoder

    def plans(self, precision: Precision, weights: Weights | None) -> list[GraphPlan]:
        """Return the plan of each graph, whose weights are read when its module is built."""


SPECTRAL_FP32 = ("vocoder.trunk.*", "vocoder.change.*", "vocoder.head.*")


class StreamingVocoderParts:
    """The embedded voice's vocoder: one graph, FP16 but for the waveform head and, as phases add up what F0 is off, what
    predicts F0."""

    def __init__(self, vocoder: VocoderModel, speaker: int) -> None:
        config = vocoder.config
        self.form = Vocoder("streaming", config.sample_rate, config.samples_per_token, config.lookahead, vocoder.state_size)
        self._vocoder, self._speaker = vocoder, speaker
        self._fp32 = SPECTRAL_FP32 if config.kind == "spectral" else ("vocoder.head",)

    def plans(self, precision: Precision, weights: Weights | None) -> list[GraphPlan]:
        """Return the plan of the graph `vocoder`."""
        signature = streaming_vocoder_graph(self._speaker, self.form.state, self.form.samples_per_token)
        return [GraphPlan(name="vocoder", signature=signature, module=lambda: VocoderGraph(self._vocoder), precision=precision,
                          fp32_modules=self._fp32, weights=quantized_weights("vocoder", weights, precision))]


def _mask_ends(logits: Tensor, end_allowed: Tensor, codes: int) -> Tensor:
    return torch.stack([mask_end(step, end_allowed, codes) for step in logits.unbind(1)], 1)
