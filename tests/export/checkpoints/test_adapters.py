"""LoRA: merged equals unmerged, and peft's files go both ways."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from export.checkpoints.adapters import adapted, load_adapters, save_adapters
from export.model.backbone import LORA_TARGETS, Backbone
from export.model.lora import adapt, merge
from runtime.errors import CheckpointError
from tests.export.tiny import lively, rewrite, tiny, tiny_patch_model, tiny_token_model


@torch.no_grad()
def test_merge_equals_unmerged() -> None:
    model = tiny_patch_model(tiny_token_model())
    x, positions = torch.randn(2, 5, 16), torch.arange(5.0).expand(2, 5)
    before = model.backbone(x, positions)
    plain = tiny_token_model().backbone(x, positions)
    merge(model.backbone)
    assert not adapted(model.backbone)
    torch.testing.assert_close(model.backbone(x, positions), before, rtol=1e-5, atol=1e-5)
    assert (before - plain).abs().max() > 0.01, "the adapters must do something"


@torch.no_grad()
def test_round_trip(tmp_path: Path) -> None:
    model = tiny_patch_model(tiny_token_model())
    save_adapters(tmp_path, model.backbone)
    fresh = Backbone(tiny().backbone)
    load_adapters(tmp_path, fresh)
    assert len(adapted(fresh)) == 7 * tiny().backbone.layers
    for path, layer in adapted(model.backbone).items():
        torch.testing.assert_close(adapted(fresh)[path].lora_A.weight, layer.lora_A.weight)
        torch.testing.assert_close(adapted(fresh)[path].lora_B.weight, layer.lora_B.weight)
        assert adapted(fresh)[path].scale == layer.scale == 2


def test_files_are_in_pefts_format(tmp_path: Path) -> None:
    save_adapters(tmp_path, tiny_patch_model(tiny_token_model()).backbone)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 2, 4)
    assert set(config["target_modules"]) == set(LORA_TARGETS)
    state = load_file(tmp_path / "adapter_model.safetensors")
    assert "base_model.model.layers.1.mlp.down_proj.lora_B.weight" in state
    assert state["base_model.model.layers.0.self_attn.k_proj.lora_A.weight"].shape == (2, 16)
    assert len(state) == 2 * 7 * tiny().backbone.layers


def test_what_peft_writes_besides_is_read_over(tmp_path: Path) -> None:
    save_adapters(tmp_path, tiny_patch_model(tiny_token_model()).backbone)
    rewrite(tmp_path / "adapter_config.json", init_lora_weights=True, layers_to_transform=None, peft_version="0.17.0")
    load_adapters(tmp_path, Backbone(tiny().backbone))


@pytest.mark.parametrize(("changes", "sentence"), [
    ({"use_dora": True}, "only plain LoRA can be merged"),
    ({"use_rslora": True}, "only plain LoRA can be merged"),
    ({"peft_type": "LOHA"}, "cannot be read as a LoRA configuration"),
    ({"bias": "all"}, "cannot be read as a LoRA configuration"),
    ({"r": 0}, "rank 0 is not positive"),
    ({"r": 3}, r"is \[2, 16\], config.json asks for \[3, 16\]"),
    ({"target_modules": ["q_proj"]}, "has unexpected"),
    ({"target_modules": [*LORA_TARGETS, "layers"]}, None),
])
def test_other_variants_are_refused(tmp_path: Path, changes: dict[str, object], sentence: str | None) -> None:
    save_adapters(tmp_path, tiny_patch_model(tiny_token_model()).backbone)
    rewrite(tmp_path / "adapter_config.json", **changes)
    if sentence is None:
        load_adapters(tmp_path, Backbone(tiny().backbone))
        return
    with pytest.raises(CheckpointError, match=sentence):
        load_adapters(tmp_path, Backbone(tiny().backbone))


def test_only_adapted_models_can_be_saved(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="found 0 kinds"):
        save_adapters(tmp_path, Backbone(tiny().backbone))
    backbone = Backbone(tiny().backbone)
    adapt(backbone.layers[0], LORA_TARGETS, 2, 4)
    adapt(backbone.layers[1], LORA_TARGETS, 3, 4)
    lively(backbone, 0)
    with pytest.raises(CheckpointError, match="found 2 kinds"):
        save_adapters(tmp_path, backbone)
