"""The teacher reads. Two folders of shards, each resumable at the last whole shard.

    python -m training audio      # hours with samples and features: trains the student and the waveform decoder
    python -m training mels       # everything as mel frames, through the student: trains the codec and the language models
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from runtime.text.phonemes import Phonemizer
from training.data.shards import Utterance, write_shard
from training.data.teacher import Teacher, TeacherUtterance
from training.data.text import split_of

SHARD = 50
"""Sentences a shard."""
Render = Callable[[TeacherUtterance], Utterance]


def render_shards(folder: Path, sentences: list[str], voices: Sequence[str], lexicon: Path, models: Path, *, with_audio: bool,
                  make_render: Callable[[], Render], workers: int = 2) -> Iterable[int]:
    """Have the voices read all sentences into `folder`, a shard each in turn; yields the number of shards done after each.

    A sentence is read by one voice only: what a small model lacks is text, not another reading of the same.
    """
    shards = [(start, voices[number % len(voices)]) for number, start in enumerate(range(0, len(sentences), SHARD))]
    missing = [(start, voice) for start, voice in shards if not _shard_path(folder, voice, start).exists()]
    done = len(shards) - len(missing)
    job = partial(_render_one, folder, sentences, lexicon, models, with_audio, make_render)
    with ProcessPoolExecutor(workers) as pool:
        for _ in pool.map(job, missing):
            done += 1
            yield done


def audio_arrays(reading: TeacherUtterance) -> Utterance:
    """Everything of a reading with samples: int16 samples, half-precision features."""
    assert reading.samples is not None
    return {"samples": (np.clip(reading.samples, -1, 1) * 32767).astype(np.int16),
            "features": reading.features.astype(np.float16), "pitch": reading.pitch.astype(np.float16),
            "durations": reading.durations.astype(np.int16), "silence": np.array(reading.silence, np.int16)}


def keep_audio() -> Render:
    """`make_render` of the audio stage."""
    return audio_arrays


def _shard_path(folder: Path, voice: str, start: int) -> Path:
    return folder / f"{voice}-{start:06d}.safetensors"


def _render_one(folder: Path, sentences: list[str], lexicon: Path, models: Path, with_audio: bool,
                make_render: Callable[[], Render], shard: tuple[int, str]) -> None:
    start, voice = shard
    phonemizer, teacher, render = Phonemizer.load(lexicon), Teacher(models, voice), make_render()
    utterances, texts = [], []
    for sentence in sentences[start:start + SHARD]:
        phonemes = phonemizer.phonemes(sentence)
        utterances.append(render(teacher.read(phonemes, with_audio)))
        texts.append({"text": sentence, "phonemes": phonemes, "split": split_of(sentence), "voice": voice})
    write_shard(_shard_path(folder, voice, start), utterances, texts)
