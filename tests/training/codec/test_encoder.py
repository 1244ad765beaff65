"""The encoder learns recordings without forgetting the student's mels."""

import json
from pathlib import Path

import torch

from export.model.config import EMBEDDED_VOCODER
from export.model.encoders import CodecEncoder
from training.codec.encoder import Pair, train_encoder
from training.codec.spectrograms import CROP


def test_recordings_become_the_tokens_of_the_students_mels(tmp_path: Path) -> None:
    torch.manual_seed(0)
    start = CodecEncoder(EMBEDDED_VOCODER).eval()
    tilt = torch.linspace(-1, 1, 80)
    pairs = [Pair(made, made + tilt) for made in torch.randn(4, CROP + 4, 80)]
    digits = [torch.cat([start(mels[None])[0] for mels in side]) for side in zip(*pairs, strict=True)]
    before = float((digits[0] == digits[1]).float().mean())
    train_encoder(start, pairs, pairs, tmp_path, 40, batch=4)
    figures = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert figures["digits said"] > before + 0.05
    assert figures["digits made"] > 0.85
