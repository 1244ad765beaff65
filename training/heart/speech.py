"""The teacher speaks aloud: waveforms of any of its voices from a prosody corpus, by its own decoder."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

from export.model.config import SPECTRAL_VOCODER
from export.model.spectral.vocoder import FFT, PITCH_AHEAD, PITCH_SCALE, TEXT_WIDTH, VOICED, SpectralHead
from export.model.state import StateReader
from training.data.prosody import spoken_frames
from training.heart.voices import VOICES, VoiceSetting
from training.hibari import FRAME_HOP, Front, load_decoder
from training.vocoder.spectral import copy_head


class TeacherSpeech:
    """The teacher's decoder and a head with its weights."""

    def __init__(self) -> None:
        self._decoder = load_decoder()
        self._head = SpectralHead(SPECTRAL_VOCODER).eval()
        copy_head(self._head, self._decoder)

    @torch.inference_mode()
    def speak(self, features: np.ndarray, pitch: np.ndarray, change: VoiceSetting) -> np.ndarray:
        """Samples float32 [320 F] at 24 kHz from decoder inputs [F, 130] and F0 in Hz [F]."""
        voiced, changed = pitch > VOICED, features.astype(np.float32).copy()
        changed[voiced, TEXT_WIDTH] += math.log(change.pitch) / PITCH_SCALE
        hertz = np.where(voiced, scaled_back(changed[:, TEXT_WIDTH]), 0).astype(np.float32)
        hidden = self._decoder.hidden(torch.from_numpy(changed)[None])
        late = -(-FFT // (2 * FRAME_HOP))  # hops until the first whole window, and as many after the last
        hidden = nn.functional.pad(hidden.transpose(1, 2), (late, 2 * late), mode="replicate").transpose(1, 2)
        ahead = np.pad(hertz, (late - PITCH_AHEAD, 2 * late + PITCH_AHEAD))
        samples = self._head(hidden, torch.from_numpy(ahead)[None], StateReader(torch.zeros(1, self._head.state_size)),
                             torch.full((1, 1), change.warp))[0].numpy()
        start = late * FRAME_HOP + FFT // 2  # the centre of the first frame
        spoken: np.ndarray = samples[start:start + FRAME_HOP * len(features)].clip(-1, 1)
        return spoken


class TeacherVoice:
    """A voice of the teacher that reads phonemes; `folder` keeps the cut graph."""

    def __init__(self, folder: Path, voice: str) -> None:
        self._front, self._speech, self._change = Front(folder), TeacherSpeech(), VOICES[voice]

    def read(self, phonemes: str) -> np.ndarray:
        """Samples float32 [T] at 24 kHz, silence around the speech cut."""
        found = self._front.read(phonemes)
        first, end = spoken_frames(found.energy)
        return self._speech.speak(found.inputs(), found.pitch, self._change)[first * FRAME_HOP:end * FRAME_HOP]


def scaled_back(feature: np.ndarray) -> np.ndarray:
    """F0 in Hz of the decoder's feature."""
    hertz: np.ndarray = np.exp(PITCH_SCALE * feature) - 1
    return hertz
