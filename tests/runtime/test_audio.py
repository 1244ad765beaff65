"""Samples into files: right, whole, or not at all."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import wave
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import soundfile

from runtime.atomic import atomic_file
from runtime.audio import Audio
from runtime.errors import OutputError
from runtime.output.wav import UNKNOWN_LENGTH, WavWriter, to_int16, wav_header
from runtime.stats import StatsAccumulator
from tests.conftest import sentence_of

RATE = 8000
SAMPLES = (0.5 * np.sin(np.arange(4000) / 7)).astype(np.float32)


@pytest.fixture
def audio() -> Audio:
    """Half a second of a tone."""
    return Audio(SAMPLES, RATE, StatsAccumulator("test", 0).stats(RATE))


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "WAV"])
def test_formats(audio: Audio, tmp_path: Path, suffix: str) -> None:
    audio.save(tmp_path / f"a.{suffix}")
    samples, rate = soundfile.read(tmp_path / f"a.{suffix}")
    assert rate == RATE and audio.seconds == 0.5
    if suffix != "ogg":
        np.testing.assert_allclose(samples, SAMPLES, atol=1 / 16384)
    assert os.listdir(tmp_path) == [f"a.{suffix}"]


def test_wav_bytes_are_a_wav(audio: Audio) -> None:
    with wave.open(io.BytesIO(audio.wav_bytes())) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (1, 2, RATE, 4000)
        assert file.readframes(4000) == audio.pcm_bytes() == audio.int16().astype("<i2").tobytes()


def test_int16_clips_and_rounds() -> None:
    assert to_int16(np.array([-2, -1, 0, 1, 2, 1.6 / 32767], np.float32)).tolist() == [-32767, -32767, 0, 32767, 32767, 2]


@pytest.mark.parametrize("name", ["a.mp4", "a", "missing/a.wav", "folder.wav", "\0.wav"])
def test_paths_that_cannot_be_written(audio: Audio, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(OutputError) as error:
        audio.save(tmp_path / name)
    assert str(tmp_path) in sentence_of(error)
    assert os.listdir(tmp_path) == ["folder.wav"] and not os.listdir(tmp_path / "folder.wav")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(audio: Audio, tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(OutputError) as error:
        audio.save(tmp_path / "a.wav")
    sentence_of(error)


def test_full_disk_leaves_what_was_there(audio: Audio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.wav").write_bytes(b"before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as error:
        audio.save(tmp_path / "a.wav")
    assert "disk is full" in sentence_of(error)
    assert os.listdir(tmp_path) == ["a.wav"] and (tmp_path / "a.wav").read_bytes() == b"before"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_device(audio: Audio) -> None:
    with pytest.raises(OutputError) as error:
        audio.save("/dev/full")
    assert "disk is full" in sentence_of(error)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_whatever_happens_nothing_half_written_stays(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), atomic_file(tmp_path / "a.wav") as file:
        file.write(b"half")
        assert len(os.listdir(tmp_path)) == 1
        raise error
    assert os.listdir(tmp_path) == []


def test_wav_writer_into_a_file(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "a.wav") as file:
        writer = WavWriter(file, RATE)
        for part in np.split(SAMPLES, [1, 100]):
            writer.write(to_int16(part))
        assert os.listdir(tmp_path) != ["a.wav"]
        writer.finish()
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    np.testing.assert_array_equal(samples, to_int16(SAMPLES))


def test_wav_writer_into_a_pipe() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    pipe: BinaryIO = Pipe()
    writer = WavWriter(pipe, RATE)
    writer.write(to_int16(SAMPLES))
    writer.finish()
    pipe.seek(0)
    data = pipe.read()
    assert data[:44] == wav_header(RATE, UNKNOWN_LENGTH) and len(data) == 44 + 2 * len(SAMPLES)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_long_audio_is_saved(suffix: str, tmp_path: Path) -> None:
    """Whole in one call, libvorbis overflows the stack of 8 MB after 87 s: in a child, as that ends the process."""
    code = ("import sys, numpy as np; from runtime.audio import Audio; "
            "Audio(np.zeros(24000 * 120, 'f4'), 24000, None).save(sys.argv[1])")
    subprocess.run([sys.executable, "-c", code, str(tmp_path / f"long{suffix}")], check=True, timeout=120)
    assert soundfile.info(str(tmp_path / f"long{suffix}")).frames == 24000 * 120
