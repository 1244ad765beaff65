"""A checkpoint with both encoders exports to a bundle that clones voices, with a listener to one that hears itself."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
import torch

from export import exporter
from export.checkpoints import embedded as checkpoint
from export.checkpoints.sources import CheckpointSource
from export.exporter import Order, export_bundle
from export.model.encoders import CodecEncoder, SpeakerEncoder
from export.model.language_model import PatchLM, TokenLM
from export.model.listener import Listener
from export.model.vocoder import StreamingVocoder
from export.verification import parity
from runtime import Bundle, Synthesizer
from runtime.cloning.encoders import LEAD_FRAMES, TAIL_FRAMES, without_silence
from runtime.cloning.features import codec_mel
from runtime.errors import TextError, VoiceError
from tests.conftest import sentence_of
from tests.export.tiny import PATCH, TEXT, lively, tiny

TRANSCRIPT = "Hello world."


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny voice with the mel frames of the real one, FP32, every graph verified."""
    directory, target = tmp_path_factory.mktemp("cloning") / "checkpoint", tmp_path_factory.mktemp("cloned") / "bundle"
    torch.manual_seed(0)
    form = tiny().vocoder
    assert form is not None
    form = msgspec.structs.replace(form, sample_rate=24_000, hop=240, frames_per_token=4)
    base, model = (msgspec.structs.replace(tiny(patch), vocoder=form) for patch in (1, PATCH))
    token_model, patch_model = TokenLM(base).eval(), PatchLM(model).eval()
    for part in ("text_embedding", "speech_embedding", "backbone"):
        getattr(patch_model, part).load_state_dict(getattr(token_model, part).state_dict())
    patch_model.adapt()
    checkpoint.save_token_model(directory, token_model)
    checkpoint.save_patch_model(directory, patch_model)
    checkpoint.save_vocoder(directory, StreamingVocoder(form, base.speaker))
    checkpoint.save_card(directory, checkpoint.VoiceCard("anna", "MIT", max_text_ids=120))
    checkpoint.save_voice(directory, "anna", np.ones(base.speaker))
    encoders = CodecEncoder(form), SpeakerEncoder(base.speaker)
    lively(encoders[0], 1)
    checkpoint.save_codec_encoder(directory, encoders[0])
    assert CheckpointSource(directory).encoders is None, "one of the two is not enough"
    checkpoint.save_speaker_encoder(directory, encoders[1])
    assert CheckpointSource(directory).listener is None
    checkpoint.save_listener(directory, Listener(form))
    (directory / "text").symlink_to(TEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "TOLERANCE", {"fp32": 1e-3})  # a waveform decoder of random weights reaches 1.04e-4
        patch.setattr(exporter, "UTTERANCES", 2)
        export_bundle(CheckpointSource(directory), Order(PATCH, "fp32", 10.0), target)
    return target


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, time = tmp_path_factory.mktemp("sound") / "me.wav", np.arange(36_000) / 24_000
    tone = np.sum([np.sin(2 * np.pi * 150 * n * time) / n for n in range(1, 20)], 0)
    tone = tone * (0.1 + 0.1 * np.sin(2 * np.pi * 3 * time))
    soundfile.write(path, np.concatenate((np.zeros(12_000), tone, np.zeros(12_000))), 24_000)
    return path


def test_encoders_and_listener_were_held_against_pytorch_and_are_half_stored(bundle: Path) -> None:
    manifest = Bundle.open(bundle).manifest
    assert manifest.encoders is not None and manifest.encoders.features == "codec-mel"
    assert {row.graph for row in manifest.parity} == {*manifest.graphs, "speaker_encoder", "speech_tokenizer", "listener"}
    assert not {"speaker_encoder", "speech_tokenizer", "listener"} & set(manifest.graphs), "no backend loads them"
    weights = sum(parameter.numel() for parameter in CodecEncoder(tiny().vocoder).parameters())  # type: ignore[arg-type]
    assert (bundle / manifest.encoders.tokens).stat().st_size < 2.6 * weights


def test_it_hears_what_it_says(bundle: Path) -> None:
    with Synthesizer(bundle, provider="cpu", threads=1) as synthesizer:
        stats = synthesizer.synthesize("Hello world.").stats
    assert stats.stage_seconds["listener"] > 0 and abs(sum(stats.stage_seconds.values()) - stats.compute_seconds) < 1e-6


def test_zero_shot(bundle: Path, recording: Path) -> None:
    """The transcript's ids, a space behind them, and the tokens of the speech without the silence around it."""
    with Synthesizer(bundle, provider="cpu", threads=1) as synthesizer:
        voice = synthesizer.clone_voice(recording, TRANSCRIPT)
        ids = synthesizer._pipeline.front_end.ids(TRANSCRIPT)
        assert voice.prompt_text_ids.tolist() == [*ids, synthesizer._pipeline.front_end.space]
        assert 37 <= len(voice.prompt_tokens) <= 46 and voice.prompt_tokens.max() < 81
        assert voice.speaker.shape == (5,) and len(voice.flow_tokens) == 0
        first, again = (synthesizer.synthesize("Hello.", voice=voice, seed=1).samples for _ in range(2))
        assert np.array_equal(first, again) and len(first)
        plain = synthesizer.clone_voice(recording)
        assert not len(plain.prompt_tokens) and not len(plain.prompt_text_ids)
        assert np.array_equal(plain.speaker, voice.speaker)


def test_refusals(bundle: Path, recording: Path) -> None:
    with Synthesizer(bundle, provider="cpu", threads=1) as synthesizer:
        with pytest.raises(VoiceError, match="no instructions") as error:
            synthesizer.clone_voice(recording, instruction="Speak fast.")
        sentence_of(error)
        with pytest.raises(TextError):
            synthesizer.clone_voice(recording, "...")


def test_silence_around_speech_is_cut() -> None:
    mels = np.full((200, 80), -1.8, np.float32)
    mels[60:100] = 0.5
    cut = without_silence(mels)
    assert len(cut) == 68 and (cut[LEAD_FRAMES] == 0.5).all() and (cut[:LEAD_FRAMES] == mels[0]).all()
    assert LEAD_FRAMES + 40 + TAIL_FRAMES == 66, "two more fill the last token"
    with pytest.raises(VoiceError, match="too quiet"):
        without_silence(mels[:50])
    assert codec_mel(np.zeros(2400, np.float32)).max() < -1
