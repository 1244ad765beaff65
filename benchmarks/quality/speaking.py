"""Any texts through one bundle and a recogniser, in parallel processes: what the hard cases and the long run ask of it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec

from benchmarks.jsonl import append_lines, read_lines
from benchmarks.judges.recognition import PocketSphinx
from benchmarks.judges.whisper import WhisperRecogniser
from benchmarks.quality.failures import failures
from benchmarks.quality.systems import BundleSystem
from runtime import Bundle, Synthesizer
from runtime.text.loading import FrontEnd, load_front_end

SECONDS_PER_ID, SECONDS_BESIDES = 0.068, 0.2
"""The teacher's pace on held-out sentences: seconds per phoneme id, and additional seconds per sentence."""


class SentenceJob(msgspec.Struct, frozen=True):
    """A text to say."""

    text: str
    seed: int = 0


class SpokenResult(msgspec.Struct, frozen=True):
    """Result of one job."""

    text: str
    seed: int
    heard: str
    seconds: float
    expected_seconds: float
    stopped_by: str
    retries: int
    failures: list[str]


class _LogEntry(msgspec.Struct, frozen=True):
    """A reading in a log, and whose it is."""

    bundle: str
    voice: str
    heard: SpokenResult


def speak_on(bundle: Path | None, voice: str | None, jobs: Sequence[SentenceJob], processes: int,
             log: Path) -> Iterator[SpokenResult]:
    """Resumable `speak_all`: sentences that `log` has of this bundle and voice are not synthesized again, all else
    is appended there as it is generated.

    Raises:
        OutputError: the log cannot be written; else as `speak_all`.
    """
    system = BundleSystem(bundle)
    mine = (system.fingerprint, voice or next(iter(system.voices()), ""))
    known = {SentenceJob(line.heard.text, line.heard.seed): line.heard for line in read_lines(log, _LogEntry)
             if (line.bundle, line.voice) == mine}
    with contextlib.closing(speak_all(bundle, voice, [job for job in jobs if job not in known], processes)) as speaking:
        for job in jobs:
            if job in known:
                yield known[job]
            else:
                heard = next(speaking)
                append_lines(log, [_LogEntry(*mine, heard)])
                yield heard


def speak_all(bundle: Path | None, voice: str | None, jobs: Sequence[SentenceJob],
              processes: int) -> Generator[SpokenResult, None, None]:
    """Say all texts, in order. Ctrl-C ends all processes.

    Raises:
        BundleError, VoiceError: before anything is said.
    """
    Bundle.open(bundle).voice(voice)
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _open, (bundle, voice))
    try:
        yield from pool.map(_say, jobs)
    finally:
        pool.shutdown(cancel_futures=True)


def expected_seconds(text: str, front_end: FrontEnd) -> float:
    """Estimate the teacher's duration of a text, within about a third."""
    sentences = front_end.sentences(text)
    return sum(SECONDS_BESIDES + SECONDS_PER_ID * len(front_end.ids(sentence)) for sentence in sentences)


_synthesizer: Synthesizer
_front_end: FrontEnd
_recogniser: WhisperRecogniser
_speller: PocketSphinx


def _open(bundle: Path | None, voice: str | None) -> None:
    global _synthesizer, _front_end, _recogniser, _speller
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers it
    _synthesizer = Synthesizer(bundle, provider="cpu", threads=1, voice=voice)
    opened = _synthesizer.bundle
    _front_end = load_front_end(opened.manifest.text, opened.root / "text")
    _recogniser, _speller = WhisperRecogniser(1), PocketSphinx()


def _say(job: SentenceJob) -> SpokenResult:
    audio = _synthesizer.synthesize(job.text, seed=job.seed)
    heard = _recogniser.transcribe(audio.samples, audio.sample_rate)
    wanted, ended = expected_seconds(job.text, _front_end), audio.stats.stopped_by or "end"
    return SpokenResult(job.text, job.seed, heard, audio.seconds, wanted, ended, audio.stats.retries,
                 failures(job.text, heard, audio.samples, audio.sample_rate, wanted, ended,
                          lambda: _speller.transcribe(audio.samples, audio.sample_rate)))
