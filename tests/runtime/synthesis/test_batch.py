"""Many texts in one batch: each row gets what it gets alone, whoever its neighbours are."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from runtime import Batch, Cancelled, OptionError, Synthesizer, TextError
from runtime.backends.base import Backend
from runtime.bundle.reader import Bundle
from runtime.decoding.batch_cache import PositionMajorBatch
from runtime.decoding.batch_decoder import BatchDecoder, DecodeJob
from runtime.decoding.decoder import Decoder
from runtime.decoding.sampling import uniform_source
from runtime.decoding.sequence import LengthLimits
from runtime.errors import BackendError, BusyError
from runtime.options import SamplingOptions
from runtime.stats import StoppedBy
from runtime.synthesis.sentence import gather
from runtime.text.phonemes import IDS
from tests.conftest import sentence_of
from tests.fixtures import tiny_bundle

Load = Callable[..., tuple[Bundle, Backend]]
TEXTS = ["Hello world.", "Move two meters to the left! Hello.", "To the left.", "Hello, two.", "Move. Move. Move to the world.",
         "The left world.", "Two meters."]
VOICES = ["alto", "bass", "prompted", None, "bass", "prompted", "alto"]
SEEDS = [3, 1, 4, 1, 5, 9, 2]


def jobs(bundle: Bundle, number: int, options: SamplingOptions) -> list[DecodeJob]:
    voices = ("alto", "bass", "prompted")
    return [DecodeJob([1 + index % 7] * (1 + index % 5), bundle.voice(voices[index % 3]), options, uniform_source(index, 0, 0))
            for index in range(number)]


def alone(decoder: Decoder, job: DecodeJob) -> tuple[list[int], StoppedBy]:
    steps = decoder.decode(job.ids, job.voice, job.options, job.random, lambda: False, job.bounds)
    patches, reason = gather(steps)
    return np.concatenate(patches).tolist(), reason


@pytest.mark.parametrize("batch", [1, 2, 3, 8])
@pytest.mark.parametrize("options", [{}, {"patch": 1}, {"precision": "fp16"},
                                     {"scripts": [tiny_bundle.ENDLESS, tiny_bundle.LOOP]}])
def test_every_row_is_its_single_twin(load: Load, batch: int, options: dict[str, object]) -> None:
    bundle, backend = load(**options)
    decoder, sampling = Decoder(bundle.manifest, backend), SamplingOptions()
    expected = [alone(decoder, job) for job in jobs(bundle, 11, sampling)]
    together = BatchDecoder(decoder, batch)
    given = jobs(bundle, 11, sampling)
    tokens: dict[DecodeJob, list[int]] = {job: [] for job in given}
    reasons: dict[DecodeJob, StoppedBy] = {}
    for patch in together.decode(deque(given)):
        tokens[patch.job] += patch.tokens.tolist()
        if patch.stopped_by is not None:
            reasons[patch.job] = patch.stopped_by
    assert [(tokens[job], reasons[job]) for job in given] == expected
    assert len({len(row) for row, _ in expected}) > 1  # rows ended at different times
    assert together.row_steps <= together.steps * batch and not together.row_by_row


def test_a_free_row_is_refilled_while_others_go_on(load: Load) -> None:
    bundle, backend = load(scripts=[tiny_bundle.ENDLESS])
    decoder = Decoder(bundle.manifest, backend)
    lengths = (40, 5, 5, 5, 5, 5, 5)
    given = [DecodeJob([1], bundle.voice("alto"), SamplingOptions(), uniform_source(0, 0, 0), LengthLimits(10**6, patches,
                                                                                                           watch=False))
             for patches in lengths]
    together = BatchDecoder(decoder, 2, exact=False)
    ended = [given.index(patch.job) for patch in together.decode(deque(given)) if patch.stopped_by]
    assert ended == [1, 2, 3, 4, 5, 6, 0]
    assert together.steps == 39  # the long row never waited
    assert together.cache.lengths.size == 0


def test_jobs_may_come_later_and_leave_early(load: Load) -> None:
    bundle, backend = load(scripts=[tiny_bundle.ENDLESS])
    decoder, gone = Decoder(bundle.manifest, backend), threading.Event()
    first, second, third = jobs(bundle, 3, SamplingOptions())
    first.bounds = second.bounds = third.bounds = LengthLimits(10**6, 20, watch=False)
    second.cancelled = gone.is_set
    waiting, counts, reasons = deque([first, second]), dict.fromkeys((first, second, third), 0), {}
    for patch in BatchDecoder(decoder, 2).decode(waiting):
        counts[patch.job] += 1
        if patch.stopped_by:
            reasons[patch.job] = patch.stopped_by
        if counts[second] == 3 and not gone.is_set():
            gone.set()
            waiting.append(third)
    assert counts[first] == counts[third] == 20 and counts[second] <= 4
    assert reasons == {first: "length", second: "cancel", third: "length"}


def test_a_graph_that_rounds_otherwise_in_company_runs_alone(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, backend = load()
    run = backend.run

    def noisy(name: str, inputs: dict[str, np.ndarray], **rest: object) -> dict[str, np.ndarray]:
        outputs = run(name, inputs, **rest)  # type: ignore[arg-type]
        if name == "extractor" and len(inputs["uniforms"]) > 1 and "logits" in outputs:
            outputs["logits"] += 1e-3
        return outputs

    monkeypatch.setattr(backend, "run", noisy)
    decoder = Decoder(bundle.manifest, backend)
    assert BatchDecoder(decoder, 4).row_by_row == {"extractor"}
    assert not BatchDecoder(decoder, 4, exact=False).row_by_row


def test_rows_wait_until_views_agree(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """No view that is read is longer than a row of that step by anything but a multiple of the period."""
    bundle, backend = load(scripts=[tiny_bundle.ENDLESS])
    decoder, run, seen = Decoder(bundle.manifest, backend), backend.run, []
    expected = [alone(decoder, job) for job in jobs(bundle, 30, SamplingOptions())]
    together, given = BatchDecoder(decoder, 4), jobs(bundle, 30, SamplingOptions())
    assert together.period == 16
    monkeypatch.setattr("runtime.decoding.batch_invariance._holds", lambda manifest, backend, period, random: period == 32)
    assert BatchDecoder(decoder, 4).period == 16  # tried once a backend
    assert BatchDecoder(decoder, 5).period == 32 and BatchDecoder(decoder, 4, exact=False).period == 1

    def watched(name: str, inputs: dict[str, np.ndarray], **rest: object) -> dict[str, np.ndarray]:
        if name == "backbone" and len(inputs["past_length"]) > 1:
            seen.extend(len(inputs["past_keys"]) - inputs["past_length"][inputs["past_length"] > 0])
        return run(name, inputs, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(backend, "run", watched)
    tokens: dict[DecodeJob, list[int]] = {job: [] for job in given}
    for patch in together.decode(deque(given)):
        tokens[patch.job] += patch.tokens.tolist()
    assert [tokens[job] for job in given] == [row for row, _ in expected]
    assert len(seen) > 300 and {int(extra) % 16 for extra in seen} == {0} and max(seen) > 0


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_many_texts_are_each_what_synthesize_gives(synthesizer: Synthesizer, batch: int) -> None:
    expected = [synthesizer.synthesize(text, voice=voice, seed=seed, rate=1.25)
                for text, voice, seed in zip(TEXTS, VOICES, SEEDS, strict=True)]
    audios = synthesizer.synthesize_many(TEXTS, voices=VOICES, seeds=SEEDS, rate=1.25, batch=batch).collect()
    for audio, twin in zip(audios, expected, strict=True):
        np.testing.assert_array_equal(audio.samples, twin.samples)
        for figure in ("patches", "tokens", "audio_seconds", "sentences", "retries", "stopped_by"):
            assert getattr(audio.stats, figure) == getattr(twin.stats, figure)
        assert abs(sum(audio.stats.stage_seconds.values()) - audio.stats.compute_seconds) < 1e-6
        assert audio.stats.stage_seconds["backbone"] > 0 < audio.stats.ttfa_seconds


def test_failed_sentences_are_tried_again_in_the_batch(tmp_path: Path) -> None:
    bundle = tiny_bundle.build(tmp_path / "flaky", scripts=[tiny_bundle.FLAKY])
    with Synthesizer(bundle, provider="cpu", threads=1) as synthesizer:
        expected = [synthesizer.synthesize(TEXTS[1], seed=seed) for seed in range(8)]
        audios = synthesizer.synthesize_many([TEXTS[1]] * 8, seeds=list(range(8)), batch=3).collect()
    assert [audio.stats.retries for audio in audios] == [audio.stats.retries for audio in expected]
    assert any(audio.stats.retries for audio in expected)
    for audio, twin in zip(audios, expected, strict=True):
        np.testing.assert_array_equal(audio.samples, twin.samples)


def test_slips_are_tried_again_in_the_batch(tmp_path: Path) -> None:
    """By a listener that guesses, so that most readings slip somewhere: the best one is kept, here and alone."""
    heard = np.random.default_rng(0).normal(0, 5, (tiny_bundle.CODES, IDS)).astype(np.float32)
    bundle = tiny_bundle.build(tmp_path / "heard", heard=heard)
    with Synthesizer(bundle, provider="cpu", threads=1) as synthesizer:
        expected = [synthesizer.synthesize(TEXTS[1], seed=seed) for seed in range(6)]
        audios = synthesizer.synthesize_many([TEXTS[1]] * 6, seeds=list(range(6)), batch=3).collect()
    assert [audio.stats.retries for audio in audios] == [audio.stats.retries for audio in expected]
    assert any(audio.stats.retries for audio in expected)
    for audio, twin in zip(audios, expected, strict=True):
        np.testing.assert_array_equal(audio.samples, twin.samples)
        assert audio.stats.stage_seconds["listener"] > 0 < twin.stats.stage_seconds["listener"]


def test_the_cache_is_no_larger_than_the_texts_need(synthesizer: Synthesizer) -> None:
    small = synthesizer.synthesize_many(["To."] * 2, batch=8).collect()[0].stats
    large = synthesizer.synthesize_many(["To."] * 9, batch=8).collect()[0].stats
    assert large.kv_cache_bytes_allocated == 4 * small.kv_cache_bytes_allocated
    assert 0 < small.kv_cache_bytes_used <= small.kv_cache_bytes_allocated


def test_bad_input_costs_nothing(synthesizer: Synthesizer) -> None:
    for texts, options, said in ((["Hello.", " "], {}, "Text 1"), (["Hello.", "…", "To."], {}, "Text 1")):
        with pytest.raises(TextError, match=said) as text_error:
            synthesizer.synthesize_many(texts, **options)
        sentence_of(text_error)
    for options in ({"batch": 0}, {"batch": 257}, {"batch": True}, {"seeds": [1]}, {"seeds": -1}, {"voices": ["alto"] * 3},
                    {"rate": 9}):
        with pytest.raises(OptionError) as error:
            synthesizer.synthesize_many(["Hello.", "World."], **options)  # type: ignore[arg-type]
        sentence_of(error)
    with pytest.raises(OptionError):
        synthesizer.synthesize_many("Hello.")
    assert synthesizer.synthesize_many([]).collect() == []


def test_an_urgent_utterance_ends_a_batch(synthesizer: Synthesizer) -> None:
    batch = synthesizer.synthesize_many(TEXTS, batch=2)
    next(batch)
    with pytest.raises(BusyError):
        synthesizer.synthesize("Hello.")
    synthesizer.synthesize("Stop!", interrupt=True)
    with pytest.raises(Cancelled):
        next(batch)


def test_a_batch_lets_go(synthesizer: Synthesizer) -> None:
    with synthesizer.synthesize_many(TEXTS) as batch:
        next(batch)
    synthesizer.synthesize("Hello.")
    dropped: Batch | None = synthesizer.synthesize_many(TEXTS)
    next(dropped)
    dropped = None
    synthesizer.synthesize("Hello.")
    stopped = synthesizer.synthesize_many(TEXTS * 50, batch=2)
    threading.Timer(0.05, synthesizer.stop).start()
    with pytest.raises(Cancelled):
        stopped.collect()


def test_a_device_is_refused_in_one_sentence(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, backend = load()
    decoder = Decoder(bundle.manifest, backend)
    monkeypatch.setattr(decoder.cache, "_keys", replace(decoder.cache._keys, owner=object()))  # type: ignore[attr-defined]
    with pytest.raises(BackendError, match="provider cpu") as error:
        BatchDecoder(decoder, 4)
    sentence_of(error)


def test_a_row_that_outgrows_the_cache_is_a_bug_said_clearly() -> None:
    cache = PositionMajorBatch(tiny_bundle.sizes(), "fp32", 1)
    cache.rearrange([None])
    position = np.zeros((1, tiny_bundle.LAYERS, 1, 1, tiny_bundle.HEAD_DIM), np.float32)
    cache.append([0], {"present_keys": position, "present_values": position})
    with pytest.raises(BackendError, match="2 positions"):
        cache.append([0], {"present_keys": position, "present_values": position})


def test_rows_keep_their_values_when_they_move() -> None:
    cache = PositionMajorBatch(tiny_bundle.sizes(), "fp32", 5)
    cache.rearrange([None, None])
    for row, length in ((0, 2), (1, 3)):
        keys = np.full((length, tiny_bundle.LAYERS, 1, 1, tiny_bundle.HEAD_DIM), row + 1, np.float32)
        cache.fill(row, keys, keys + 10)
    cache.rearrange([1, None])
    keys, values = cache.past(3)
    assert cache.lengths.tolist() == [3, 0] and (keys[:, :, 0] == 2).all() and (values[:, :, 0] == 12).all()
    assert (keys[:, :, 1] == 0).all() and keys.flags["C_CONTIGUOUS"]
    assert cache.bytes_used == 3 * tiny_bundle.sizes().cache_bytes(1, "fp32")
