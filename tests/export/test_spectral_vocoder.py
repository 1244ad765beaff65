"""The spectral decoder streams, keeps its lookahead, and makes pulses at the predicted F0."""

import pytest
import torch

from export.model.config import VocoderConfig
from export.model.spectral.fourier import BINS, RealDFT
from export.model.spectral.vocoder import FFT, SpectralHead, SpectralVocoder, hertz, windows
from export.model.state import StateReader

SIZES = VocoderConfig(sample_rate=24_000, hop=320, frames_per_token=3, token_width=32, token_blocks=2, frame_width=32,
                      frame_blocks=8)
SPEAKER = torch.zeros(1, 8)


@pytest.fixture(scope="module")
def vocoder() -> SpectralVocoder:
    torch.manual_seed(0)
    made = SpectralVocoder(SIZES, 8).eval()
    with torch.no_grad():
        made.trunk.leave.weight.mul_(3)
        made.head.head.bias.sub_(4)
    return made


@torch.inference_mode()
def test_chunks_give_the_samples_of_one_call(vocoder: SpectralVocoder) -> None:
    tokens = torch.randint(6561, (1, 11), generator=torch.Generator().manual_seed(1))
    state = torch.zeros(1, vocoder.state_size)
    whole, last = vocoder(tokens, SPEAKER, state)
    pieces = []
    for chunk in tokens.split((1, 4, 2, 4), 1):
        samples, state = vocoder(chunk, SPEAKER, state)
        pieces.append(samples)
    assert whole.shape == (1, 11 * 960) and last.shape == state.shape
    # float32 sums in other orders; pulses are as tall as there are harmonics
    assert torch.allclose(torch.cat(pieces, 1), whole, atol=2e-3 * float(whole.abs().max()))


@torch.inference_mode()
def test_a_sample_depends_on_three_tokens_of_future_and_no_more(vocoder: SpectralVocoder) -> None:
    tokens = torch.randint(6561, (1, 12), generator=torch.Generator().manual_seed(2))
    other = tokens.clone()
    other[0, 9] = (other[0, 9] + 3280) % 6561
    first, second = vocoder.utterance(tokens, SPEAKER), vocoder.utterance(other, SPEAKER)
    differs = (first != second).nonzero()[0, 1]
    assert 6 * 960 <= differs < 8 * 960


@torch.inference_mode()
def test_the_source_has_the_wanted_pitch() -> None:
    head = SpectralHead(SIZES).eval()
    with torch.no_grad():
        head.head.weight.zero_()
        head.head.bias.copy_(torch.tensor([0.0, 0.0, -30.0, 0.0]).repeat_interleave(601))
    samples = head(torch.zeros(1, 60, 32), torch.full((1, 60), 200.0), StateReader(torch.zeros(1, head.state_size)))[0, 4800:]
    spectrum = torch.fft.rfft(samples[:12_000] * torch.hann_window(12_000)).abs()
    assert int(spectrum[50:150].argmax()) + 50 == 100 and spectrum[200] > 100 * spectrum[150]
    silent = head(torch.zeros(1, 60, 32), torch.zeros(1, 60), StateReader(torch.zeros(1, head.state_size)))
    assert float(silent.abs().max()) < 1e-6


def test_overlapping_windows_restore_a_signal() -> None:
    window, synthesis = windows(320)
    signal = torch.randn(320 * 20, generator=torch.Generator().manual_seed(3))
    restored = torch.zeros(320 * 20)
    for start in range(0, 320 * 16 + 1, 320):
        restored[start:start + 1280] += torch.nn.functional.pad(signal[start:start + FFT] * window, (0, 80)) * synthesis
    middle = slice(320 * 4, 320 * 16)
    assert torch.allclose(restored[middle], signal[middle], atol=1e-4)


def test_the_factored_transform_is_the_real_dft() -> None:
    transform = RealDFT()
    signal = torch.randn(2, 3, FFT, generator=torch.Generator().manual_seed(4))
    real, imaginary = transform(signal)
    wanted = torch.fft.rfft(signal)
    assert torch.allclose(real, wanted.real, atol=1e-3) and torch.allclose(imaginary, wanted.imag, atol=1e-3)
    weights = torch.full((BINS,), 2.0)
    weights[0] = weights[-1] = 1.0
    assert torch.allclose(transform.inverse(real * weights, imaginary * weights) / FFT, signal, atol=1e-4)


def test_unvoiced_frames_have_no_pitch() -> None:
    pitch = torch.tensor([[[-1.0, 5.0], [1.0, 5.0], [1.0, 9.0]]])
    assert hertz(pitch)[0].tolist() == pytest.approx([0.0, 148.413, 500.0], abs=0.01)


@torch.inference_mode()
def test_speakers_change_pitch_and_formants_of_the_teacher_s_voice(vocoder: SpectralVocoder) -> None:
    speakers = torch.randn(3, 8, generator=torch.Generator().manual_seed(5))
    changed = SpectralVocoder(SIZES, 8).eval()
    changed.load_state_dict(vocoder.state_dict())
    for part in (changed.trunk, changed.stack):
        part.speaker.weight.zero_()
    changes = torch.tensor([[0.0, 0.0], [-0.5, 0.0], [-0.5, 1.0]])
    changed.change.set_voices(speakers, changes)
    factor, share = changed.change(speakers)
    assert torch.allclose(torch.cat((factor, share), 1), changes, atol=1e-5)
    tokens = torch.randint(6561, (1, 8), generator=torch.Generator().manual_seed(6))
    same, nothing = (changed.utterance(tokens, each[None]) for each in (speakers[0], torch.zeros(8)))
    assert torch.allclose(same, nothing, atol=1e-3 * float(nothing.abs().max()))
    rows = changed.utterance(tokens.expand(3, -1), speakers)
    for row, speaker in zip(rows, speakers, strict=True):
        assert torch.allclose(row, changed.utterance(tokens, speaker[None])[0], atol=2e-3 * float(row.abs().max()))
    assert not torch.allclose(rows[1], rows[2], atol=0.01 * float(rows[1].abs().max()))


@torch.inference_mode()
def test_a_full_warp_moves_a_peak_down_by_a_tenth() -> None:
    """White pulses at 20 Hz through one open bin, 6 kHz, warped to 5.4 kHz."""
    head = SpectralHead(SIZES).eval()
    bias = torch.tensor([-30.0, 0.0, -30.0, 0.0]).repeat_interleave(BINS)
    bias[295:306] = 0.0
    head.head.weight.zero_()
    head.head.bias.copy_(bias)
    for share, hertz_found in ((0.0, 6000), (1.0, 5400)):
        state = StateReader(torch.zeros(1, head.state_size))
        samples = head(torch.zeros(1, 80, 32), torch.full((1, 80), 100.0), state, torch.full((1, 1), share))[0, 600:24_600]
        spectrum = torch.fft.rfft(samples * torch.hann_window(24_000)).abs()
        assert abs(int(spectrum.argmax()) - hertz_found) <= 100
