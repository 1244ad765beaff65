"""CosyVoice3's vocoder on a small model: streamed equals whole, the cost of a chunk stays, and PyTorch says the same."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime.backends import create_backend
from runtime.backends.base import Backend
from runtime.bundle.manifest import Flow
from runtime.bundle.reader import Bundle
from runtime.bundle.voice import Voice
from runtime.errors import BundleError, OptionError, VoiceError
from runtime.synthesizer import Synthesizer
from runtime.vocoder.flow import FlowVocoder
from runtime.vocoder.mel_vocoder import MelVocoder
from runtime.vocoder.vocoding import vocoder_opener
from tests.conftest import sentence_of

RNG = np.random.default_rng(0)
SAMPLES_PER_TOKEN = 960
NONE = np.zeros(0, np.int64)


class Recorded:
    """A backend that notes what it is asked for."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.calls: list[tuple[str, dict[str, tuple[int, ...]]]] = []

    def run(self, name: str, inputs: dict[str, Any], **options: Any) -> dict[str, np.ndarray]:
        self.calls.append((name, {key: value.shape for key, value in inputs.items()}))
        return self._backend.run(name, inputs, **options)

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)


@pytest.fixture(scope="module")
def bundle(cosyvoice_bundle: Path) -> Bundle:
    return Bundle.open(cosyvoice_bundle)


@pytest.fixture(scope="module")
def backend(bundle: Bundle) -> Iterator[Backend]:
    made = create_backend(bundle, "cpu", 1)
    yield made
    made.close()


def prompted(tokens: int) -> Voice:
    """A voice whose vocoder prompt has that many tokens."""
    codes = RNG.integers(0, 300, tokens)
    return Voice("made", RNG.standard_normal(192).astype(np.float32), NONE, NONE, codes,
                 RNG.standard_normal((2 * tokens, 80)).astype(np.float32))


def flow_of(bundle: Bundle) -> Flow:
    assert bundle.manifest.vocoder is not None and bundle.manifest.vocoder.flow is not None
    return bundle.manifest.vocoder.flow


def spoken(bundle: Bundle, backend: object, voice: Voice, pieces: list[np.ndarray]) -> list[np.ndarray]:
    """Samples after each piece, the flushed ones last."""
    assert bundle.manifest.vocoder is not None
    vocoder = vocoder_opener(bundle, bundle.manifest.vocoder, backend)(voice)  # type: ignore[arg-type]
    return [*(vocoder.push(piece) for piece in pieces), vocoder.flush()]


@pytest.mark.parametrize("prompt", [0, 40])
def test_streamed_equals_whole(bundle: Bundle, backend: Backend, prompt: int) -> None:
    voice, tokens = prompted(prompt), RNG.integers(0, 300, 95)
    whole = np.concatenate(spoken(bundle, backend, voice, [tokens]))
    pieces = spoken(bundle, backend, voice, np.split(tokens, [1, 9, 17, 41, 42, 80]))
    assert len(whole) == 95 * SAMPLES_PER_TOKEN
    assert np.abs(np.concatenate(pieces) - whole).max() < 1e-5 * np.abs(whole).max()
    assert sum(len(piece) > 0 for piece in pieces) >= 3, "samples come as tokens come"
    assert whole.std() > 1e-3 and np.isfinite(whole).all()


def test_samples_come_after_a_chunk_and_its_lookahead(bundle: Bundle, backend: Backend) -> None:
    tokens = RNG.integers(0, 300, 28)
    before, after, _ = spoken(bundle, backend, prompted(0), [tokens[:27], tokens[27:]])
    assert len(before) == 0
    assert len(after) == (50 - 4 - 1) * 480, "all frames of the chunk but those that the waveform looks ahead"


def test_cost_of_a_chunk_does_not_grow(bundle: Bundle, backend: Backend) -> None:
    """Once the window is full, every chunk asks for exactly the same shapes, however much was said."""
    recorded, tokens = Recorded(backend), RNG.integers(0, 300, 25 * 16)
    window = flow_of(bundle).window_frames
    assert window < 2 * len(tokens) - 200
    spoken(bundle, recorded, prompted(30), np.split(tokens, 16))
    past = [shapes["past_keys"][0] for name, shapes in recorded.calls if name == "flow_estimator"][::10]
    frames = {shapes["x"][1] for name, shapes in recorded.calls if name == "flow_estimator"}
    assert max(past) == window + 50 and past.count(window + 50) >= 5
    assert frames == {50, 10}, "never the prefix again; ten frames at the end"
    mels = [shapes["mel"][1] for name, shapes in recorded.calls if name == "waveform"]
    assert len(set(mels[2:-1])) == 1 and max(mels) <= 2 * 50 + flow_of(bundle).wave_look_back + 10


def test_window_forgets_what_it_must(bundle: Bundle, backend: Backend) -> None:
    """Beyond the window the past is let go, streamed as well as whole, and in the same way."""
    voice, tokens = prompted(0), RNG.integers(0, 300, 25 * 12)
    whole = np.concatenate(spoken(bundle, backend, voice, [tokens]))
    pieces = np.concatenate(spoken(bundle, backend, voice, np.split(tokens, 20)))
    assert len(pieces) == len(whole) == len(tokens) * SAMPLES_PER_TOKEN
    assert np.abs(pieces - whole).max() < 1e-5 * np.abs(whole).max()


