"""The front door: streams equal wholes, seeds, threads, and text that cannot be spoken."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest

from runtime.bundle.manifest import Limits
from runtime.errors import BackendError, BundleError, OptionError, TextError, VoiceError
from runtime.synthesis.segments import MAX_CHARACTERS, PAUSE_SECONDS, split_ids
from runtime.synthesizer import Synthesizer
from runtime.text.phonemes import to_ids
from tests.conftest import TEXT, sentence_of
from tests.fixtures import tiny_bundle


@pytest.mark.parametrize("seed", range(10))
def test_a_stream_is_the_whole_in_pieces(synthesizer: Synthesizer, seed: int) -> None:
    audio = synthesizer.synthesize(TEXT, seed=seed)
    with synthesizer.stream(TEXT, seed=seed) as stream:
        chunks = list(stream)
    assert len(chunks) > 4
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in chunks]), audio.samples)
    assert {chunk.sentence for chunk in chunks} == {0, 1} and chunks[0].text.lower().startswith("hello")
    assert audio.samples.dtype == np.float32 and np.abs(audio.samples).max() <= 1


def test_token_level_speaks_too(tiny_token_level: Path) -> None:
    with Synthesizer(tiny_token_level, provider="cpu") as synthesizer:
        audio = synthesizer.synthesize(TEXT)
    assert audio.stats.patches == audio.stats.tokens + 2  # each sentence ends with a patch that is only its end


def test_equal_seeds_equal_samples(synthesizer: Synthesizer) -> None:
    first = synthesizer.synthesize(TEXT, seed=5).samples
    synthesizer.synthesize("Something else in between.", seed=9)
    np.testing.assert_array_equal(synthesizer.synthesize(TEXT, seed=5).samples, first)
    assert not np.array_equal(synthesizer.synthesize(TEXT, seed=6).samples, first)
    assert not np.array_equal(synthesizer.synthesize(TEXT, seed=5, temperature=0).samples, first)


def test_every_sentence_has_its_own_numbers(synthesizer: Synthesizer) -> None:
    twice = list(synthesizer.stream("Move two meters to the left. Move two meters to the left."))
    first, second = (np.concatenate([chunk.samples for chunk in twice if chunk.sentence == index and chunk.text])
                     for index in (0, 1))
    assert len(first) == len(second) and not np.array_equal(first, second)


def test_voices(tiny: Path, synthesizer: Synthesizer) -> None:
    assert synthesizer.voices == ["alto", "bass", "prompted"]
    spoken = [synthesizer.synthesize(TEXT, voice=name).samples for name in (None, "alto", "bass", "prompted")]
    np.testing.assert_array_equal(spoken[0], spoken[1])
    assert not np.array_equal(spoken[1], spoken[2][:len(spoken[1])])
    with Synthesizer(tiny, provider="cpu", voice="bass") as other:
        np.testing.assert_array_equal(other.synthesize(TEXT).samples, spoken[2])


def test_stats(synthesizer: Synthesizer) -> None:
    audio = synthesizer.synthesize(TEXT)
    stats, rate = audio.stats, synthesizer.sample_rate
    spoken = stats.tokens * tiny_bundle.VOCODER.samples_per_token / rate
    assert stats.audio_seconds == audio.seconds == pytest.approx(spoken + PAUSE_SECONDS)
    assert (stats.sentences, stats.retries, stats.stopped_by) == (2, 0, "end")
    assert stats.patches == pytest.approx(stats.tokens / 4, abs=2)
    assert set(stats.stage_seconds) == {"text", "text_embedding", "compressor", "backbone", "extractor", "vocoder", "host"}
    assert all(seconds > 0 for seconds in stats.stage_seconds.values())
    assert sum(stats.stage_seconds.values()) == pytest.approx(stats.compute_seconds)
    assert stats.rtf == pytest.approx(stats.compute_seconds / stats.audio_seconds)
    assert 0 < stats.ttfa_seconds < stats.compute_seconds
    limits = synthesizer.bundle.manifest.limits
    capacity = limits.max_text_ids + 2 + 100
    assert stats.kv_cache_bytes_allocated == 2 * tiny_bundle.LAYERS * tiny_bundle.HEAD_DIM * capacity * 4
    assert 0 < stats.kv_cache_bytes_used < stats.kv_cache_bytes_allocated
    assert stats.provider == "CPUExecutionProvider" == synthesizer.provider


def test_silence_between_sentences(synthesizer: Synthesizer) -> None:
    chunks = list(synthesizer.stream(TEXT))
    pause = [chunk for chunk in chunks if not chunk.samples.any()]
    assert len(pause) == 1 and pause[0].seconds == pytest.approx(PAUSE_SECONDS)


def test_long_sentences_are_split_to_what_the_bundle_takes(tmp_path: Path) -> None:
    limits = Limits(max_seconds=16, max_text_ids=16, min_tokens_per_id=0, max_tokens_per_id=20)
    with Synthesizer(tiny_bundle.build(tmp_path / "b", limits=limits), provider="cpu") as synthesizer:
        stats = synthesizer.synthesize("hello world " * 12, voice="prompted").stats
    assert stats.stopped_by == "end" and stats.tokens > 12 * 20


def test_split_ids() -> None:
    space = to_ids(" ")[0]
    ids = [5, 6, space, 7, 8, 9, space, 10]
    assert list(split_ids(ids, 8, space)) == [(0, ids)]
    assert list(split_ids(ids, 7, space)) == [(0, [5, 6, space, 7, 8, 9]), (7, [10])]
    assert list(split_ids(ids, 4, space)) == [(0, [5, 6]), (3, [7, 8, 9]), (7, [10])]
    assert list(split_ids([1] * 7, 3, space)) == [(0, [1] * 3), (3, [1] * 3), (6, [1])]


@pytest.mark.parametrize(("text", "part"), [
    ("", "empty"), ("  \n\t ", "empty"), ("🙂🎉", ""), ("x" * 1_000_000, f"{MAX_CHARACTERS:,}"), (b"bytes", "string"),
])
@pytest.mark.parametrize("how", ["synthesize", "stream"])
def test_text_that_cannot_be_spoken(synthesizer: Synthesizer, text: str, part: str, how: str) -> None:
    with pytest.raises(TextError) as error:  # at the call, not at the first chunk
        getattr(synthesizer, how)(text)
    assert part in str(error.value)


@pytest.mark.parametrize(("options", "kind", "part"), [
    ({"voice": "nobody"}, VoiceError, "alto, bass, prompted"), ({"seed": -1}, OptionError, "seed"),
    ({"temperature": 99.0}, OptionError, "temperature"), ({"top_k": 0}, OptionError, "top_k"),
    ({"top_p": 2.0}, OptionError, "top_p"),
])
def test_bad_options(synthesizer: Synthesizer, options: dict[str, float], kind: type[TextError], part: str) -> None:
    for call in (synthesizer.synthesize, synthesizer.stream):
        with pytest.raises(kind) as error:
            call(TEXT, **options)  # type: ignore[arg-type]
        assert part in sentence_of(error)


def test_unknown_voice_at_the_start(tiny: Path) -> None:
    with pytest.raises(VoiceError):
        Synthesizer(tiny, voice="nobody")


def test_cloning_is_refused(synthesizer: Synthesizer) -> None:
    with pytest.raises(VoiceError) as error:
        synthesizer.clone_voice("reference.wav", "what it says")
    assert "clone" in sentence_of(error)


def test_a_bundle_without_text_is_refused(own_bundle: Path) -> None:
    manifest = tiny_bundle.read(own_bundle)
    tiny_bundle.seal(own_bundle, msgspec.structs.replace(manifest, text="none"))
    with pytest.raises(BundleError) as error:
        Synthesizer(own_bundle)
    assert "ids only" in sentence_of(error)


def test_a_broken_text_front_end_is_refused(own_bundle: Path) -> None:
    (own_bundle / "text" / "letters.npz").write_bytes(b"no archive")
    tiny_bundle.seal(own_bundle, tiny_bundle.read(own_bundle))
    with pytest.raises(BundleError) as error:
        Synthesizer(own_bundle)
    assert "text front end" in sentence_of(error)


def test_closed(tiny: Path) -> None:
    synthesizer = Synthesizer(tiny, provider="cpu")
    stream = synthesizer.stream(TEXT)
    next(stream)
    synthesizer.close()
    synthesizer.close()
    assert list(stream) == [] and stream.stats.stopped_by == "cancel"
    with pytest.raises(BackendError) as error:
        synthesizer.stream(TEXT)
    assert "closed" in sentence_of(error)


def test_threads_share_one_synthesizer(synthesizer: Synthesizer) -> None:
    """Each of many results in threads equals its single-threaded twin."""
    jobs = [(f"Hello world {'and more ' * (index % 3)}.", index) for index in range(16)]
    alone = [synthesizer.synthesize(text, seed=seed).samples for text, seed in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: synthesizer.synthesize(job[0], seed=job[1]).samples, jobs))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_streams_queue(synthesizer: Synthesizer) -> None:
    stream = synthesizer.stream(TEXT)
    next(stream)
    done = threading.Event()

    def speak() -> None:
        synthesizer.synthesize(TEXT)
        done.set()

    waiting = threading.Thread(target=speak)
    waiting.start()
    assert not done.wait(0.2)
    list(stream)
    assert done.wait(5)
    waiting.join()


FORK = """
import os, sys
from runtime import BackendError, Synthesizer
tts = Synthesizer(sys.argv[1], provider="cpu", threads=1)
stream = tts.stream("hello world")
next(stream)
if os.fork() == 0:
    code = 0
    for use in (lambda: tts.synthesize("hello"), lambda: next(tts.stream("hello"))):
        try:
            use()
        except BackendError as error:
            code += "fork" in str(error)
    os._exit(code)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_a_fork_is_refused(tiny: Path) -> None:
    finished = subprocess.run([sys.executable, "-c", FORK, str(tiny)], timeout=60, check=False)
    assert finished.returncode == 2


def test_unknown_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BundleError) as error:
        Synthesizer(tmp_path / "nowhere")
    assert "tldr-export" in sentence_of(error)
    monkeypatch.setattr("runtime.bundle.reader.EMBEDDED", tmp_path / "nothing")
    with pytest.raises(BundleError) as error:
        Synthesizer()
    assert "tldr-export" in sentence_of(error)


def test_a_failing_graph_ends_the_utterance_only(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise BackendError("The device is gone; plug it in again.")

    with monkeypatch.context() as broken:
        broken.setattr(synthesizer._pipeline.backend, "_execute", fail)
        with pytest.raises(BackendError, match="gone"):
            synthesizer.synthesize(TEXT)
    assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"


