"""The recogniser learns labels, and its loss hears a difference and moves what was made."""

from pathlib import Path

import numpy as np
import torch

from training.codec.recogniser import MelRecogniser, PhonemePerceptualLoss, spelling_loss, train_recogniser
from training.codec.spectrograms import UNHEARD, Spectrogram


def test_frames_without_a_label_are_out_of_the_loss() -> None:
    logits, labels = torch.randn(1, 4, 50), torch.tensor([[1, 2, UNHEARD, UNHEARD]], dtype=torch.uint8)
    other = logits.clone()
    other[:, 2:] += torch.randn(1, 2, 50)
    assert torch.equal(spelling_loss(logits, labels), spelling_loss(other, labels))


def test_equal_speech_is_heard_equally_and_other_speech_is_not() -> None:
    torch.manual_seed(0)
    loss, true = PhonemePerceptualLoss(MelRecogniser()), torch.randn(2, 30, 80)
    assert float(loss(true, true)) < 1e-3
    made = torch.randn(2, 30, 80, requires_grad=True)
    different = loss(made, true)
    different.backward()
    assert different.item() > 0.1 and made.grad is not None and float(made.grad.abs().sum()) > 0
    assert all(parameter.grad is None for parameter in loss.parameters())


def test_it_learns_what_frames_say(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sounds = rng.normal(size=(3, 80))
    corpus = []
    for _ in range(4):
        labels = rng.integers(3, size=60).repeat(5).astype(np.uint8)
        corpus.append(Spectrogram(sounds[labels].astype(np.float16), labels, torch.zeros(4)))
    train_recogniser(corpus, corpus, tmp_path, 12, batch=2)
    figures = (tmp_path / "log.jsonl").read_text().splitlines()
    assert '"right"' in figures[-1] and float(figures[-1].split('"right":')[1].strip(" }")) > 0.8
