"""Every system reads every sentence and is judged: in parallel, each result saved at once, so that a run can resume."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec
import soundfile

from benchmarks.jsonl import append_lines, read_lines
from benchmarks.judges.naturalness import opinion_scores
from benchmarks.judges.recognition import transcribers
from benchmarks.judges.similarity import SpeakerSimilarity, teacher_recording, teacher_voices
from benchmarks.quality.failures import failures
from benchmarks.quality.systems import EvaluatedAudio, EvaluatedSystem
from runtime.atomic import atomic_file

SHARPEST = "Whisper tiny"
"""The recogniser whose words tell loops and truncation."""
SPELLING = "PocketSphinx"
"""The one that writes numbers as words."""


class ScoredSentence(msgspec.Struct, frozen=True):
    """One sentence by one system, and what the instruments say of it."""

    system: str
    fingerprint: str
    number: int
    voice: str
    seed: int
    text: str
    seconds: float
    teacher_seconds: float
    stopped_by: str
    heard: dict[str, str]
    """Transcript by each recogniser."""
    similarity: dict[str, float]
    """Cosine to each voice of the teacher."""
    dnsmos: float
    """Overall quality, 1 to 5."""
    p808: float
    """P.808 quality, 1 to 5, by the same package."""
    distillmos: float
    """Quality, 1 to 5, by a predictor that also knows synthetic speech."""
    failures: list[str]
    audio: str | None = None
    """The sound, for sentences that the page lets one listen to; relative to the output folder."""


@dataclass(frozen=True)
class ScoringTask:
    """A sentence to be read by the systems that have not read it yet."""

    number: int
    text: str
    voice: str
    teacher_seconds: float
    seed: int
    systems: tuple[int, ...]
    keep: bool
    """Keep the sound for the page."""


class Judges:
    """The judges, loaded once per process."""

    def __init__(self) -> None:
        self._listeners = transcribers()
        self._encoder = SpeakerSimilarity()
        self._voices = {voice: self._encoder.embed(*teacher_recording(voice)) for voice in teacher_voices()}

    def judge(self, sound: EvaluatedAudio, text: str, teacher_seconds: float) -> dict[str, object]:
        """The fields of a ScoredSentence that are measured."""
        heard = {name: listener.transcribe(sound.samples, sound.sample_rate) for name, listener in self._listeners.items()}
        vector = self._encoder.embed(sound.samples, sound.sample_rate)
        return {"seconds": sound.seconds, "teacher_seconds": teacher_seconds, "stopped_by": sound.stopped_by, "heard": heard,
                "similarity": {voice: float(vector @ other) for voice, other in self._voices.items()},
                **asdict(opinion_scores(sound.samples, sound.sample_rate)),
                "failures": failures(text, heard[SHARPEST], sound.samples, sound.sample_rate, teacher_seconds,
                                     sound.stopped_by, lambda: heard[SPELLING])}


class Log:
    """`readings.jsonl` of an output folder: one line per attempt, appended as it is computed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "readings.jsonl"

    def read(self, systems: Sequence[EvaluatedSystem]) -> list[ScoredSentence]:
        """Readings of these systems as they are now, the last of each sentence; lines that a kill cut short and those of
        other systems are left out."""
        current = {system.name: system.fingerprint for system in systems}
        found = dict[tuple[str, int, str, int], ScoredSentence]()
        for reading in read_lines(self._path, ScoredSentence):
            if current.get(reading.system) == reading.fingerprint:
                found[reading.system, reading.number, reading.voice, reading.seed] = reading
        return list(found.values())

    def append(self, readings: Sequence[ScoredSentence]) -> None:
        """Write them down."""
        append_lines(self._path, readings)


def read_all(systems: Sequence[EvaluatedSystem], tasks: Sequence[ScoringTask], folder: Path,
             jobs: int) -> Iterator[list[ScoredSentence]]:
    """Work off the tasks in `jobs` processes; yields the readings of each task when it is done. Ctrl-C ends all of them."""
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _open, (list(systems), folder))
    try:
        for future in as_completed([pool.submit(_read, task) for task in tasks]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


_systems: list[EvaluatedSystem] = []
_folder: Path
_judges: Judges


def _open(systems: list[EvaluatedSystem], folder: Path) -> None:
    global _systems, _folder, _judges
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent answers it
    _systems, _folder, _judges = systems, folder, Judges()


def _read(task: ScoringTask) -> list[ScoredSentence]:
    made = []
    for index in task.systems:
        system = _systems[index]
        sound = system.read(task.text, task.voice, task.seed)
        audio = f"audio/{system.fingerprint}-{task.number:04d}.mp3" if task.keep else None
        if audio is not None:
            write_mp3(_folder / audio, sound)
        judged = _judges.judge(sound, task.text, task.teacher_seconds)
        made.append(msgspec.convert({"system": system.name, "fingerprint": system.fingerprint, "number": task.number,
                                     "voice": task.voice, "seed": task.seed, "text": task.text, "audio": audio, **judged},
                                    ScoredSentence))
    return made


def write_mp3(path: Path, sound: EvaluatedAudio) -> None:
    """A small sound file that every browser plays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        soundfile.write(file, sound.samples.clip(-1, 1), sound.sample_rate, format="MP3", subtype="MPEG_LAYER_III")
