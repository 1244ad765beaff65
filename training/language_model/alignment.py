"""Guided attention: one head learns where the teacher was in the text, from the teacher's own durations.

A small backbone finds the text-to-speech alignment late and loses it easily (skips, loops). The teacher knows it, so one
head of one layer is guided: the query that predicts token t should look at the phoneme that token t speaks. It costs one
head's scores in training, nothing at run time, and the graph stays a plain Qwen2 decoder.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from export.model.backbone import SelfAttention
from export.model.language_model import SpeechLM
from training.data.token_file import TokenizedUtterance

LAYER, HEAD = 2, 0


class GuidedAttention:
    """Remembers the chosen layer's input of the last forward pass, and turns it into a loss."""

    def __init__(self, model: SpeechLM) -> None:
        attention = model.backbone.layers[LAYER].self_attn
        if not isinstance(attention, SelfAttention):
            raise TypeError("guided attention reads a SelfAttention")
        self._attention = attention
        self._seen: tuple[Tensor, tuple[Tensor, Tensor]] | None = None
        attention.register_forward_pre_hook(self._remember)

    def _remember(self, _: nn.Module, inputs: tuple[Tensor, tuple[Tensor, Tensor]]) -> None:
        self._seen = inputs

    def loss(self, utterances: Sequence[TokenizedUtterance]) -> Tensor:
        """Mean negative log attention weight on the phoneme being spoken."""
        if self._seen is None:
            raise RuntimeError("run the model first")
        queries, keys, _ = self._attention.project(*self._seen)
        scores = (queries[:, :, HEAD] @ keys[:, :, HEAD].transpose(1, 2)).float() * queries.shape[-1] ** -0.5
        length = scores.shape[-1]
        future = torch.ones(length, length, dtype=torch.bool, device=scores.device).triu(1)
        log_weights = scores.masked_fill(future, float("-inf")).log_softmax(-1)
        rows, codes, phonemes = torch.cat([_places(row, spoken) for row, spoken in enumerate(utterances)], 1).to(scores.device)
        return -log_weights[rows, codes, phonemes].mean()


def _places(row: int, spoken: TokenizedUtterance) -> Tensor:
    """Row, query and key index of the guided attention weight of each code, int64 [3, T]."""
    first, codes = len(spoken.ids) + 1, len(spoken.codes)
    return torch.stack((torch.full((codes,), row), torch.arange(first, first + codes), spoken.aligned + 1))
