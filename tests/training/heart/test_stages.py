"""The stages of the next voice, from sentences to a decoder, in a folder."""

from pathlib import Path

import pytest
import torch

from training.data.shards import read_folder
from training.data.token_file import read_spoken
from training.heart import codec_stages
from training.heart.recipe import HeartRecipe
from training.heart.voices import VOICES

pytest.importorskip("hibari", reason="comes with the train extra")
TEXT = Path("voices/embedded/text")


def test_every_stage_finds_what_the_one_before_left(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "text").symlink_to(TEXT.resolve())
    recipe = HeartRecipe(tmp_path / "work", tmp_path / "target", codec_steps=1, stack_steps=1, joint_steps=1, decoder_steps=1,
                    recordings=2)
    recipe.__dict__["sentences"] = [f"This is sentence number {word}, and a short one." for word in ("one", "two", "three")]
    for stage in (codec_stages.run_prosody, codec_stages.run_feature_codec, codec_stages.run_spectral_stack,
                  codec_stages.run_spectral_vocoder, codec_stages.run_spectral_decoder, codec_stages.run_tokens,
                  codec_stages.run_audio):
        stage(recipe)
    decoder = recipe.vocoder()
    assert all(torch.isfinite(value).all() for value in decoder.state_dict().values() if value.is_floating_point())
    assert float(decoder.stack.deviation.mean()) < 1
    tokens = [each for split in read_spoken(recipe.tokens()).values() for each in split]
    assert len(tokens) == 3
    spoken = decoder.utterance(tokens[0].codes[None], recipe.speakers["kumo"][None])
    assert spoken.shape == (1, 960 * len(tokens[0].codes)) and bool(spoken.isfinite().all())
    audio = list(read_folder(recipe.work / "audio"))
    assert {note["voice"] for note, _ in audio} <= set(VOICES) and len(audio) == 2
    assert all(len(each["samples"]) == 960 * len(each["latents"]) for _, each in audio)
