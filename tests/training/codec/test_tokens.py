"""Trimming and alignment of utterances, and a corpus as tokens."""

from pathlib import Path

import numpy as np
import torch

from export.model.config import EMBEDDED_VOCODER
from export.model.encoders import CodecEncoder
from runtime.cloning.encoders import TAIL_FRAMES
from runtime.text.phonemes import to_ids
from training.codec.tokens import align, as_tokens, trim
from training.data.shards import Utterance, write_shard


def test_trim_keeps_a_short_tail_and_whole_tokens() -> None:
    mels = np.full((203, 80), -2.0, np.float32)
    mels[10:101, 5] = 1.0
    kept = trim(mels, 4)
    assert len(kept) == (101 + TAIL_FRAMES) // 4 * 4
    assert len(trim(np.full((40, 80), -2.0), 4)) == 4


def test_align_follows_durations() -> None:
    # 8 units are 0.2 s are 5 tokens.
    aligned = align(np.array([8, 8, 16]), lead=0, tokens=20)
    assert aligned.tolist() == [0] * 5 + [1] * 5 + [2] * 10
    assert align(np.array([8, 8]), lead=8, tokens=15).tolist() == [0] * 10 + [1] * 5
    assert align(np.array([2]), lead=0, tokens=9).max() == 0


def test_a_corpus_as_tokens_loses_the_vowel_behind_a_last_plosive(tmp_path: Path) -> None:
    torch.manual_seed(0)
    _write(tmp_path, ["stˈɑp.", "stˈɑs.", "stˈɑp"])
    stop, stars = as_tokens(tmp_path, CodecEncoder(EMBEDDED_VOCODER))
    assert [stop.ids.tolist(), stars.ids.tolist()] == [to_ids("stˈɑp."), to_ids("stˈɑs.")]
    # The plosive begins behind 1 s, which is 25 tokens; it and what is loud while it dies away are 7 frames.
    assert len(stars.codes) == (132 + TAIL_FRAMES) // 4 and len(stop.codes) == (100 + 7 + TAIL_FRAMES) // 4
    assert stop.aligned.tolist()[:24] == stars.aligned.tolist()[:24] and stop.aligned[-4:].tolist() == [5] * 4
    assert len(stop.codes) == len(stop.aligned)


def _write(folder: Path, sentences: list[str]) -> None:
    """Readings whose last but one phoneme lasts half a second; the last sentence has a duration more than phonemes."""
    made: list[Utterance] = []
    for _ in sentences:
        mels = np.full((170, 80), -2, np.float16)
        mels[:132] = np.random.default_rng(1).uniform(0, 1, (132, 80))
        made.append({"mels": mels, "durations": np.array([10, 10, 10, 10, 12, 12], np.int16), "silence": np.zeros(2, np.int16)})
    write_shard(folder / "0.safetensors", made,
                [{"text": each, "voice": "jm_kumo", "phonemes": each} for each in sentences])
