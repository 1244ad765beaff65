"""Acoustic features of a recording, in numpy. CosyVoice3: mel frames, Kaldi's filter bank, Whisper's log-mel; the
embedded voice: the log-mel frames of its codec."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

MEL_RATE, MEL_FFT, MEL_HOP, MEL_BINS = 24_000, 1920, 480, 80
SPEECH_RATE = 16_000
"""Samples a second that filter bank and log-mel are made of."""
WHISPER_FFT, WHISPER_HOP, WHISPER_BINS = 400, 160, 128
KALDI_FRAME, KALDI_HOP, KALDI_FFT, KALDI_BINS, KALDI_LOWEST = 400, 160, 512, 80, 20.0
CODEC_RATE, CODEC_FFT, CODEC_HOP, CODEC_BINS = 24_000, 1024, 240, 80
CODEC_FLOOR, CODEC_MEAN, CODEC_SCALE = 1e-5, -4.0, 4.0
_EPSILON = float(np.finfo(np.float32).eps)


def mel_frames(samples: np.ndarray) -> np.ndarray:
    """Log mel magnitudes float32 [T // 480, 80] of samples [T] at 24 kHz: what the flow continues."""
    pad = (MEL_FFT - MEL_HOP) // 2
    padded = np.pad(samples.astype(np.float64), (pad, pad), "reflect")
    power = _power(padded, _hann(MEL_FFT), MEL_HOP, MEL_FFT)
    mel = np.sqrt(power + 1e-9) @ mel_filters(MEL_RATE, MEL_FFT, MEL_BINS).T
    return _float32(np.log(np.maximum(mel, 1e-5)))


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Whisper's features float32 [128, T // 160] of samples [T] at 16 kHz: what the speech tokenizer reads."""
    padded = np.pad(samples.astype(np.float64), WHISPER_FFT // 2, "reflect")
    power = _power(padded, _hann(WHISPER_FFT), WHISPER_HOP, WHISPER_FFT)[:-1]
    levels = np.log10(np.maximum(power @ mel_filters(SPEECH_RATE, WHISPER_FFT, WHISPER_BINS).T, 1e-10))
    return _float32(((np.maximum(levels, levels.max() - 8.0) + 4.0) / 4.0).T)


def filter_bank(samples: np.ndarray) -> np.ndarray:
    """Kaldi's log filter bank without dither, float32 [frames, 80], of samples [T] at 16 kHz, its mean taken off: what the
    speaker encoder reads."""
    frames = _frames(samples.astype(np.float64), KALDI_FRAME, KALDI_HOP)
    frames = frames - frames.mean(1, keepdims=True)
    frames = frames - 0.97 * np.concatenate((frames[:, :1], frames[:, :-1]), 1)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(KALDI_FRAME) / (KALDI_FRAME - 1))) ** 0.85
    power = np.abs(np.fft.rfft(frames * window, KALDI_FFT)) ** 2
    levels = np.log(np.maximum(power @ _kaldi_filters().T, _EPSILON))
    return _float32(levels - levels.mean(0, keepdims=True))


def codec_mel(samples: np.ndarray) -> np.ndarray:
    """Normalised log-mel magnitudes float32 [T // 240, 80] of samples [T] at 24 kHz: what the embedded voice's codec encodes.
    Frame i is centred on its own hop; silence precedes and follows."""
    margin = CODEC_FFT - CODEC_HOP
    padded = np.pad(samples.astype(np.float64), (margin // 2, margin - margin // 2))
    mel = np.sqrt(_power(padded, _hann(CODEC_FFT), CODEC_HOP, CODEC_FFT)) @ _codec_filters().T
    return _float32((np.log(np.maximum(mel, CODEC_FLOOR)) - CODEC_MEAN) / CODEC_SCALE)


@lru_cache
def mel_filters(rate: int, fft: int, bins: int) -> np.ndarray:
    """Slaney's triangular filters of equal area, float64 [bins, fft / 2 + 1], from 0 Hz to half the rate."""
    edges = _slaney_hertz(np.linspace(0.0, float(_slaney_mel(np.array(rate / 2))), bins + 2))
    steps = np.arange(fft // 2 + 1) * rate / fft
    ramps = edges[:, None] - steps
    widths = np.diff(edges)[:, None]
    triangles = np.maximum(0, np.minimum(-ramps[:-2] / widths[:-1], ramps[2:] / widths[1:]))
    filters: np.ndarray = triangles * (2 / (edges[2:] - edges[:-2]))[:, None]
    return filters


@lru_cache
def _kaldi_filters() -> np.ndarray:
    """Triangles on Kaldi's mel scale, float64 [80, 257], from 20 Hz to half the rate."""
    lowest, highest = _kaldi_mel(np.array([KALDI_LOWEST, SPEECH_RATE / 2]))
    edges = np.linspace(lowest, highest, KALDI_BINS + 2)
    steps = _kaldi_mel(np.arange(KALDI_FFT // 2 + 1) * SPEECH_RATE / KALDI_FFT)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    filters: np.ndarray = np.maximum(0, np.minimum((steps - left) / (centre - left), (right - steps) / (right - centre)))
    filters[:, -1] = 0  # Kaldi leaves the bin at half the rate out
    return filters


@lru_cache
def _codec_filters() -> np.ndarray:
    """Triangles of equal area, evenly spaced on the mel scale from 0 Hz to half the rate, float64 [80, 513]."""
    top = 2595 * np.log10(1 + CODEC_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, CODEC_BINS + 2) / 2595) - 1)
    steps = np.linspace(0, CODEC_RATE / 2, CODEC_FFT // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    filters: np.ndarray = np.maximum(0, np.minimum((steps - low) / (centre - low), (high - steps) / (high - centre)))
    return filters * 2 / (high - low) * 50


def _kaldi_mel(hertz: np.ndarray) -> np.ndarray:
    mel: np.ndarray = 1127.0 * np.log(1.0 + hertz / 700.0)
    return mel


def _slaney_mel(hertz: np.ndarray) -> np.ndarray:
    linear = hertz / (200.0 / 3)
    return np.where(hertz < 1000.0, linear, 15.0 + np.log(np.maximum(hertz, 1e-9) / 1000.0) / (np.log(6.4) / 27.0))


def _slaney_hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15.0, mel * (200.0 / 3), 1000.0 * np.exp((np.log(6.4) / 27.0) * (mel - 15.0)))


def _hann(size: int) -> np.ndarray:
    window: np.ndarray = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    return window


def _float32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


def _frames(samples: np.ndarray, size: int, hop: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]


def _power(samples: np.ndarray, window: np.ndarray, hop: int, fft: int) -> np.ndarray:
    power: np.ndarray = np.abs(np.fft.rfft(_frames(samples, len(window), hop) * window, fft)) ** 2
    return power
