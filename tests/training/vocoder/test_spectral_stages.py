"""The stages of the next voice, from sentences to a decoder, in a folder."""

from pathlib import Path

import pytest
import torch

from training.recipe import Recipe
from training.vocoder import spectral_stages

pytest.importorskip("hibari", reason="comes with the train extra")
TEXT = Path("voices/embedded/text")


def test_every_stage_finds_what_the_one_before_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "text").symlink_to(TEXT.resolve())
    recipe = Recipe(tmp_path / "work", tmp_path / "target")
    recipe.__dict__["sentences"] = [f"This is sentence number {word}, and a short one." for word in ("one", "two", "three")]
    for name in ("STACK_STEPS", "CODEC_STEPS", "JOINT_STEPS"):
        monkeypatch.setattr(spectral_stages, name, 1)
    for stage in (spectral_stages.run_prosody, spectral_stages.run_feature_codec, spectral_stages.run_spectral_stack,
                  spectral_stages.run_spectral_vocoder):
        stage(recipe)
    state = recipe.state("spectral_vocoder", "vocoder")
    assert all(torch.isfinite(value).all() for value in state.values() if value.is_floating_point())
    assert float(state["stack.deviation"].mean()) < 1
