"""The file that language models train on: what was written comes back, split by sentence."""

from pathlib import Path

import pytest
import torch

from runtime.errors import OutputError
from training.data.text import split_of
from training.data.token_file import TokenizedUtterance, copy_spoken, read_spoken, write_spoken

TEXTS = [f"Somebody reads {'a' * (index % 20)}, then {'b' * (index // 20)}." for index in range(400)]


def utterance(text: str, index: int) -> TokenizedUtterance:
    """Ids, codes up to the largest, and an alignment that skips phonemes."""
    aligned = torch.tensor([0, 0, 2, 2, 5]) if index % 2 else torch.tensor([1, 1, 1])
    codes = torch.tensor([6560, 0, 17, 5, index])[:len(aligned)]
    return TokenizedUtterance(text, "jm_kumo", torch.arange(1, 7 + index % 3), codes, aligned)


def test_utterances_come_back_each_in_its_split(tmp_path: Path) -> None:
    said = [utterance(text, index) for index, text in enumerate(TEXTS)]
    write_spoken(tmp_path / "tokens.npz", said)
    found = read_spoken(tmp_path / "tokens.npz")
    assert sum(map(len, found.values())) == len(said)
    assert len(found["validation"]) > 0
    for split, some in found.items():
        expected = [each for each in said if split_of(each.text) == split]
        assert [each.text for each in some] == [each.text for each in expected]
        for one, other in zip(some, expected, strict=True):
            assert one.voice == other.voice
            for name in ("ids", "codes", "aligned"):
                assert torch.equal(getattr(one, name), getattr(other, name))
                assert getattr(one, name).dtype == torch.int64


def test_it_is_copied_once_and_onto_itself_not_at_all(tmp_path: Path) -> None:
    write_spoken(tmp_path / "tokens.npz", [utterance(TEXTS[0], 0)])
    copy_spoken(tmp_path / "tokens.npz", tmp_path / "copy.npz")
    assert (tmp_path / "copy.npz").read_bytes() == (tmp_path / "tokens.npz").read_bytes()
    before = (tmp_path / "copy.npz").stat().st_ino
    copy_spoken(tmp_path / "copy.npz", tmp_path / "copy.npz")
    assert (tmp_path / "copy.npz").stat().st_ino == before
    with pytest.raises(OutputError):
        copy_spoken(tmp_path / "tokens.npz", tmp_path / "missing" / "copy.npz")
