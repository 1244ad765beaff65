"""Modules of a bundle's graphs: one thin wrapper per graph, with the inputs and outputs of `runtime.bundle.contract`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from export.graphs.cpu_backbone import CpuBackboneGraph
from export.graphs.graph_module import GraphModule
from export.model.backbone import Backbone
from export.model.compressor import Compressor
from export.model.config import ModelConfig
from export.model.extractor import Extractor
from export.model.language_model import PatchLM, SpeechLM, TokenLM
from export.model.sampling import mask_end, sample
from export.model.vocoder import StreamingVocoder
from runtime.bundle.contract import STEP, Graph, Precision, Sizes, language_model_graphs, streaming_vocoder_graph
from runtime.bundle.manifest import Vocoder


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
        return self.extractor.generate(context, speaker.to(context.dtype), self.speech_embedding, self.codes, temperature,
                                       top_k, top_p, uniforms, end_allowed)

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
        return sample(logits, temperature, top_k, top_p, uniforms[:, 0])[:, None], logits[:, None]

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
    """tokens, speaker and state to samples and the next state: see `StreamingVocoder`."""

    wide = ("vocoder.head",)

    def __init__(self, vocoder: StreamingVocoder) -> None:
        super().__init__()
        self.vocoder = vocoder

    def forward(self, tokens: Tensor, speaker: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return self.vocoder(tokens, speaker, state)  # type: ignore[no-any-return]


Maker = Callable[[], GraphModule]


class VocoderGraphs(Protocol):
    """A vocoder of several graphs, each loaded when its maker is called."""

    form: Vocoder

    def graphs(self, precision: Precision) -> dict[str, Graph]:
        """The contract of each."""

    def makers(self) -> dict[str, Maker]:
        """A maker of each one's module."""


def sizes_of(config: ModelConfig) -> Sizes:
    """The contract's integers for a model."""
    backbone, vocabulary = config.backbone, config.vocabulary
    window = 1 if config.patch == 1 else config.compressor.window
    return Sizes(config.patch, backbone.hidden, backbone.layers, backbone.kv_heads, backbone.head_dim, vocabulary.size,
                 vocabulary.codes, window, config.speaker)


def vocoder_form(vocoder: StreamingVocoder | VocoderGraphs | None) -> Vocoder | None:
    """What `bundle.json` says of it."""
    if isinstance(vocoder, StreamingVocoder):
        config = vocoder.config
        return Vocoder("streaming", config.sample_rate, config.samples_per_token, config.lookahead, vocoder.state_size)
    return None if vocoder is None else vocoder.form


def contracts(config: ModelConfig, precision: Precision, vocoder: StreamingVocoder | VocoderGraphs | None,
              cpu: bool = False) -> dict[str, Graph]:
    """Every graph that a bundle of this model holds."""
    graphs = language_model_graphs(sizes_of(config), precision, cpu)
    if isinstance(vocoder, StreamingVocoder):
        sizes = vocoder.config
        graphs["vocoder"] = streaming_vocoder_graph(config.speaker, vocoder.state_size, sizes.samples_per_token)
    elif vocoder is not None:
        graphs |= vocoder.graphs(precision)
    return graphs


def makers(model: SpeechLM, vocoder: StreamingVocoder | VocoderGraphs | None, cpu: bool = False) -> Mapping[str, Maker]:
    """A maker of each graph's module, so that they need not all be there at once; weights are shared with `model`."""
    speech, codes = model.speech_embedding, model.config.vocabulary.codes
    found: dict[str, Maker] = {
        "text_embedding": lambda: TextEmbeddingGraph(model),
        "backbone": lambda: CpuBackboneGraph(model.backbone) if cpu else BackboneGraph(model.backbone),
    }
    if isinstance(model, PatchLM):
        found["compressor"] = lambda: CompressorGraph(model.compressor, speech)
        found["extractor"] = lambda: ExtractorGraph(model.extractor, speech, codes)
    elif isinstance(model, TokenLM):
        found["compressor"] = lambda: TokenEmbeddingGraph(speech)
        found["extractor"] = lambda: HeadGraph(model.head, codes)
    pieces = 2 * model.config.backbone.layers if cpu else 2
    found[STEP] = lambda: StepGraph(found["compressor"](), found["backbone"](), found["extractor"](), pieces)
    if isinstance(vocoder, StreamingVocoder):
        found["vocoder"] = lambda: VocoderGraph(vocoder)
    elif vocoder is not None:
        found |= vocoder.makers()
    return found


def _mask_ends(logits: Tensor, end_allowed: Tensor, codes: int) -> Tensor:
    return torch.stack([mask_end(step, end_allowed, codes) for step in logits.unbind(1)], 1)
