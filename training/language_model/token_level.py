"""The token-level language model, which is the baseline and, frozen, TLDR's backbone."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from export.model.config import ModelConfig
from export.model.language_model import TokenLM
from training.data.token_file import TokenizedUtterance
from training.language_model.alignment import GuidedAttention
from training.language_model.batches import Batches, corrupt, moved
from training.language_model.structured import structure
from training.loop import CPU, fit, half, warm_cosine
from training.optimizers import Optimizers

RATE = 3e-3
GOING_ON = 1 / 2
"""Share of the rate for a model that is trained already: it should get better, not forget."""
CORRUPTED = 0.05
GUIDANCE = 0.3


def initialise(model: nn.Module, seed: int) -> None:
    """Small normal weights everywhere but in norms."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            width = parameter.shape[1]
            scale = 0.3 if "embedding" in name else 0.0 if name.endswith(("o_proj.weight", "down_proj.weight")) else width**-0.5
            nn.init.normal_(parameter, 0.0, scale, generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def build(config: ModelConfig, seed: int, start: TokenLM | None = None) -> TokenLM:
    """A model whose vocabulary matrices know the codes' digits: fresh, or going on from `start`."""
    torch.manual_seed(seed)
    model = TokenLM(config)
    initialise(model, seed)
    nn.init.zeros_(model.head.weight)
    with torch.no_grad():
        model.speech_embedding.weight.mul_(0.3)
    if start is not None:
        model.load_state_dict(start.state_dict())
    structure(model.speech_embedding, scale=0.3 if start is None else 0.0)
    structure(model.head)
    return model


def targets_of(utterances: list[TokenizedUtterance], end: int) -> Tensor:
    """All codes and ends, in the order of `TokenLM.logits`."""
    return torch.cat([torch.cat((u.codes, torch.tensor([end]))) for u in utterances])


def train_token_level(train: list[TokenizedUtterance],
                      held_out: list[TokenizedUtterance], folder: Path, config: ModelConfig, epochs: float,
                      start: TokenLM | None = None, positions: int = 4500, seed: int = 0,
                      device: torch.device = CPU) -> None:
    """Cross-entropy over codes and end, inputs lightly corrupted, one head guided along the text."""
    model = build(config, seed, start).to(device)
    guide = GuidedAttention(model)
    optimizers = Optimizers(model.named_parameters(), RATE * (1 if start is None else GOING_ON), 0.05)
    batches, checks = Batches(train, positions, 1, seed), Batches(held_out, positions, 1, seed)
    steps = int(epochs * batches.per_epoch)
    levels, digits = 3, 8

    def losses(utterances: list[TokenizedUtterance], codes: list[Tensor]) -> tuple[Tensor, Tensor]:
        with half(device):
            logits = model.logits(moved([u.ids for u in utterances], device), moved(codes, device))
            guidance = guide.loss(utterances)
        targets = targets_of(utterances, config.vocabulary.eos).to(device)
        return nn.functional.cross_entropy(logits.float(), targets), guidance

    def step(index: int) -> dict[str, float]:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
        utterances = batches[index]
        inputs = [corrupt(u.codes, CORRUPTED, levels, digits, generator) for u in utterances]
        loss, guidance = losses(utterances, inputs)
        optimizers.step(loss + GUIDANCE * guidance, warm_cosine(index, steps, 60, 0.03))
        return {"loss": loss.item(), "guide": guidance.item()}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        model.eval()
        both = [losses(checks[index], [u.codes for u in checks[index]]) for index in range(checks.per_epoch)]
        model.train()
        return {"validation": sum(float(a) for a, _ in both) / len(both),
                "validation_guide": sum(float(b) for _, b in both) / len(both)}

    fit(folder, {"model": model, "optimizers": optimizers}, step, steps, validate)
