"""Any cutting of the tokens gives the same samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.backends.base import Backend
from runtime.bundle.reader import Bundle
from runtime.errors import BackendError
from runtime.vocoder.vocoding import TokenVocoder
from tests.conftest import sentence_of
from tests.fixtures.tiny_bundle import CODES, VOCODER

Load = Callable[..., tuple[Bundle, Backend]]
SPEAKER = np.array([1, 0, 0], np.float32)


def vocode(backend: Backend, pieces: list[np.ndarray]) -> np.ndarray:
    vocoder = TokenVocoder(backend, VOCODER, SPEAKER)
    return np.concatenate([*[vocoder.push(piece) for piece in pieces], vocoder.flush()])


def expected(tokens: np.ndarray) -> np.ndarray:
    """The fixture's vocoder written down once more, over the whole utterance."""
    level = np.concatenate((np.zeros(2), (tokens + 1) * 0.02, np.zeros(2)))
    filtered = 0.25 * level[:-4] + 0.5 * level[2:-2] + 0.25 * level[4:]
    return (filtered[:, None] * np.linspace(-1, 1, VOCODER.samples_per_token)).reshape(-1)


@pytest.mark.parametrize("seed", range(10))
def test_random_chunkings_equal_one_call(load: Load, seed: int) -> None:
    source = np.random.default_rng(seed)
    tokens = source.integers(0, CODES, 60)
    cuts = np.sort(source.integers(0, 61, source.integers(1, 30)))
    _, backend = load()
    whole = vocode(backend, [tokens])
    np.testing.assert_array_equal(vocode(backend, np.split(tokens, cuts)), whole)
    np.testing.assert_allclose(whole, expected(tokens), atol=1e-5)


@pytest.mark.parametrize("tokens", [1, 2, 3, 20])
def test_length(load: Load, tokens: int) -> None:
    _, backend = load()
    assert len(vocode(backend, [np.arange(tokens)])) == tokens * VOCODER.samples_per_token


def test_nothing_in_nothing_out(load: Load) -> None:
    _, backend = load()
    assert len(vocode(backend, [])) == 0 == len(vocode(backend, [np.zeros(0, np.int64)]))


def test_samples_that_are_no_numbers_are_refused(load: Load) -> None:
    _, backend = load()
    vocoder = TokenVocoder(backend, VOCODER, np.array([1, np.nan, 0], np.float32))
    with pytest.raises(BackendError) as error:
        vocoder.push(np.arange(9))
    assert "finite" in sentence_of(error)


def test_samples_are_clipped(load: Load) -> None:
    _, backend = load()
    vocoder = TokenVocoder(backend, VOCODER, np.array([1, 1e6, 0], np.float32))
    assert vocoder.push(np.arange(9)).max() == 1.0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), st.lists(st.integers(0, 200), max_size=30), st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_the_graph_always_sees_the_same_blocks(length: int, cuts: list[int], blocks: list[int]) -> None:
    """Sums of other sizes round in other ways: so the calls themselves must not depend on how tokens were cut."""

    class Recorder:
        def __init__(self) -> None:
            self.calls: list[list[int]] = []

        def run(self, name: str, inputs: dict[str, np.ndarray], fetch: object) -> dict[str, np.ndarray]:
            self.calls.append(inputs["tokens"][0].tolist())
            samples = np.zeros((1, inputs["tokens"].shape[1] * VOCODER.samples_per_token), np.float32)
            return {"waveform": samples, "next_state": inputs["state"]}

    tokens = np.arange(length)
    seen = []
    for pieces in ([tokens], np.split(tokens, np.sort([min(cut, length) for cut in cuts]).astype(int))):
        recorder = Recorder()
        vocoder = TokenVocoder(recorder, VOCODER, SPEAKER, blocks)  # type: ignore[arg-type]
        samples = sum(len(vocoder.push(piece)) for piece in pieces) + len(vocoder.flush())
        assert samples == length * VOCODER.samples_per_token
        seen.append(recorder.calls)
    assert seen[0] == seen[1]
    assert [token for call in seen[0] for token in call if token >= 0] == tokens.tolist()
    assert [len(call) for call in seen[0]][:-1] == [blocks[min(place, len(blocks) - 1)] for place in range(len(seen[0]) - 1)]
