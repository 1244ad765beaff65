"""The patch loop on a model whose every answer is known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from runtime.backends.base import Backend
from runtime.bundle.manifest import Limits, Pace, Positions
from runtime.bundle.reader import Bundle
from runtime.decoding.decoder import Decoder, positions
from runtime.decoding.sampling import uniform_source
from runtime.decoding.sequence import LengthLimits, truncate_at_eos
from runtime.errors import TextError
from runtime.options import SamplingOptions
from runtime.synthesis.sentence import gather
from tests.conftest import sentence_of
from tests.fixtures import tiny_bundle as tiny

Load = Callable[..., tuple[Bundle, Backend]]
GREEDY = SamplingOptions(temperature=0)


def decode(loaded: tuple[Bundle, Backend], ids: list[int], voice: str = "prompted", options: SamplingOptions = GREEDY,
           bounds: LengthLimits | None = None, seed: int = 0) -> tuple[list[list[int]], str, Decoder]:
    bundle, backend = loaded
    decoder = Decoder(bundle.manifest, backend)
    steps = decoder.decode(ids, bundle.voice(voice), options, uniform_source(seed, 0, 0), lambda: False, bounds)
    patches, reason = gather(steps)
    return [patch.tolist() for patch in patches], reason, decoder




@pytest.mark.parametrize("tokens", range(8, 13))
@pytest.mark.parametrize("patch", [4, 1])
def test_end_at_every_place_of_a_patch(load: Load, tokens: int, patch: int) -> None:
    patches, reason, _ = decode(load(scripts=[tiny.ending(tokens)], patch=patch), [1], "alto")
    assert reason == "end"
    assert len(list(itertools.chain(*patches))) == tokens
    assert [len(part) for part in patches] == [patch] * (tokens // patch) + [tokens % patch]


def test_stops_at_the_limit_of_tokens_per_id(load: Load) -> None:
    limits = Limits(max_seconds=16, max_text_ids=64, min_tokens_per_id=0, max_tokens_per_id=5.5)
    patches, reason, _ = decode(load(scripts=[tiny.ENDLESS], limits=limits), [1, 2, 3], "alto")
    assert (reason, len(patches)) == ("length", math.ceil(5.5 * 3 / 4))


def test_stops_where_the_cache_ends(load: Load) -> None:
    limits = Limits(max_seconds=1.9, max_text_ids=8, min_tokens_per_id=0, max_tokens_per_id=100)
    loaded = load(scripts=[tiny.ENDLESS], limits=limits)
    patches, reason, decoder = decode(loaded, [1, 2, 3], "alto")
    assert (reason, len(patches)) == ("length", 12) == ("length", limits.max_patches(25.0, 4))
    assert decoder.cache.capacity == 8 + 2 + 12
    patches, _, _ = decode(loaded, [1, 2, 3], "prompted")
    assert len(patches) == 12 - 2  # its prompt takes two


PACED = Limits(max_seconds=16, max_text_ids=64, min_tokens_per_id=0, max_tokens_per_id=20, pace=Pace(6, 2, 0.75, 1.5))
"""Two text ids: 8 to 15 tokens."""


@pytest.mark.parametrize(("tokens", "reason"), [(0, "early"), (6, "early"), (7, "early"), (8, "end"), (15, "end")])
def test_an_end_before_the_text_can_be_said_is_early(load: Load, tokens: int, reason: str) -> None:
    patches, found, _ = decode(load(scripts=[tiny.ending(tokens)], limits=PACED), [1, 2], "alto")
    assert (found, sum(map(len, patches))) == (reason, tokens)


def test_a_short_text_may_take_more_than_the_tokens_per_id(load: Load) -> None:
    limits = msgspec.structs.replace(PACED, max_tokens_per_id=6)
    patches, reason, _ = decode(load(scripts=[tiny.ending(14)], limits=limits), [1, 2], "alto")
    assert (reason, sum(map(len, patches))) == ("end", 14)


def test_stops_at_the_slowest_pace(load: Load) -> None:
    patches, reason, _ = decode(load(scripts=[tiny.ENDLESS], limits=PACED), [1, 2], "alto")
    assert (reason, len(patches)) == ("length", math.ceil(15 / 4))


def test_a_prompt_sets_a_pace_of_its_own(load: Load) -> None:
    patches, reason, _ = decode(load(scripts=[tiny.ENDLESS], limits=PACED), [1, 2], "prompted")
    assert (reason, len(patches)) == ("length", 20 * 2 / 4)
    assert decode(load(scripts=[tiny.ending(2)], limits=PACED), [1, 2], "prompted")[1] == "end"


def test_a_loop_is_stopped_unless_told_otherwise(load: Load) -> None:
    loaded = load(scripts=[tiny.LOOP])
    patches, reason, _ = decode(loaded, [1] * 10, "alto")
    assert reason == "repetition" and len(patches) == math.ceil((50 + 2) / 4)
    patches, reason, _ = decode(loaded, [1] * 10, "alto", bounds=LengthLimits(0, 40, watch=False))
    assert (reason, len(patches)) == ("length", 40)


def test_forced_length(load: Load) -> None:
    """What a benchmark asks for: no end before the bound, whatever the model wants."""
    patches, reason, _ = decode(load(scripts=[tiny.ending(3)]), [1], bounds=LengthLimits(10**9, 25, watch=False))
    assert reason == "length" and [len(patch) for patch in patches] == [4] * 25


def test_no_end_before_the_least_length(load: Load) -> None:
    limits = Limits(max_seconds=16, max_text_ids=64, min_tokens_per_id=9, max_tokens_per_id=40)
    patches, reason, _ = decode(load(scripts=[tiny.ending(3)], limits=limits), [1, 1], "alto")
    assert (reason, [len(patch) for patch in patches]) == ("end", [4] * 5 + [0])  # 18 tokens: five whole patches


def test_cancel_is_asked_before_every_patch(load: Load) -> None:
    bundle, backend = load(scripts=[tiny.ENDLESS])
    asked = iter([False, False, False, True])
    steps = Decoder(bundle.manifest, backend).decode([1] * 9, bundle.voice(), GREEDY, uniform_source(0, 0, 0),
                                                     lambda: next(asked))
    patches, reason = gather(steps)
    assert (len(patches), reason) == (3, "cancel")


def test_cache_holds_prefix_and_patches(load: Load) -> None:
    loaded = load(scripts=[tiny.ending(30)])
    for voice, ids, prompt in (("alto", 0, 0), ("prompted", 3, 2)):
        patches, _, decoder = decode(loaded, [1, 2], voice)
        written = 2 + ids + 2 + prompt + len(patches) - 1  # the last patch ends the speech and is not fed back
        assert decoder.cache.length == written
        assert decoder.cache.bytes_used == 2 * tiny.LAYERS * tiny.HEAD_DIM * written * 4
        decoded_again = decode(loaded, [1, 2], voice)
        assert decoded_again[0] == patches


def context(decoder: Decoder) -> np.ndarray:
    held: np.ndarray = np.asarray(decoder._context.owner)[0]
    return held


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_context_has_seen_everything(load: Load, precision: str) -> None:
    """The backbone gets all text ids, prompt patches and own patches, each once, and the compressor the right windows."""
    bundle, backend = load(scripts=[tiny.ENDLESS], precision=precision)
    decoder, voice = Decoder(bundle.manifest, backend), bundle.voice("prompted")
    decoder.prefill([4, 5], voice, patches=9)
    prompt = [3, 4, 5, 6, 7, 8, 9, 10]  # tokens 1..10 without the two in front that fill no patch
    seen = context(decoder)
    assert seen[tiny.TEXT_ID] == 2 + 2 + 2 + 4 + 5 and seen[tiny.TEXT_COUNT] == 5
    assert seen[tiny.PATCH_COUNT] == 2 and seen[tiny.OWN_TOKENS] == sum(prompt) / 4
    assert seen[tiny.CONTEXT_TOKENS] == -5 + (-1 + 3 + 4 + 5 + 6)
    decoder.step(np.array([[20, 21, 22, 23]]))
    seen = context(decoder)
    assert seen[tiny.PATCH_COUNT] == 3 and seen[tiny.OWN_TOKENS] == (sum(prompt) + 86) / 4
    assert seen[tiny.CONTEXT_TOKENS] == -5 + 17 + (6 + 7 + 8 + 9 + 10)
    assert seen[tiny.LAST_POSITION] == 9
    decoder.step(np.array([[1, 1, 1, 1]]))
    assert context(decoder)[tiny.CONTEXT_TOKENS] == -5 + 17 + 40 + (10 + 20 + 21 + 22 + 23)
    assert context(decoder)[tiny.SUM_OF_POSITIONS] == sum(range(11))


def test_token_level_context(load: Load) -> None:
    bundle, backend = load(patch=1)
    decoder = Decoder(bundle.manifest, backend)
    decoder.prefill([4], bundle.voice("prompted"), patches=9)
    assert context(decoder)[tiny.PATCH_COUNT] == 10 and context(decoder)[tiny.OWN_TOKENS] == sum(range(1, 11))


def test_positions_reach_the_backbone(load: Load) -> None:
    rule = Positions(text_stride=2.0, speech_start=1.5)
    bundle, backend = load(positions=rule)
    decoder = Decoder(bundle.manifest, backend)
    decoder.prefill([4, 5], bundle.voice(), patches=9)
    assert context(decoder)[tiny.LAST_POSITION] == -2.5  # TASK, one patch before patch 0
    decoder.step(np.zeros((1, 4), np.int64))
    assert context(decoder)[tiny.LAST_POSITION] == 1.5
    assert context(decoder)[tiny.SUM_OF_POSITIONS] == 0 + 2 + 4 - 2.5 + 1.5


@pytest.mark.parametrize("patch", [1, 4, 6])
@pytest.mark.parametrize("start", [None, 0.0, 1.5])
def test_positions_are_those_of_training(patch: int, start: float | None) -> None:
    pytest.importorskip("torch")
    from types import SimpleNamespace

    from export.model.config import PositionConfig
    from export.model.language_model import SpeechLM

    model = SimpleNamespace(config=SimpleNamespace(positions=PositionConfig(2.0, start), patch=patch))
    expected = SpeechLM.positions(model, 7, 5).numpy()  # type: ignore[arg-type]
    np.testing.assert_array_equal(positions(Positions(2.0, start), patch, 7, 5), expected)


def test_uniforms_are_drawn_patch_by_patch(load: Load) -> None:
    loaded = load(scripts=[tiny.ending(30)])
    patches, _, _ = decode(loaded, [1], "prompted", SamplingOptions(top_k=25), seed=3)
    source, script = uniform_source(3, 0, 0), tiny.ending(30).tokens
    for index, patch in enumerate(patches):
        shift = np.floor(source.random((1, 4), np.float32)[0] * np.float32(24)).astype(int)
        place = 4 * (index + 2)  # behind two patches of prompt
        assert patch == [(script[place + j] + shift[j]) % tiny.CODES for j in range(len(patch))]
    assert decode(loaded, [1], "prompted", SamplingOptions(top_k=25), seed=3)[0] == patches
    assert decode(loaded, [1], "prompted", SamplingOptions(top_k=25), seed=4)[0] != patches


def test_too_many_ids_are_refused(load: Load) -> None:
    with pytest.raises(TextError) as error:
        decode(load(), [1] * 65, "alto")
    assert "65" in sentence_of(error) and "64" in str(error.value)


def test_before_end() -> None:
    assert truncate_at_eos(np.array([1, 2, 40, 3]), 40).tolist() == [1, 2]
    assert truncate_at_eos(np.array([42, 2, 40, 3]), 40).tolist() == []
    assert truncate_at_eos(np.array([1, 2, 39, 3]), 40).tolist() == [1, 2, 39, 3]
