"""Corpus of a teacher's prosody: durations, F0, energy and text vectors of many sentences, without a waveform.

The front half of hibari (`training.hibari`) runs 200 times faster than real time on one core: 20 hours of speech take five
minutes. All that the codec and the decoder learn from is computed from these arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.data.shards import Utterance, read_folder, write_shard
from training.data.text import split_of
from training.hibari import Front, Prosody, scaled_pitch

SHARD = 500
"""Sentences per shard."""
LOUD = -1.2
"""Energy on the teacher's scale that speech exceeds: its silence has -1.7 to -2, the first loud frame -0.6 or more."""
LEAD, TAIL = 6, 12
"""Frames of silence kept before and after speech: 80 ms, which first audio waits for, and 160 ms, in which vowels fade."""


@dataclass(frozen=True)
class ProsodyUtterance:
    """One utterance: text, phonemes, voice, phoneme ids int64 [P] of the teacher's alphabet with padding at both ends,
    durations in frames int64 [P], text vectors float16 [P, 128], F0 in Hz float32 [F] (0: unvoiced) and energy float32 [F]."""

    text: str
    phonemes: str
    voice: str
    ids: np.ndarray
    durations: np.ndarray
    vectors: np.ndarray
    pitch: np.ndarray
    energy: np.ndarray

    @property
    def frames(self) -> int:
        """Frames at 75 Hz."""
        return len(self.pitch)

    def features(self) -> Tensor:
        """Decoder input, float32 [F, 130]."""
        text = np.repeat(self.vectors.astype(np.float32), self.durations, axis=0)
        return torch.from_numpy(np.concatenate((text, scaled_pitch(self.pitch)[:, None], self.energy[:, None]), 1))

    def labels(self) -> Tensor:
        """Phoneme id of each frame, int64 [F]."""
        return torch.from_numpy(np.repeat(self.ids, self.durations))


def spoken_frames(energy: np.ndarray) -> tuple[int, int]:
    """First frame and end of the speech, with short silences around it; all frames where nothing is loud."""
    loud = np.flatnonzero(energy > LOUD)
    if not len(loud):
        return 0, len(energy)
    return max(0, int(loud[0]) - LEAD), min(len(energy), int(loud[-1]) + 1 + TAIL)


def render_prosody(folder: Path, sentences: Sequence[str], phonemize: Callable[[str], str], front: Front, voice: str,
                   speeds: Sequence[float] = (1.0,)) -> Iterator[int]:
    """Write the sentences' shards that are missing; yields the number of sentences done. Sentence i has speed i modulo the
    number of `speeds`."""
    for start in range(0, len(sentences), SHARD):
        path = folder / f"{voice}-{start:06d}.safetensors"
        if not path.exists():
            arrays: list[Utterance] = []
            notes: list[dict[str, str]] = []
            for place, sentence in enumerate(sentences[start:start + SHARD], start):
                phonemes = phonemize(sentence)
                arrays.append(_arrays(front.read(phonemes, speeds[place % len(speeds)])))
                notes.append({"text": sentence, "phonemes": phonemes, "split": split_of(sentence), "voice": voice})
            write_shard(path, arrays, notes)
        yield min(start + SHARD, len(sentences))


def load_prosody(folder: Path, split: str) -> list[ProsodyUtterance]:
    """All utterances of a split."""
    return [ProsodyUtterance(note["text"], note["phonemes"], note["voice"], each["ids"].astype(np.int64),
                             each["durations"].astype(np.int64), each["text"], each["pitch"].astype(np.float32).clip(min=0),
                             each["energy"].astype(np.float32))
            for note, each in read_folder(folder) if note["split"] == split]


def _arrays(found: Prosody) -> Utterance:
    return {"ids": found.ids.astype(np.uint8), "durations": found.durations.astype(np.int16),
            "text": found.text.astype(np.float16), "pitch": found.pitch.astype(np.float16),
            "energy": found.energy.astype(np.float16)}
