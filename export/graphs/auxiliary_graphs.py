"""Modules of the auxiliary graphs (`runtime.bundle.contract.auxiliary_graphs`): computed in float32, stored in float16."""

from __future__ import annotations

from torch import Tensor

from export.graphs.graph_module import GraphModule, GraphPlan, ModuleFactory
from export.model.encoders import CodecEncoder, SpeakerEncoder
from export.model.listener import Listener
from runtime.bundle.contract import auxiliary_graphs
from runtime.text.phonemes import IDS


class SpeakerEncoderGraph(GraphModule):
    """mels [B, 4 T, 80] to speaker [B, Es]."""

    def __init__(self, encoder: SpeakerEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, mels: Tensor) -> Tensor:
        speaker: Tensor = self.encoder(mels)
        return speaker


class SpeechTokenizerGraph(GraphModule):
    """mels [B, 4 T, 80] to codec tokens [B, T]."""

    def __init__(self, encoder: CodecEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, mels: Tensor) -> Tensor:
        return self.encoder.codes(mels)


class ListenerGraph(GraphModule):
    """Codec tokens [B, T] to log-probabilities of phoneme ids [B, T, P]."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.listener = listener

    def forward(self, tokens: Tensor) -> Tensor:
        heard: Tensor = self.listener(tokens)
        return heard


def auxiliary_plan(name: str, module: ModuleFactory, speaker: int) -> GraphPlan:
    """Plan one of `runtime.bundle.contract.auxiliary_graphs`; `speaker` is the width of a speaker embedding."""
    signature = auxiliary_graphs(speaker, IDS)[name]
    return GraphPlan(name=name, signature=signature, module=module, precision="fp32", fp16_storage=True, auxiliary=True)
