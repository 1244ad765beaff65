"""Directories appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime import atomic as directories
from runtime.atomic import new_directory
from runtime.errors import OutputError


def fill(directory: Path, word: str) -> None:
    (directory / "word").write_text(word)


@pytest.mark.parametrize("exchange", [True, False])
def test_a_directory_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    if not exchange:
        monkeypatch.setattr(directories, "_exchange", lambda first, second: False)
    for word in ("old", "new"):
        with new_directory(tmp_path / "made") as partial:
            fill(partial, word)
            if word == "new":
                assert (tmp_path / "made" / "word").read_text() == "old"
    assert (tmp_path / "made" / "word").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_the_exchange_is_one_step_here(tmp_path: Path) -> None:
    for word in ("a", "b"):
        (tmp_path / word).mkdir()
        fill(tmp_path / word, word)
    if not directories._exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot exchange directories")
    assert (tmp_path / "a" / "word").read_text() == "b" and (tmp_path / "b" / "word").read_text() == "a"


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), ValueError("bad")])
def test_failures_leave_nothing(tmp_path: Path, failure: BaseException) -> None:
    with pytest.raises(type(failure)), new_directory(tmp_path / "far" / "away" / "made") as partial:
        fill(partial, "half")
        raise failure
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"Cannot write .*made: No space left on device"), new_directory(tmp_path / "made"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_two_writers_of_one_place_both_succeed(tmp_path: Path) -> None:
    """Two threads, or two containers with equal process ids: each has a directory of its own, and a whole one stays."""
    with new_directory(tmp_path / "made") as first, new_directory(tmp_path / "made") as second:
        fill(first, "first")
        fill(second, "second")
    assert (tmp_path / "made" / "word").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_running_writer_is_left_alone(tmp_path: Path) -> None:
    with new_directory(tmp_path / "made") as first:
        with new_directory(tmp_path / "made") as second:
            fill(second, "second")
        assert first.is_dir()
        fill(first, "first")
    assert (tmp_path / "made" / "word").read_text() == "first"


def test_a_file_is_written_through_a_link_and_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "link").symlink_to("real")
    with directories.atomic_file(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o600


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    with directories.atomic_file(tmp_path / ("n" * 251 + ".wav")) as file:
        file.write(b"x")
    with new_directory(tmp_path / ("n" * 255)) as partial:
        fill(partial, "x")
    assert len(list(tmp_path.iterdir())) == 2
