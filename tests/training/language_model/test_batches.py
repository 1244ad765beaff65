"""Batches are the same for the same step, cover everything, and stay within their size."""

import numpy as np
import torch

from training.data.token_file import TokenizedUtterance
from training.language_model.batches import Batches, corrupt


def _utterances(count: int) -> list[TokenizedUtterance]:
    rng = np.random.default_rng(0)
    return [TokenizedUtterance(str(i), "v", torch.ones(int(n), dtype=torch.long), torch.ones(2 * int(n), dtype=torch.long),
                   torch.zeros(2 * int(n), dtype=torch.long)) for i, n in enumerate(rng.integers(5, 60, count))]


def test_an_epoch_covers_every_utterance_once_within_the_size() -> None:
    batches = Batches(_utterances(300), positions=800, patch=4, seed=1)
    seen = [u.text for step in range(batches.per_epoch) for u in batches[step]]
    assert sorted(map(int, seen)) == list(range(300))
    for step in range(batches.per_epoch):
        longest = max(len(u.ids) + 2 + -(-len(u.codes) // 4) for u in batches[step])
        assert longest * len(batches[step]) <= 800


def test_a_resumed_run_sees_the_same_batches() -> None:
    first, second = (Batches(_utterances(100), 800, 1, seed=1) for _ in range(2))
    for step in (0, 3, first.per_epoch + 2, 1):
        assert [u.text for u in first[step]] == [u.text for u in second[step]]
    assert [u.text for u in first[0]] != [u.text for u in first[first.per_epoch]]


def test_corruption_redraws_one_digit_of_a_share() -> None:
    codes = torch.full((20_000,), 1234)
    changed = corrupt(codes, 0.3, 3, 8, torch.Generator().manual_seed(0))
    assert 0.15 < (changed != codes).float().mean() < 0.25  # a third of the redraws hit the old digit
    digits = 3 ** torch.arange(8)
    differing = ((changed[:, None] // digits) % 3 != (codes[:, None] // digits) % 3).sum(1)
    assert int(differing.max()) == 1
    assert int(changed.min()) >= 0 and int(changed.max()) < 6561
