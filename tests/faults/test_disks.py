"""A full disk and read-only folders, on real file systems where this process may mount them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.audio import Audio
from runtime.bundle.reader import Bundle
from runtime.errors import OutputError
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT, sentence_of


def speak(*arguments: str, user: int | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "runtime.cli", *arguments], capture_output=True, text=True, timeout=120,
                          check=False, user=user)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this process may not mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def audio(synthesizer: Synthesizer) -> Audio:
    return synthesizer.synthesize(TEXT * 4)


@pytest.mark.parametrize("streaming", [[], ["--stream"]])
def test_a_full_disk(small_disk: Path, tiny: Path, streaming: list[str]) -> None:
    target = small_disk / "out.wav"
    target.write_bytes(b"before")
    done = speak(TEXT * 4, "--bundle", str(tiny), "-o", str(target), *streaming)
    assert done.returncode == 2 and "disk is full" in done.stderr and "Traceback" not in done.stderr
    assert os.listdir(small_disk) == ["out.wav"] and target.read_bytes() == b"before"


def test_a_full_disk_in_the_api(small_disk: Path, audio: Audio) -> None:
    with pytest.raises(OutputError) as error:
        audio.save(small_disk / "out.wav")
    assert "disk is full" in sentence_of(error) and os.listdir(small_disk) == []


@pytest.mark.slow
def test_a_full_disk_during_an_export(small_disk: Path) -> None:
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-m", "export.cli", "--preset", "embedded", "--no-verify", "--engines", "none",
                           "--out", str(small_disk / "bundle")], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 2 and "free some space" in done.stderr and "Traceback" not in done.stderr
    assert os.listdir(small_disk) == []


def test_a_read_only_file_system(small_disk: Path, tiny: Path, audio: Audio) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = speak(TEXT, "--bundle", str(tiny), "-o", str(small_disk / "out.wav"))
    assert done.returncode == 2 and "Read-only" in done.stderr and "Traceback" not in done.stderr
    with pytest.raises(OutputError, match="Read-only"):
        audio.save(small_disk / "out.wav")
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)


def test_a_bundle_is_spoken_with_from_where_nothing_can_be_written(own_bundle: Path) -> None:
    before = sorted(own_bundle.rglob("*"))
    for path in [*before, own_bundle]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    with Synthesizer(own_bundle, provider="cpu") as synthesizer:
        assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"
    Bundle.open(own_bundle)
    assert sorted(own_bundle.rglob("*")) == before
    for path in [*before, own_bundle]:
        path.chmod(0o755 if path.is_dir() else 0o644)
