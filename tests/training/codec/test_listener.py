"""The listener learns which phoneme a code speaks, from its neighbours where it must, and keeps it when it is saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from export.checkpoints.embedded import load_listener, save_listener
from export.model.config import EMBEDDED_VOCODER
from export.model.listener import Listener
from runtime.bundle.contract import NO_TOKEN
from runtime.text.phonemes import IDS
from training.codec.listener import UNHEARD, padded, train_listener
from training.data.token_file import TokenizedUtterance


def utterances(count: int, seed: int) -> list[TokenizedUtterance]:
    """Each phoneme is one code, but two phonemes share code 3: which it is, the code before tells."""
    rng, made = np.random.default_rng(seed), []
    for _ in range(count):
        ids = rng.integers(1, 6, int(rng.integers(4, 12)))
        aligned = np.arange(len(ids)).repeat(3)
        codes = 700 * ids[aligned]
        shared = (ids[aligned] == 4) | (ids[aligned] == 5)
        codes = np.where(shared & (np.arange(len(codes)) % 3 > 0), 3, codes)
        made.append(TokenizedUtterance("", "", *(torch.from_numpy(each.astype(np.int64)) for each in (ids, codes, aligned))))
    return made


def test_it_learns_what_codes_say(tmp_path: Path) -> None:
    train_listener(utterances(60, 0), utterances(10, 1), tmp_path, EMBEDDED_VOCODER, 40, batch=8)
    figures = (tmp_path / "log.jsonl").read_text().splitlines()
    assert '"right"' in figures[-1] and float(figures[-1].split('"right":')[1].strip(" }")) > 0.9


def test_rows_of_a_batch_are_heard_as_they_are_alone() -> None:
    torch.manual_seed(0)
    listener, rows = Listener(EMBEDDED_VOCODER).eval(), utterances(3, 2)
    tokens, phonemes = padded(rows)
    assert (phonemes == UNHEARD).equal(tokens == NO_TOKEN)
    together = listener(tokens)
    assert together.shape == (*tokens.shape, IDS)
    for row, heard in zip(rows, together, strict=True):
        alone = listener(row.codes[None])[0]
        torch.testing.assert_close(heard[:len(row.codes)], alone)
        torch.testing.assert_close(alone.exp().sum(-1), torch.ones(len(row.codes)))


def test_a_saved_listener_hears_the_same(tmp_path: Path) -> None:
    listener, tokens = Listener(EMBEDDED_VOCODER).half().float().eval(), utterances(1, 3)[0].codes[None]
    save_listener(tmp_path, listener)
    assert torch.equal(load_listener(tmp_path, EMBEDDED_VOCODER)(tokens), listener(tokens))
