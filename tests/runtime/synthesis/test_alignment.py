"""What is laid along a text: everything said once gains nothing by jumps, words said twice or left out do."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from runtime.errors import BackendError, BundleError
from runtime.synthesis.alignment import AHEAD, BACK, EDGE, JUMP, ON, STEADY, WITH_JUMPS, AlignmentVerifier, PathTracker, fit
from runtime.text.phonemes import IDS
from tests.conftest import sentence_of
from tests.fixtures import tiny_bundle

TEXT = list(range(1, 31))
"""Thirty phonemes, all different."""


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> AlignmentVerifier:
    """One that hears of code c phoneme c, ten nats above all others."""
    folder = tmp_path_factory.mktemp("listening") / "bundle"
    heard = 10 * np.eye(tiny_bundle.CODES, IDS, dtype=np.float32) - 10
    return AlignmentVerifier(tiny_bundle.build(folder, heard=heard) / tiny_bundle.LISTENER)


def reading(*phonemes: int) -> np.ndarray:
    """Two codec tokens each."""
    return np.repeat(phonemes, 2)


def test_what_is_said_once_is_no_slip(listener: AlignmentVerifier) -> None:
    assert listener.omission_score(TEXT, reading(*TEXT)) == 0
    assert listener.omission_score(TEXT, reading(*TEXT[1:-1])) == 0, "the first and the last may have no token"
    sounds = [phoneme for phoneme in TEXT if phoneme % 4]
    assert listener.omission_score(TEXT, reading(*sounds)) == 0, "nor stress marks and spaces"
    assert listener.omission_score(TEXT, reading(*TEXT[:20], 39, *TEXT[20:])) == 0, "a wrong sound is no slip"
    assert listener.omission_score([4], reading(4)) == listener.omission_score([4], reading(7)) == 0
    assert listener.omission_score([4, 5], np.array([4])) == 0


@pytest.mark.parametrize("again", [4, 8, 14])
def test_what_is_said_twice_is_a_slip(listener: AlignmentVerifier, again: int) -> None:
    twice = listener.omission_score(TEXT, reading(*TEXT[:20], *TEXT[20 - again:]))
    thrice = listener.omission_score(TEXT, reading(*TEXT[:20], *TEXT[20 - again:20], *TEXT[20 - again:]))
    assert 20 < twice < thrice - 20


@pytest.mark.parametrize("left_out", [7, 12, 18])
def test_what_is_left_out_is_a_slip(listener: AlignmentVerifier, left_out: int) -> None:
    assert listener.omission_score(TEXT, reading(*TEXT[:5], *TEXT[5 + left_out:])) > 2


def test_nothing_said_or_to_be_said_is_no_slip(listener: AlignmentVerifier) -> None:
    assert listener.omission_score([], reading(1)) == listener.omission_score(TEXT, np.zeros(0, np.int64)) == 0


def test_the_fit_is_the_best_of_all_ways() -> None:
    """Against every path through seven ids in five tokens, one by one."""
    told = np.random.default_rng(0).normal(0, 4, (5, 7)).astype(np.float32)
    for jumps, costs in ((False, STEADY), (True, WITH_JUMPS)):
        best = -np.inf
        for path in itertools.product(range(7), repeat=5):
            moves = [_cost(there - here, jumps) for here, there in itertools.pairwise(path)]
            if path[0] < EDGE and path[-1] >= 7 - EDGE:
                best = max(best, float(told[np.arange(5), path].sum()) - sum(moves))
        assert fit(told, costs) == pytest.approx(best, abs=1e-4)


def _cost(move: int, jumps: bool) -> float:
    if 0 <= move < len(ON):
        return ON[move]
    jump = jumps and (-BACK[1] <= move <= -BACK[0] or AHEAD[0] <= move <= AHEAD[1])
    return JUMP if jump else np.inf


def test_the_path_is_that_of_the_best_fit_however_the_tokens_come() -> None:
    """Random phonemes of random tokens: every cut gives the path of all tokens at once, and no path is likelier."""
    rng = np.random.default_rng(3)
    told = rng.normal(0, 4, (90, 40)).astype(np.float32)

    class Heard:
        """Every token says what its row of `told` says."""

        def run(self, tokens: np.ndarray) -> np.ndarray:
            return told[tokens]

    tokens = np.arange(len(told))
    for cuts in ([0, 90], [0, 8, 16, 32, 64, 90], list(range(91))):
        tracker = PathTracker(Heard(), range(40))  # type: ignore[arg-type]
        for start, end in itertools.pairwise(cuts):
            tracker.push(tokens[start:end])
            open_path = tracker.path(ended=False)
        path = tracker.path(ended=True)
        moves = np.diff(path)
        score = told[tokens, path].sum() - sum(ON[move] for move in moves)
        assert score == pytest.approx(fit(told, STEADY), abs=1e-2) and path[0] < EDGE and path[-1] >= 40 - EDGE
        assert len(open_path) == 90 and (np.diff(open_path) >= 0).all()


def test_a_path_of_nothing() -> None:
    assert PathTracker(None, []).path(ended=True).tolist() == []  # type: ignore[arg-type]


def test_another_graph_or_none_is_refused(tmp_path: Path) -> None:
    small = tiny_bundle.build(tmp_path / "small", heard=np.zeros((tiny_bundle.CODES, IDS - 1), np.float32))
    with pytest.raises(BundleError, match="export the bundle again") as error:
        AlignmentVerifier(small / tiny_bundle.LISTENER)
    sentence_of(error)
    with pytest.raises(BackendError, match=r"listener\.onnx") as failure:
        AlignmentVerifier(tmp_path / "listener.onnx")
    sentence_of(failure)
    with pytest.raises(BackendError) as other:
        AlignmentVerifier(small / "onnx" / "backbone.onnx")
    sentence_of(other)
