"""Small models with everything a real one has: a few kB of weights, so that a whole export takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import torch

from export.config import ExportConfig
from export.exporter import ExportResult
from export.model.config import (
    BackboneConfig,
    CompressorConfig,
    ExtractorConfig,
    ModelConfig,
    PositionConfig,
    VocabularyConfig,
    VocoderConfig,
)
from export.model.language_model import PatchLM, TokenLM
from export.model.lora import LoRALinear
from export.model.vocoder import StreamingVocoder

Export = Callable[..., ExportResult]
PATCH = 2
OTHER_PATCH = 3
TEXT = Path(__file__).parents[2] / "voices" / "embedded" / "text"


def tiny(patch: int = PATCH) -> ModelConfig:
    """Every part of a model, two layers deep and sixteen wide."""
    return ModelConfig(
        name="tiny", patch=patch, token_rate=25.0, speaker=5,
        vocabulary=VocabularyConfig(codes=81, size=84, sos=81, eos=82, task=83, text=64),
        positions=PositionConfig(text_stride=2.0, speech_start=0.0 if patch == 1 else (patch - 1) / 2),
        backbone=BackboneConfig(layers=2, hidden=16, heads=4, kv_heads=2, head_dim=16, intermediate=24, rope_theta=1e4),
        compressor=CompressorConfig(heads=2, cross_heads=2, intermediate=20, window=6),
        extractor=ExtractorConfig(layers=2, heads=2, cross_heads=4, intermediate=20, slots=3),
        vocoder=VocoderConfig(sample_rate=8000, hop=4, frames_per_token=2, token_width=8, token_blocks=1,
                              frame_width=6, frame_blocks=1, kernel=3, lookahead=2, digits=4),
        lora_rank=2, lora_alpha=4,
    )


def fp32_config(patch: int = PATCH, **options: Any) -> ExportConfig:
    """Ten seconds in float32."""
    return ExportConfig(patch=patch, precision="fp32", max_seconds=10.0, **options)


def lively(module: torch.nn.Module, seed: int) -> None:
    """Weights away from their initial zeros and ones, so that nothing cancels unseen; exact in float16."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.2)
            parameter.copy_(parameter.half().float())


def tiny_token_model() -> TokenLM:
    torch.manual_seed(0)
    model = TokenLM(tiny(1)).eval()
    lively(model, 1)
    return model


def tiny_patch_model(base: TokenLM, patch: int = PATCH) -> PatchLM:
    """Adapted, not merged, on the base's weights."""
    torch.manual_seed(patch)
    model = PatchLM(tiny(patch)).eval()
    lively(model, patch)
    for part in ("text_embedding", "speech_embedding", "backbone"):
        getattr(model, part).load_state_dict(getattr(base, part).state_dict())
    model.adapt()
    for module in model.modules():
        if isinstance(module, LoRALinear):
            lively(module.lora_A, 5)
            lively(module.lora_B, 6)
    return model.requires_grad_(False)


def tiny_vocoder() -> StreamingVocoder:
    torch.manual_seed(9)
    config = tiny()
    assert config.vocoder is not None
    vocoder = StreamingVocoder(config.vocoder, config.speaker).eval()
    lively(vocoder, 9)
    return vocoder.requires_grad_(False)


def rewrite(path: Path, **changes: object) -> None:
    """Change fields of a JSON file."""
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), **changes}))
