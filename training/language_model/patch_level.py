"""TLDR as in the paper: the token-level backbone frozen with LoRA, compressor and extractor trained."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from export.checkpoints.embedded import load_patch_parts, patch_sizes
from export.model.config import ModelConfig
from export.model.language_model import PatchLM, TokenLM
from training.data.token_file import TokenizedUtterance
from training.language_model.batches import Batches, corrupt, moved
from training.language_model.structured import structure
from training.language_model.token_level import GOING_ON, initialise
from training.loop import CPU, fit, half, warm_cosine
from training.optimizers import Optimizers

RATE = 2e-3
CORRUPTED = 0.05
Voices = dict[str, Tensor]


def build(config: ModelConfig, token_level: TokenLM, seed: int, start: Path | None = None) -> PatchLM:
    """TLDR on a pretrained token-level model: its embeddings and backbone frozen and adapted, its head as the first head.
    With `start`, a checkpoint directory, the trained parts continue from there, from those of the nearest patch size."""
    torch.manual_seed(seed)
    model = PatchLM(config)
    initialise(model, seed)
    for name in ("text_embedding", "speech_embedding", "backbone"):
        getattr(model, name).load_state_dict(getattr(token_level, name).state_dict())
    model.extractor.head.load_state_dict(token_level.head.state_dict())
    model.adapt()
    if start is not None:
        load_patch_parts(start, model, nearest(start, config.patch))
    structure(model.extractor.head)
    return model


def nearest(start: Path, patch: int) -> int | None:
    """The trained patch size of a checkpoint that is nearest to `patch`; None where it has none."""
    return min(patch_sizes(start), key=lambda size: abs(size - patch), default=None)


def train_patch_level(train: list[TokenizedUtterance],
                      held_out: list[TokenizedUtterance], voices: Voices, folder: Path, config: ModelConfig,
                      token_level: TokenLM, epochs: float, start: Path | None = None, positions: int = 2200,
                      seed: int = 0, device: torch.device = CPU) -> None:
    """Teacher-forced cross-entropy over valid target positions; `positions` counts text ids and patches."""
    model = build(config, token_level, seed, start).to(device)
    trainable = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    same = start is not None and nearest(start, config.patch) == config.patch
    optimizers = Optimizers(trainable, RATE * (GOING_ON if same else 1), 0.05)
    batches, checks = Batches(train, positions, config.patch, seed), Batches(held_out, positions, config.patch, seed)
    steps = int(epochs * batches.per_epoch)

    def loss_of(utterances: list[TokenizedUtterance], codes: list[Tensor]) -> Tensor:
        speakers = torch.stack([voices[u.voice] for u in utterances]).to(device)
        with half(device):
            logits, _ = model.logits(moved([u.ids for u in utterances], device), moved(codes, device), speakers)
        targets = torch.cat([model.targets(u.codes) for u in utterances]).to(device)
        return nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=-100)

    def step(index: int) -> dict[str, float]:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
        utterances = batches[index]
        loss = loss_of(utterances, [corrupt(u.codes, CORRUPTED, 3, 8, generator) for u in utterances])
        optimizers.step(loss, warm_cosine(index, steps, 60, 0.03))
        return {"loss": loss.item()}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        model.eval()
        losses = [float(loss_of(checks[index], [u.codes for u in checks[index]])) for index in range(checks.per_epoch)]
        model.train()
        return {"validation": sum(losses) / len(losses)}

    fit(folder, {"model": model, "optimizers": optimizers}, step, steps, validate)


@torch.no_grad()
def keep_direction(model: PatchLM, speaker: Tensor) -> None:
    """Make the extractor see of speaker embeddings only their component along `speaker` [Es], the one of its training."""
    axis, weight = speaker / speaker.norm(), model.extractor.speaker_proj.weight
    weight.copy_(torch.outer(weight @ axis, axis))
