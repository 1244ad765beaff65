"""Modules of the auxiliary graphs (`runtime.bundle.contract.side_graphs`): computed in float32, stored in float16."""

from __future__ import annotations

from torch import Tensor

from export.graphs.graph_module import GraphModule
from export.model.encoders import CodecEncoder, SpeakerEncoder
from export.model.listener import Listener


class SpeakerEncoderGraph(GraphModule):
    """mels [B, 4 T, 80] to speaker [B, Es]."""

    precision = "fp32"
    stored_half = True

    def __init__(self, encoder: SpeakerEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, mels: Tensor) -> Tensor:
        speaker: Tensor = self.encoder(mels)
        return speaker


class SpeechTokenizerGraph(GraphModule):
    """mels [B, 4 T, 80] to codec tokens [B, T]."""

    precision = "fp32"
    stored_half = True

    def __init__(self, encoder: CodecEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, mels: Tensor) -> Tensor:
        return self.encoder.codes(mels)


class ListenerGraph(GraphModule):
    """Codec tokens [B, T] to log-probabilities of phoneme ids [B, T, P]."""

    precision = "fp32"
    stored_half = True

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.listener = listener

    def forward(self, tokens: Tensor) -> Tensor:
        heard: Tensor = self.listener(tokens)
        return heard
