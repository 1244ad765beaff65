"""`llm.pt` as the token-level model, and as the frozen base of a TLDR model."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from export.checkpoints.cosyvoice.directory import SETTINGS, QwenConfig, read_qwen_config
from export.checkpoints.cosyvoice.settings import read_settings
from export.checkpoints.cosyvoice.state import adopt, count_layers, part, read_state, shape_of
from export.model.config import BackboneConfig, ModelConfig, VocabularyConfig, cosyvoice3
from export.model.language_model import PatchLM, TokenLM
from runtime.errors import CheckpointError

QWEN = "llm.model.model."
UNUSED = "llm.model.lm_head.weight"
"""Qwen2's own head, tied to the text embedding: speech has its own head."""
OTHER_VERSION = "llm_embedding.weight"
PARTS = {f"{QWEN}embed_tokens.": "text_embedding.", f"{QWEN}layers.": "backbone.layers.", f"{QWEN}norm.": "backbone.norm.",
         "speech_embedding.": "speech_embedding.", "llm_decoder.": "head."}
"""Prefixes of the file, and ours."""
SOS, END, TASK = 0, 1, 2
"""Special ids, counted from the first id after the codes."""


def read_language_model(path: Path) -> dict[str, Tensor]:
    """Read the tensors of `llm.pt` under our names. Raises CheckpointError."""
    state = read_state(path)
    if OTHER_VERSION in state:
        raise CheckpointError(f"{path} is CosyVoice2's language model (it has {OTHER_VERSION}); use CosyVoice3's llm.pt.")
    state.pop(UNUSED, None)
    renamed = {}
    for name, tensor in state.items():
        prefix = next((prefix for prefix in PARTS if name.startswith(prefix)), None)
        renamed[name if prefix is None else PARTS[prefix] + name.removeprefix(prefix)] = tensor
    return renamed


def read_config(directory: Path, path: Path, state: dict[str, Tensor], speaker: int) -> ModelConfig:
    """Read the sizes of the token-level model from the files; `path` is the one of `state`. Raises CheckpointError."""
    qwen = read_qwen_config(directory)
    text, hidden = shape_of(state, "text_embedding.weight", path)
    size, _ = shape_of(state, "head.weight", path)
    settings = read_settings(directory / SETTINGS)
    codes = settings.speech_token_size
    if codes + TASK >= size:
        raise CheckpointError(f"{path} has {size} speech ids, {SETTINGS} says {codes} codes and special ids behind them.")
    vocabulary = VocabularyConfig(codes=codes, size=size, sos=codes + SOS, eos=codes + END, task=codes + TASK, text=text)
    backbone = _backbone(path, state, hidden, qwen)
    return msgspec.structs.replace(cosyvoice3(1), name="cosyvoice3", token_rate=settings.token_frame_rate, speaker=speaker,
                                   vocabulary=vocabulary, backbone=backbone)


def _backbone(path: Path, state: dict[str, Tensor], hidden: int, qwen: QwenConfig) -> BackboneConfig:
    wide, _ = shape_of(state, "backbone.layers.0.self_attn.q_proj.weight", path)
    narrow, _ = shape_of(state, "backbone.layers.0.self_attn.k_proj.weight", path)
    intermediate, _ = shape_of(state, "backbone.layers.0.mlp.gate_proj.weight", path)
    heads = qwen.num_attention_heads
    if qwen.hidden_size != hidden or heads < 1 or wide % heads or narrow % (wide // heads):
        raise CheckpointError(f"{path} has hidden size {hidden} and {wide} query channels, which do not fit "
                              f"CosyVoice-BlankEN/config.json ({qwen.hidden_size}, {heads} heads).")
    head_dim = wide // heads
    return BackboneConfig(layers=count_layers(state, "backbone.layers.", path), hidden=hidden, heads=heads,
                          kv_heads=narrow // head_dim, head_dim=head_dim, intermediate=intermediate,
                          rope_theta=qwen.rope_theta, norm_eps=qwen.rms_norm_eps)


def token_model(path: Path, config: ModelConfig, state: dict[str, Tensor]) -> TokenLM:
    """The token-level model on the file's own memory. Raises CheckpointError."""
    with torch.device("meta"):
        model = TokenLM(config)
    adopt(model, state, path, _name_in_file)
    return model.eval().requires_grad_(False)


def adopt_base(path: Path, model: PatchLM, state: dict[str, Tensor]) -> None:
    """Fill what a TLDR model has from CosyVoice3, its head left out. Raises CheckpointError."""
    for name in ("text_embedding", "speech_embedding", "backbone"):
        adopt(getattr(model, name), part(state, f"{name}."), path, partial(_name_in_file, above=f"{name}."))


def _name_in_file(name: str, above: str = "") -> str:
    name = above + name
    for prefix, own in PARTS.items():
        if name.startswith(own):
            return prefix + name.removeprefix(own)
    return name
