"""The speaker encoder learns to tell voices, and the runtime's mel frames are those that training sees."""

from pathlib import Path

import numpy as np
import pytest
import torch

from export.model.encoders import SpeakerEncoder
from runtime.cloning.features import codec_mel
from training.codec.mel import MelSpectrogram
from training.codec.speaker_encoder import augment, train_speaker_encoder
from training.data.shards import write_shard
from training.data.voices import speaker_embedding

VOICES = {"low": 110.0, "high": 240.0}


def voice(hertz: float, seed: int) -> np.ndarray:
    """A second of harmonics with a little noise."""
    time, rng = np.arange(24_000) / 24_000, np.random.default_rng(seed)
    tone = sum(np.sin(2 * np.pi * hertz * (1 + seed / 50) * n * time) / n for n in range(1, 12))
    return (0.1 * tone + 0.003 * rng.standard_normal(len(time))).astype(np.float32)


def test_numpy_frames_equal_torch_frames() -> None:
    samples = voice(110, 0)[:23_900]
    mine, theirs = codec_mel(samples), MelSpectrogram()(torch.from_numpy(samples)[None])[0].numpy()
    assert mine.shape == theirs.shape == (99, 80)
    np.testing.assert_allclose(mine, theirs, atol=2e-4)


def test_it_learns_the_voices_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.codec.speaker_encoder.CROPS", (30, 60))
    speakers = {name: torch.from_numpy(speaker_embedding(name, 64)) for name in VOICES}
    for name, hertz in VOICES.items():
        texts = [{"voice": name, "split": "validation" if seed == 0 else "train"} for seed in range(4)]
        write_shard(tmp_path / "audio" / f"{name}.safetensors",
                    [{"samples": (voice(hertz, seed) * 32767).astype(np.int16)} for seed in range(4)], texts)
    train_speaker_encoder(tmp_path / "audio", speakers, tmp_path / "run", 60, batch=6)
    encoder = SpeakerEncoder(64)
    encoder.load_state_dict(torch.load(tmp_path / "run" / "state.pt", weights_only=True)["encoder"])
    for name, hertz in VOICES.items():
        with torch.no_grad():
            found = encoder.eval()(torch.from_numpy(codec_mel(voice(hertz, 0)))[None])[0]
        assert float(found.square().mean()) == pytest.approx(1, abs=1e-3)
        right, wrong = (float(torch.cosine_similarity(found, vector, 0)) for vector in
                        (speakers[name], speakers[next(other for other in VOICES if other != name)]))
        assert right > 0.8 and right > wrong + 0.3


def test_augmentation_changes_sound_not_shape_and_is_seeded() -> None:
    mels = torch.randn(8, 40, 80)
    made = augment(mels, np.random.default_rng(1))
    assert made.shape == mels.shape and bool(torch.isfinite(made).all())
    assert not torch.equal(made, mels) and torch.equal(made, augment(mels, np.random.default_rng(1)))
