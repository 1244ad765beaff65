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
