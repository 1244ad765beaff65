"""Cloning a voice from a recording, and speaking with it, on a small CosyVoice3 bundle."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from runtime.bundle.voice import read_voice
from runtime.cloning.features import filter_bank, mel_frames
from runtime.errors import BackendError, VoiceError
from runtime.synthesizer import Synthesizer
from runtime.text.qwen import SYSTEM_PROMPT, QwenFrontEnd
from tests.conftest import sentence_of

TRANSCRIPT = "This is what I said."


@pytest.fixture(scope="module")
def speaker(cosyvoice_bundle: Path) -> Iterator[Synthesizer]:
    with Synthesizer(cosyvoice_bundle, provider="cpu", threads=1) as made:
        yield made


def sound(seconds: float, rate: int = 24_000) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 180 * time) * np.sin(2 * np.pi * 1.5 * time)).astype(np.float32)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "me.wav"
    soundfile.write(path, np.stack((sound(2.11), sound(2.11)), 1), 24_000)
    return path


def ids(speaker: Synthesizer, text: str) -> list[int]:
    assert isinstance(speaker._pipeline.front_end, QwenFrontEnd)
    return speaker._pipeline.front_end.ids(text)


def test_zero_shot(speaker: Synthesizer, recording: Path) -> None:
    """The language model reads the transcript after the end of the prompt, and continues the recording's tokens."""
    voice = speaker.clone_voice(recording, TRANSCRIPT)
    assert voice.prompt_text_ids.tolist() == ids(speaker, SYSTEM_PROMPT + TRANSCRIPT)
    assert voice.speaker.shape == (192,) and np.array_equal(voice.prompt_tokens, voice.flow_tokens)
    assert len(voice.flow_tokens) == 52 and voice.flow_mel.shape == (104, 80), "two frames a token, the rest is left out"
    assert np.array_equal(voice.flow_mel, mel_frames(soundfile.read(recording, dtype="float32")[0].mean(1))[:104])


def test_cross_lingual_and_instruction(speaker: Synthesizer, recording: Path) -> None:
    """Only the vocoder hears the recording."""
    plain = speaker.clone_voice(recording)
    told = speaker.clone_voice(recording, instruction="Speak fast.")
    for voice in (plain, told):
        assert len(voice.prompt_tokens) == 0 and len(voice.flow_tokens) == 52
    assert plain.prompt_text_ids.tolist() == ids(speaker, SYSTEM_PROMPT)
    assert told.prompt_text_ids.tolist() == ids(speaker, "You are a helpful assistant. Speak fast.<|endofprompt|>")


def test_speaks(speaker: Synthesizer, recording: Path) -> None:
    """Sound of the right length by the tokens, the same whole and streamed, and within the rule of tokens a text id."""
    voice = speaker.clone_voice(recording, TRANSCRIPT)
    audio = speaker.synthesize("Hello there, robot.", voice=voice, seed=3)
    length = len(ids(speaker, "Hello there, robot."))
    assert audio.sample_rate == 24_000 and len(audio.samples) == audio.stats.tokens * 960
    assert 2 * length <= audio.stats.tokens <= 20 * length
    assert audio.samples.std() > 1e-3
    if not audio.stats.retries:
        streamed = speaker.stream("Hello there, robot.", voice=voice, seed=3).collect()
        assert np.array_equal(streamed.samples, audio.samples)
    assert not np.array_equal(speaker.synthesize("Hello there, robot.", voice=voice, seed=4).samples, audio.samples)


def test_saved_voice(speaker: Synthesizer, recording: Path, tmp_path: Path) -> None:
    voice = speaker.clone_voice(recording, TRANSCRIPT, name="me")
    voice.save(tmp_path / "me.npz")
    read = read_voice(tmp_path / "me.npz", "me", speaker.bundle.manifest)
    for name in ("speaker", "prompt_tokens", "prompt_text_ids", "flow_tokens", "flow_mel"):
        assert np.array_equal(getattr(read, name), getattr(voice, name))


def test_no_voice_of_its_own(speaker: Synthesizer) -> None:
    with pytest.raises(VoiceError) as error:
        speaker.synthesize("Hello.")
    assert "--reference" in sentence_of(error)


def test_refused_recordings(speaker: Synthesizer, tmp_path: Path) -> None:
    cases = {"short": (sound(0.3), 24_000), "long": (sound(30.5, 16_000), 16_000), "low": (sound(1, 8000), 8000),
             "silent": (np.zeros(24_000, np.float32), 24_000)}
    parts = {"short": "0.3 s", "long": "30.5 s", "low": "8000", "silent": "silent"}
    for name, (samples, rate) in cases.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, rate)
        with pytest.raises(VoiceError, match=parts[name]) as error:
            speaker.clone_voice(tmp_path / f"{name}.wav", TRANSCRIPT)
        sentence_of(error)
    (tmp_path / "text.wav").write_text("no sound")
    for path in (tmp_path / "text.wav", tmp_path / "missing.wav"):
        with pytest.raises(VoiceError, match="cannot be read"):
            speaker.clone_voice(path, TRANSCRIPT)
    with pytest.raises(VoiceError, match="not both"):
        speaker.clone_voice(tmp_path / "short.wav", TRANSCRIPT, instruction="Speak fast.")


def test_other_bundles_cannot(synthesizer: Synthesizer, recording: Path) -> None:
    with pytest.raises(VoiceError, match="cannot clone"):
        synthesizer.clone_voice(recording, TRANSCRIPT)


def test_missing_package(speaker: Synthesizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "soxr", None)
    soundfile.write(tmp_path / "rate.wav", sound(1, 44_100), 44_100)
    with pytest.raises(BackendError, match="pip install soxr"):
        speaker.clone_voice(tmp_path / "rate.wav", TRANSCRIPT)


def test_other_rates(speaker: Synthesizer, recording: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "rate.wav", sound(2.11, 48_000), 48_000)
    voice = speaker.clone_voice(tmp_path / "rate.wav", TRANSCRIPT)
    at_home = speaker.clone_voice(recording, TRANSCRIPT)
    assert voice.flow_mel.shape == at_home.flow_mel.shape
    assert np.abs(filter_bank(sound(1, 16_000))).max() > 0
    loud = at_home.flow_mel > -4
    assert np.abs(voice.flow_mel - at_home.flow_mel)[loud].mean() < 0.05


def test_a_long_recording_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """A small compressed file may hold hours of many channels: a child with little memory must read its length only."""
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros((24_000 * 600, 8), np.int16), 24_000)
    code = ("import resource, sys; from runtime.cloning.reference import read_recording\n"
            "from runtime.errors import VoiceError\n"
            "import soundfile, numpy\n"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "try:\n    read_recording(__import__('pathlib').Path(sys.argv[1]))\n"
            "except VoiceError as error:\n    print(error)\n"
            "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=120, check=True)
    message, grown = done.stdout.splitlines()
    assert "lasts 600.0 s" in message and int(grown) < 100
