"""The pace of a corpus."""

import numpy as np
import pytest
import torch

from runtime.errors import CheckpointError
from training.data.token_file import TokenizedUtterance
from training.language_model.pace import measured_pace


def spoken(ids: int, tokens: int) -> TokenizedUtterance:
    return TokenizedUtterance("Text.", "voice", torch.zeros(ids, dtype=torch.int64), torch.zeros(tokens, dtype=torch.int64),
                  torch.zeros(tokens, dtype=torch.int64))


def corpus(stumbles: int = 0) -> list[TokenizedUtterance]:
    """15 tokens and 1.5 an id, a fifth more or less; `stumbles` readings of ten times that."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(4, 150, 4000)
    usual = 15 + 1.5 * lengths
    tokens = usual * rng.uniform(0.8, 1.2, 4000)
    tokens[:stumbles] = 10 * usual[:stumbles]
    return [spoken(int(ids), round(count)) for ids, count in zip(lengths, tokens, strict=True)]


@pytest.mark.parametrize("stumbles", [0, 1])
def test_finds_the_line_and_how_far_readings_lie_from_it(stumbles: int) -> None:
    pace = measured_pace(corpus(stumbles))
    assert pace.tokens == pytest.approx(15, abs=1.5) and pace.tokens_per_id == pytest.approx(1.5, abs=0.05)
    assert pace.least == pytest.approx(0.8 * 0.95, abs=0.03) and pace.most == pytest.approx(1.2 * 1.05, abs=0.03)
    assert pace.range(100)[0] < 0.8 * 165 < 1.2 * 165 < pace.range(100)[1]


def test_a_handful_tells_nothing() -> None:
    with pytest.raises(CheckpointError, match="not on 99"):
        measured_pace(corpus()[:99])
