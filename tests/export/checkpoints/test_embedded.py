"""Checkpoints: what is saved loads as it was, and every misfit is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from export.checkpoints import embedded as checkpoint
from export.model.lora import merge
from runtime.errors import CheckpointError, OutputError
from tests.export.tiny import PATCH, rewrite, tiny, tiny_patch_model, tiny_token_model, tiny_vocoder


def test_token_model_comes_back(saved_checkpoint: Path) -> None:
    wanted = tiny_token_model().state_dict()
    found = checkpoint.load_token_model(saved_checkpoint)
    assert not found.training and found.config == tiny(1)
    for name, tensor in found.state_dict().items():
        assert tensor.dtype == torch.float32
        torch.testing.assert_close(tensor, wanted[name], rtol=0, atol=0)


def test_patch_model_comes_back_merged(saved_checkpoint: Path) -> None:
    wanted = tiny_patch_model(tiny_token_model())
    merge(wanted)
    found = checkpoint.load_patch_model(saved_checkpoint, PATCH)
    assert found.state_dict().keys() == wanted.state_dict().keys()
    for name, tensor in found.state_dict().items():
        torch.testing.assert_close(tensor, wanted.state_dict()[name], rtol=1e-6, atol=1e-7)


def test_vocoder_comes_back(saved_checkpoint: Path) -> None:
    wanted = tiny_vocoder().state_dict()
    for name, tensor in checkpoint.load_vocoder(saved_checkpoint).state_dict().items():
        torch.testing.assert_close(tensor, wanted[name], rtol=0, atol=0)


def test_voice_comes_back(saved_checkpoint: Path) -> None:
    wanted = np.random.default_rng(0).standard_normal(5).astype(np.float32)
    np.testing.assert_array_equal(checkpoint.load_speaker(saved_checkpoint / "voices" / "anna.npz", 5).numpy(), wanted)
    with np.load(saved_checkpoint / "voices" / "ben.npz") as arrays:
        assert arrays["prompt_tokens"].dtype == arrays["prompt_text_ids"].dtype == np.int64


def test_weights_are_stored_as_float16(saved_checkpoint: Path) -> None:
    for name in ("backbone.safetensors", "vocoder.safetensors", f"patch-{PATCH}/tldr.safetensors"):
        assert {tensor.dtype for tensor in load_file(saved_checkpoint / name).values()} == {torch.float16}


def test_patch_sizes_are_found(saved_checkpoint: Path) -> None:
    assert checkpoint.patch_sizes(saved_checkpoint) == [PATCH, 3]


def test_saving_again_replaces_and_leaves_nothing_else(checkpoint_copy: Path) -> None:
    before = sorted(checkpoint_copy.rglob("*"))
    model = tiny_patch_model(tiny_token_model())
    with torch.no_grad():
        model.extractor.start += 1
    checkpoint.save_patch_model(checkpoint_copy, model)
    checkpoint.save_token_model(checkpoint_copy, tiny_token_model())
    assert sorted(checkpoint_copy.rglob("*")) == before
    loaded = checkpoint.load_patch_model(checkpoint_copy, PATCH)
    torch.testing.assert_close(loaded.extractor.start, model.extractor.start, atol=1e-3, rtol=1e-3)


def edit(path: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def drop_key(directory: Path) -> None:
    edit(directory / "backbone.safetensors", lambda tensors: tensors.pop("backbone.norm.weight"))


def add_key(directory: Path) -> None:
    edit(directory / "backbone.safetensors", lambda tensors: tensors.update(stray=torch.zeros(1)))


def reshape(directory: Path) -> None:
    edit(directory / "backbone.safetensors", lambda tensors: tensors.update({"backbone.norm.weight": torch.ones(3)}))


def make_nan(directory: Path) -> None:
    edit(directory / "backbone.safetensors", lambda tensors: tensors["backbone.norm.weight"].fill_(float("nan")))


def truncate(directory: Path) -> None:
    path = directory / "backbone.safetensors"
    path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize(("break_it", "sentence"), [
    (drop_key, r"backbone.safetensors lacks backbone\.norm\.weight"),
    (add_key, "backbone.safetensors has unexpected stray"),
    (reshape, r"backbone\.norm\.weight is \[3\], config.json asks for \[16\]"),
    (make_nan, r"backbone\.norm\.weight does not hold finite"),
    (truncate, "corrupt or not a safetensors file"),
    (lambda directory: (directory / "backbone.safetensors").unlink(), "backbone.safetensors is missing"),
    (lambda directory: (directory / "config.json").write_text("{"), "config.json cannot be read"),
    (lambda directory: (directory / "config.json").unlink(), "holds no checkpoint"),
    (lambda directory: rewrite(directory / "config.json", patch=9), "says patch 9, its place says 1"),
    (lambda directory: rewrite(directory / "config.json", surprise=2), "surprise"),
])
def test_misfits_are_named(checkpoint_copy: Path, break_it: Callable[[Path], object], sentence: str) -> None:
    break_it(checkpoint_copy)
    for load in (checkpoint.load_token_model, lambda directory: checkpoint.load_patch_model(directory, PATCH)):
        with pytest.raises(CheckpointError, match=sentence):
            load(checkpoint_copy)


def test_a_patch_size_that_is_not_there_names_those_that_are(saved_checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match="no weights for patch size 8; trained sizes: 2, 3"):
        checkpoint.load_patch_model(saved_checkpoint, 8)


def test_values_beyond_float16_are_not_saved(tmp_path: Path) -> None:
    model = tiny_token_model()
    with torch.no_grad():
        model.head.weight[0, 0] = 1e6
    with pytest.raises(CheckpointError, match=r"head\.weight holds values that float16 cannot"):
        checkpoint.save_token_model(tmp_path, model)
    assert list(tmp_path.iterdir()) == []


def test_unwritable_places_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot write"):
        checkpoint.save_token_model(tmp_path / "file" / "checkpoint", tiny_token_model())
