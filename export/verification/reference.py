"""The PyTorch patch loop, greedy, by the rules of `runtime.decoding.decoder`: the exported loop must equal it exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from export.model.compressor import NO_TOKEN
from export.model.language_model import PatchLM, TokenLM
from export.model.sampling import MASKED
from runtime.bundle.voice import Voice
from runtime.errors import ParityError

TIE = 1e-4
"""Two logits this near to each other, as a part of the largest one, are a tie: rounding decides which of them wins."""


@dataclass(frozen=True)
class GreedyRun:
    """Tokens of the greedy loop, and the margin of each draw (the end token's included)."""

    tokens: list[int]
    margins: list[float]
    """(best - second logit) / largest magnitude, one a draw."""

    def difference(self, found: Sequence[int]) -> int | None:
        """First position where `found` is another speech; None if it is this one."""
        for index, (mine, other) in enumerate(zip(self.tokens, found, strict=False)):
            if mine != other:
                return index
        return None if len(found) == len(self.tokens) else min(len(found), len(self.tokens))

    def tied(self, position: int) -> bool:
        """Return whether the draw at `position` was a tie."""
        return position < len(self.margins) and self.margins[position] < TIE


@torch.no_grad()
def greedy_run(model: PatchLM | TokenLM, ids: Sequence[int], voice: Voice, min_tokens: int, max_patches: int) -> GreedyRun:
    """Decode text ids with a voice; ends are masked in patches that start before `min_tokens` tokens."""
    config, patch = model.config, model.config.patch
    window = _context_tokens(model)
    recent = torch.full((1, window), NO_TOKEN)
    embeds = model.prefix(torch.tensor([[*voice.prompt_text_ids.tolist(), *ids]]))
    prefix = embeds.shape[1]
    prompt = torch.from_numpy(voice.prompt_tokens[len(voice.prompt_tokens) % patch:])[None]
    if prompt.shape[1]:
        joined = torch.cat((recent, prompt), 1)
        embeds = torch.cat((embeds, model.compress(joined)), 1)
        recent = joined[:, joined.shape[1] - window:]
    positions = model.positions(prefix, prompt.shape[1] // patch + max_patches)[None]
    keys = values = torch.zeros(0, config.backbone.layers, 1, config.backbone.kv_heads, config.backbone.head_dim)
    run = GreedyRun([], [])
    for index in range(max_patches):
        past = len(keys)
        context, new_keys, new_values = model.backbone.step(embeds, positions[:, past:past + embeds.shape[1]],
                                                            torch.tensor([past]), keys, values)
        keys, values = torch.cat((keys, new_keys)), torch.cat((values, new_values))
        tokens = _greedy_patch(model, context, torch.from_numpy(voice.speaker)[None], index * patch >= min_tokens, run)
        if tokens is None:
            break
        joined = torch.cat((recent, tokens), 1)
        embeds = model.compress(joined)
        recent = joined[:, joined.shape[1] - window:]
    return run


def compare_runs(reference: Sequence[GreedyRun], found: Sequence[Sequence[int]], strict: bool) -> tuple[int, int]:
    """Return the number of utterances with equal tokens, and of those that differ at a tie.

    Raises:
        ParityError: `strict`, and an utterance differs where there was no tie; it names the first differing step.
    """
    equal = ties = 0
    for number, (run, tokens) in enumerate(zip(reference, found, strict=True), 1):
        place = run.difference(tokens)
        if place is None:
            equal += 1
        elif run.tied(place):
            ties += 1
        elif strict:
            mine, other = (str(row[place]) if place < len(row) else "the end" for row in (run.tokens, tokens))
            raise ParityError(f"Greedy decoding of utterance {number} differs first at step {place}: PyTorch draws {mine}, the "
                              f"exported loop {other}; no bundle was written.")
    return equal, ties


def _context_tokens(model: PatchLM | TokenLM) -> int:
    return model.compressor.context if isinstance(model, PatchLM) else 0


def _greedy_patch(model: PatchLM | TokenLM, context: Tensor, speaker: Tensor, end_allowed: bool,
                  run: GreedyRun) -> Tensor | None:
    """Draw one patch [1, k] into `run`; None once the speech has ended inside it."""
    ones = torch.ones(1)
    tokens, logits = model.extract(context, speaker, ones, torch.tensor([1]), ones, torch.zeros(1, model.config.patch),
                                   torch.tensor([end_allowed]))
    for token, row in zip(tokens[0].tolist(), logits[0], strict=True):
        best, second = row.topk(2).values.tolist()
        run.margins.append((best - second) / float(row[row > MASKED / 2].abs().max()))
        if token >= model.config.vocabulary.codes:
            return None
        run.tokens.append(token)
    return tokens


def silent_voice(width: int, seed: int = 0) -> Voice:
    """Return a random speaker without a prompt, for models without voices."""
    speaker = np.random.default_rng(seed).standard_normal(width).astype(np.float32)
    none = np.zeros(0, np.int64)
    return Voice("none", speaker, none, none)