def test_prompt_is_computed_once(bundle: Bundle, backend: Backend) -> None:
    assert bundle.manifest.vocoder is not None
    recorded, voice, tokens = Recorded(backend), prompted(60), RNG.integers(0, 300, 30)
    opened = vocoder_opener(bundle, bundle.manifest.vocoder, recorded)  # type: ignore[arg-type]
    said = []
    for _ in range(2):
        vocoder = opened(voice)
        said.append(np.concatenate((vocoder.push(tokens), vocoder.flush())))
    prompts = [shapes for name, shapes in recorded.calls if name == "flow_estimator" and shapes["x"][1] == 100]
    assert len(prompts) == flow_of(bundle).steps
    assert np.array_equal(*said)
    other = opened(prompted(60))
    assert not np.allclose(np.concatenate((other.push(tokens), other.flush())), said[0])


def test_pytorch_gives_the_same_mel(bundle: Bundle, backend: Backend, cosyvoice_directory: Path,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime's chunks and caches against one run of the PyTorch modules over all frames at once."""
    torch = pytest.importorskip("torch")
    from export.checkpoints.cosyvoice import acoustics

    heard: list[np.ndarray] = []
    push = MelVocoder.push
    monkeypatch.setattr(MelVocoder, "push", lambda self, mel, last=False: (heard.append(mel), push(self, mel, last))[1])
    voice, tokens = prompted(40), RNG.integers(0, 300, 50)
    spoken(bundle, backend, voice, [tokens[:20], tokens[20:]])
    state = acoustics.read_state(cosyvoice_directory / "flow.pt")  # type: ignore[attr-defined]
    config = acoustics.read_flow_config(cosyvoice_directory, state)
    estimator = acoustics.flow_estimator(cosyvoice_directory, config, state)
    every = torch.from_numpy(np.concatenate((voice.flow_tokens, tokens)))
    with torch.no_grad():
        mu, speaker = acoustics.flow_encoder(cosyvoice_directory, config, state)(
            torch.nn.functional.pad(every, (2, 3), value=-1)[None], torch.from_numpy(voice.speaker)[None])
        frames = mu.shape[1]
        x = acoustics.flow_noise(80)[None, :frames]
        cond = torch.zeros_like(x)
        cond[0, :80] = torch.from_numpy(voice.flow_mel)
        numbers = torch.arange(frames).expand(2, -1)
        empty = torch.zeros(0, config.layers, 2, config.heads, config.head_dim)
        times = 1 - torch.cos(torch.linspace(0, 1, 11) * 0.5 * torch.pi)
        for start, end in itertools.pairwise(times):
            both = [torch.cat((part, torch.zeros_like(part))) for part in (mu, cond, speaker)]
            velocity = estimator(x.expand(2, -1, -1), *both, start.expand(2), numbers.float(), numbers // 50,
                                 torch.zeros(2, 0, dtype=torch.int64), empty, empty, torch.zeros(2, 60, config.width))[0]
            x = x + (end - start) * (1.7 * velocity[:1] - 0.7 * velocity[1:])
    expected = x[0, 80:].numpy()
    assert np.abs(np.concatenate(heard) - expected).max() < 1e-4 * np.abs(expected).max()


def test_long_silences_are_shortened(bundle: Bundle, backend: Backend) -> None:
    silent = np.full(9, 28)
    samples = spoken(bundle, backend, prompted(0), [silent[:4], silent[4:], np.array([5, 6]), silent])
    assert sum(map(len, samples)) == (5 + 2 + 5) * SAMPLES_PER_TOKEN


def test_nothing_said_is_no_sound(bundle: Bundle, backend: Backend) -> None:
    assert sum(map(len, spoken(bundle, backend, prompted(40), [NONE]))) == 0


def test_foreign_voice(bundle: Bundle, backend: Backend) -> None:
    assert bundle.manifest.vocoder is not None
    voice = replace(prompted(0), speaker=np.zeros(7, np.float32))
    with pytest.raises(VoiceError, match="made"):
        vocoder_opener(bundle, bundle.manifest.vocoder, backend)(voice)


def test_broken_noise(bundle: Bundle, backend: Backend, tmp_path: Path) -> None:
    (tmp_path / "vocoder").mkdir()
    np.save(tmp_path / "vocoder" / "noise.npy", np.zeros((5, 3), np.float32))
    assert bundle.manifest.vocoder is not None
    with pytest.raises(BundleError, match="noise"):
        vocoder_opener(Bundle(tmp_path, bundle.manifest), bundle.manifest.vocoder, backend)


def test_vocoder_of_the_bundle(bundle: Bundle, backend: Backend) -> None:
    assert bundle.manifest.vocoder is not None
    assert isinstance(vocoder_opener(bundle, bundle.manifest.vocoder, backend)(prompted(0)), FlowVocoder)


def test_steps_are_chosen(bundle: Bundle, backend: Backend) -> None:
    """As many calls of the estimator as steps; other steps, other samples."""
    voice, tokens, said = prompted(0), RNG.integers(0, 300, 28), {}
    for steps in (None, 10, 4):
        recorded = Recorded(backend)
        said[steps] = np.concatenate(spoken(bundle.with_flow_steps(steps), recorded, voice, [tokens]))
        assert sum(name == "flow_estimator" for name, _ in recorded.calls) == 2 * (steps or 10)
    assert np.array_equal(said[None], said[10]) and not np.array_equal(said[10], said[4])


def test_a_synthesizer_takes_steps(cosyvoice_bundle: Path) -> None:
    with Synthesizer(cosyvoice_bundle, provider="cpu", threads=1, flow_steps=3) as synthesizer:
        assert flow_of(synthesizer.bundle).steps == 3


@pytest.mark.parametrize("steps", [0, 1001, True, 2.5])
def test_steps_that_there_are_not(bundle: Bundle, steps: Any) -> None:
    with pytest.raises(OptionError) as error:
        bundle.with_flow_steps(steps)
    sentence_of(error)


def test_a_bundle_without_a_flow_has_no_steps(tiny: Path) -> None:
    with pytest.raises(OptionError, match="no flow"):
        Bundle.open(tiny).with_flow_steps(5)
