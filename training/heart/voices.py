"""Voices of the embedded checkpoint: the teacher's own and three changes of it, each on its own speaker embedding."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from training.data.voices import speaker_embedding


class VoiceSetting(NamedTuple):
    """Factor of the teacher's F0, and share of the warp that moves formants down by a tenth."""

    pitch: float
    warp: float


TEACHER = "heart"
VOICES = {TEACHER: VoiceSetting(1.0, 0.0), "kumo": VoiceSetting(0.6, 1.0), "alpha": VoiceSetting(0.9, 0.0),
          "nezumi": VoiceSetting(1.12, 0.0)}


def speakers(width: int) -> dict[str, Tensor]:
    """Speaker embedding [Es] of each voice. All have the teacher's component along the teacher's own, which is all that the
    language models were trained with; the rest tells the decoder the voice."""
    heart = torch.from_numpy(speaker_embedding(TEACHER, width))
    axis = heart / heart.norm()
    found = {TEACHER: heart}
    for name in VOICES:
        if name != TEACHER:
            own = torch.from_numpy(speaker_embedding(name, width))
            found[name] = heart + own - axis * (own @ axis)
    return found


def changes() -> Tensor:
    """What `export.model.spectral.vocoder.VoiceChange` gives for each voice, [N, 2]: log of the factor, share of the warp."""
    return torch.tensor([[math.log(each.pitch), each.warp] for each in VOICES.values()])
