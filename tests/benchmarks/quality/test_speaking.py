"""A long run goes on where it was stopped, with the readings of the same bundle and voice only."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.jsonl import append_lines
from benchmarks.quality import speaking
from benchmarks.quality.speaking import SentenceJob, SpokenResult, speak_on
from runtime.errors import OutputError
from tests.conftest import sentence_of

JOBS = [SentenceJob("One."), SentenceJob("Two."), SentenceJob("Two.", seed=1), SentenceJob("Three.")]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[SentenceJob]:
    """What was really spoken, in place of a voice and a recogniser."""
    said: list[SentenceJob] = []

    def speak_all(bundle: Path | None, voice: str | None, jobs: Sequence[SentenceJob],
                  processes: int) -> Iterator[SpokenResult]:
        for job in jobs:
            said.append(job)
            yield SpokenResult(job.text, job.seed, f"heard {job.text}", 1.0, 1.0, "end", 0, [])

    monkeypatch.setattr(speaking, "speak_all", speak_all)
    return said


def test_nothing_is_said_twice(tiny: Path, tmp_path: Path,
                                                 said: list[SentenceJob]) -> None:
    log = tmp_path / "made" / "log.jsonl"
    assert len(list(islice(speak_on(tiny, None, JOBS, 1, log), 2))) == 2
    with log.open("ab") as file:
        file.write(b'{"bundle": "cut')
    assert [SentenceJob(heard.text, heard.seed) for heard in speak_on(tiny, None, JOBS, 1, log)] == JOBS
    assert said == JOBS
    assert len(list(speak_on(tiny, None, JOBS, 1, log))) == 4 and said == JOBS


def test_another_bundle_or_voice_is_heard_anew(tiny: Path, tiny_token_level: Path, tmp_path: Path,
                                                 said: list[SentenceJob]) -> None:
    log = tmp_path / "log.jsonl"
    for bundle, voice in ((tiny, None), (tiny_token_level, None), (tiny, "another")):
        list(speak_on(bundle, voice, JOBS[:1], 1, log))
    assert said == JOBS[:1] * 3


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as error:
        append_lines(tmp_path / "file" / "log.jsonl", JOBS)
    sentence_of(error)
