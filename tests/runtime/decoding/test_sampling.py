"""Sampling options and the numpy twin of the in-graph sampler."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.bundle.manifest import Sampling
from runtime.decoding.sampling import draw, draw_unrepeated, uniform_source
from runtime.errors import OptionError
from runtime.options import CANDIDATES, SamplingOptions
from tests.conftest import sentence_of


@pytest.mark.parametrize("bad", [
    {"temperature": -0.1}, {"temperature": 11.0}, {"temperature": float("nan")}, {"temperature": True},
    {"top_k": 0}, {"top_k": CANDIDATES + 1}, {"top_k": 2.5}, {"top_k": True}, {"top_p": 0.0}, {"top_p": 1.1}, {"top_p": "1"},
])
def test_values_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(OptionError) as error:
        SamplingOptions.chosen(Sampling(), **bad)  # type: ignore[arg-type]
    assert next(iter(bad)) in sentence_of(error)


def test_choices_go_over_the_defaults() -> None:
    assert SamplingOptions.chosen(Sampling(0.5, 7, 0.9), top_k=3) == SamplingOptions(0.5, 3, 0.9)
    assert SamplingOptions.chosen(Sampling()) == SamplingOptions(0.7, 25, 0.7)


def test_greedy_never_divides_by_zero() -> None:
    for options in (SamplingOptions(temperature=0), SamplingOptions(top_k=1)):
        inputs = options.inputs(2)
        assert options.greedy and inputs["top_k"].tolist() == [1, 1] and inputs["temperature"].tolist() == [1, 1]
    assert not SamplingOptions().greedy


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, True])
def test_bad_seed(seed: int) -> None:
    with pytest.raises(OptionError) as error:
        uniform_source(seed, 0, 0)
    assert "seed" in sentence_of(error)


def test_uniforms_depend_on_seed_sentence_and_attempt() -> None:
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    draws = [uniform_source(*key).random(4, np.float32).tobytes() for key in keys]
    assert len(set(draws)) == 4
    assert draws[0] == uniform_source(0, 0, 0).random(4, np.float32).tobytes()


def test_distribution() -> None:
    """Over many uniforms, tokens come with the probabilities of the truncated distribution."""
    logits = np.log(np.array([[0.1, 0.4, 0.05, 0.3, 0.15]], np.float32))
    uniforms = (np.arange(20000, dtype=np.float32) + 0.5) / 20000
    tokens = draw(np.repeat(logits, 20000, 0), SamplingOptions(1.0, 4, 0.8), uniforms)
    # of the four likeliest .4 .3 .15 .1 (renormalised), those whose predecessors sum up to less than 0.8: .4 .3 .15
    shares = np.bincount(tokens, minlength=5) / 20000
    np.testing.assert_allclose(shares, np.array([0, 0.4, 0, 0.3, 0.15]) / 0.85, atol=1e-3)


def test_the_likeliest_token_always_stays() -> None:
    logits = np.random.default_rng(0).normal(size=(8, 100)).astype(np.float32)
    tokens = draw(logits, SamplingOptions(1.0, 64, 1e-9), np.full(8, 0.999, np.float32))
    assert (tokens == logits.argmax(-1)).all()


@pytest.mark.parametrize("options", [SamplingOptions(), SamplingOptions(0), SamplingOptions(1.3, 64, 1.0)])
def test_equals_the_sampler_inside_the_graphs(options: SamplingOptions) -> None:
    torch = pytest.importorskip("torch")
    from export.model.sampling import sample

    source = np.random.default_rng(1)
    logits, uniforms = source.normal(0, 3, (500, 300)).astype(np.float32), source.random(500, np.float32)
    given = {key: torch.from_numpy(value) for key, value in options.inputs(500).items()}
    expected = sample(torch.from_numpy(logits), **given, uniform=torch.from_numpy(uniforms)).numpy()
    assert (draw(logits, options, uniforms) == expected).mean() > 0.99  # sums of float32 may part at a boundary


def test_unrepeated_draws_are_of_the_whole_distribution() -> None:
    """Nucleus over all probabilities first; a token said before gives way to any other, by its full probability."""
    probabilities = np.array([0.1, 0.4, 0.05, 0.3, 0.15])
    logits, options = np.log(probabilities).astype(np.float32), SamplingOptions(1.0, 4, 0.6)
    uniforms = [(float(first), float(second)) for first, second in np.random.default_rng(0).random((20000, 2))]

    def shares(recent: list[int], repetitions: int = 1) -> np.ndarray:
        tokens = [draw_unrepeated(logits, options, recent, repetitions, pair) for pair in uniforms]
        return np.bincount(tokens, minlength=5) / len(tokens)

    nucleus = np.array([0, 0.4, 0, 0.3, 0]) / 0.7
    np.testing.assert_allclose(shares([]), nucleus, atol=0.01)
    np.testing.assert_allclose(shares([0, 2]), nucleus, atol=0.01)
    np.testing.assert_allclose(shares([1], 2), nucleus, atol=0.01)
    again = np.where(np.arange(5) == 1, 0, probabilities) / 0.6
    np.testing.assert_allclose(shares([1]), np.array([0, 0, 0, 0.3, 0]) / 0.7 + 0.4 / 0.7 * again, atol=0.01)


def test_unrepeated_draws_never_take_what_is_forbidden() -> None:
    logits = np.array([0.0, 1.0, -1e9, -1e9], np.float32)
    options = SamplingOptions(1.0, 25, 0.8)
    for first in (0.0, 0.5, 1 - 2**-24):
        assert draw_unrepeated(logits, options, [0, 1], 1, (first, 1 - 2**-24)) in (0, 1)
    only = np.array([5.0, -1e9, -1e9], np.float32)
    assert draw_unrepeated(only, options, [0], 1, (0.3, 0.3)) == 0, "the only token stays, said before or not"


LOGITS = st.lists(st.floats(-8, 8, width=32, allow_subnormal=False), min_size=1, max_size=80)


@settings(max_examples=150, deadline=None)
@given(LOGITS, st.floats(0.05, 5), st.integers(1, CANDIDATES), st.floats(0.01, 1))
def test_shares_are_those_of_the_truncated_softmax(values: list[float], temperature: float, top_k: int, top_p: float) -> None:
    """Over evenly spread uniforms, against probabilities worked out in float64, for any logits and options."""
    logits, count = np.array([values], np.float32), 4000
    options = SamplingOptions(temperature, top_k, top_p)
    tokens = draw(np.repeat(logits, count, 0), options, ((np.arange(count) + 0.5) / count).astype(np.float32))
    shares = np.bincount(tokens, minlength=len(values)) / count
    scaled = logits[0].astype(np.float64) / temperature
    order = np.argsort(-scaled, kind="stable")[:top_k]
    weights = np.exp(scaled[order] - scaled[order[0]])
    weights /= weights.sum()
    before = np.cumsum(weights) - weights
    near = np.abs(before - top_p).min() < 1e-5  # rounding decides whether that token is in
    expected = np.zeros(len(values))
    kept = np.where(before < top_p, weights, 0)
    expected[order] = kept / kept.sum()
    assert near or np.abs(shares - expected).max() < 2.5 / count + 1e-4
    assert set(tokens) <= set(order.tolist())


@settings(max_examples=100, deadline=None)
@given(LOGITS, st.integers(0, 2**32 - 1), st.floats(0.05, 5), st.integers(1, CANDIDATES), st.floats(0.01, 1))
def test_equal_numbers_give_equal_tokens(values: list[float], seed: int, temperature: float, top_k: int, top_p: float) -> None:
    logits = np.array([values], np.float32)
    uniforms = uniform_source(seed, 0, 0).random(1, np.float32)
    options = SamplingOptions(temperature, top_k, top_p)
    assert draw(logits, options, uniforms) == draw(logits.copy(), options, uniforms.copy())
    assert logits[0, draw(logits, SamplingOptions(0), uniforms)[0]] == logits.max()
