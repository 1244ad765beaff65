"""The harmonic head generates the given pitch, and its windows add up."""

import torch

from export.model.config import EMBEDDED_VOCODER
from export.model.harmonic import HarmonicHead, dft_matrices, rounded_sawtooth
from export.model.state import StateReader


def test_windows_half_a_window_apart_add_up_to_the_input() -> None:
    forward, inverse = dft_matrices(32)
    x = torch.randn(96)
    total = torch.zeros(96)
    for start in range(0, 65, 16):
        total[start:start + 32] += (x[start:start + 32] @ forward) @ inverse
    torch.testing.assert_close(total[16:-16], x[16:-16], rtol=0, atol=1e-5)


def test_the_source_has_the_pitch_it_was_given() -> None:
    head = HarmonicHead(EMBEDDED_VOCODER)
    frames = torch.zeros(1, 100, EMBEDDED_VOCODER.frame_width)
    with torch.no_grad():
        samples = head(frames, StateReader(torch.zeros(1, head.state_size)), torch.full((1, 100), 150.0))
    spectrum = torch.fft.rfft(samples[0] * torch.hann_window(24_000)).abs()
    assert int(spectrum[60:].argmax()) + 60 == 150  # one second: bins are Hz
    assert float(spectrum[300]) > 0.3 * float(spectrum[150])


def test_the_rounded_sawtooth_has_no_jump() -> None:
    step = torch.tensor(0.005)
    turns = torch.linspace(0.99, 1.01, 20_001)
    assert float(rounded_sawtooth(turns, step).diff().abs().max()) < 1e-3
    assert float(rounded_sawtooth(torch.tensor(0.5), step)) == 0
