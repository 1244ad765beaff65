"""Whisper base is joined from its packages' parts."""

from pathlib import Path

import pytest

from benchmarks.judges import whisper_base


def test_parts_are_joined_in_order_and_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    files = ((first, "model.bin.part1", "one "), (second, "model.bin.part2", "two"), (second, "config.json", "{}"))
    for folder, name, text in files:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setattr(whisper_base, "_files", lambda: [*second.iterdir(), *first.iterdir()])
    target = whisper_base.joined_model(tmp_path / "model")
    assert (target / "model.bin").read_text() == "one two" and (target / "config.json").read_text() == "{}"
    (first / "model.bin.part1").write_text("changed")
    assert (whisper_base.joined_model(target) / "model.bin").read_text() == "one two"
