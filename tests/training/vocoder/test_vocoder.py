"""Crops line up: what the vocoder is asked to say is what lies at the crop's place."""

from pathlib import Path

import numpy as np
import torch

from export.model.config import EMBEDDED_VOCODER
from export.model.encoders import CodecEncoder
from export.model.vocoder import StreamingVocoder
from training.codec.mel import MelSpectrogram
from training.codec.recogniser import MelRecogniser
from training.data.shards import write_shard
from training.vocoder.crops import CROP, SETTLE, Recording, Sketch, draw_recordings, draw_sketches, load_sketches
from training.vocoder.vocoder import EDGE, SpectralLoss, pitch_loss, train_vocoder, voice_crops


def _recording(tokens: int) -> Recording:
    # Every sample and every pitch frame says where it is.
    codes = torch.arange(tokens)
    return Recording((codes, codes), torch.arange(tokens * 960).float(), torch.arange(tokens * 4).float(), torch.ones(64))


def _sketch(tokens: int) -> Sketch:
    frames = torch.arange(tokens * 4).half()
    return Sketch(torch.arange(tokens), frames[:, None].expand(-1, 80), frames.float(), torch.ones(64))


def test_samples_and_pitch_belong_to_the_codes() -> None:
    crops = draw_recordings([_recording(60)], 8, EMBEDDED_VOCODER, np.random.default_rng(0))
    first = crops.codes[:, 0]
    assert crops.codes.shape == (8, CROP)
    assert torch.equal(crops.target[:, 0], (first + SETTLE).float() * 960)
    assert torch.equal(crops.pitch[:, 0], first.float() * 4 + 1)
    assert int(crops.target.max()) < 60 * 960


def test_a_sketchs_mels_and_pitch_belong_to_its_codes() -> None:
    crops = draw_sketches([_sketch(60)], 8, EMBEDDED_VOCODER, np.random.default_rng(0))
    first = crops.codes[:, 0]
    assert torch.equal(crops.target[:, 0, 0], (first + SETTLE).float() * 4)
    assert torch.equal(crops.pitch[:, 0], first.float() * 4 + 1)


def test_the_voice_of_a_sketch_is_as_long_as_its_mels() -> None:
    crops = draw_sketches([_sketch(40)], 2, EMBEDDED_VOCODER, np.random.default_rng(0))
    samples, _ = voice_crops(StreamingVocoder(EMBEDDED_VOCODER, 64), *crops[:3])
    assert MelSpectrogram()(samples).shape == crops.target.shape
    assert crops.target.shape[1] > 2 * EDGE


def test_crops_give_as_many_samples_and_frames_as_they_ask_for() -> None:
    crops = draw_recordings([_recording(40)], 2, EMBEDDED_VOCODER, np.random.default_rng(0))
    samples, pitch = voice_crops(StreamingVocoder(EMBEDDED_VOCODER, 64), *crops[:3])
    assert samples.shape == crops.target.shape
    assert pitch.shape == crops.pitch.shape
    assert bool((pitch >= 50).all()) and bool((pitch <= 400).all())


def test_losses_are_zero_for_the_truth_only() -> None:
    torch.manual_seed(0)
    samples, pitch = torch.randn(1, 9600), torch.tensor([[100.0, 0.0, 200.0]])
    loss = SpectralLoss()
    assert float(loss(samples, samples)) == 0 and float(loss(samples, samples * 0.5)) > 0.5
    assert float(pitch_loss(pitch.clamp(min=50), pitch)) == 0
    assert float(pitch_loss(torch.tensor([[200.0, 300.0, 200.0]]), pitch)) > 0.3


def test_sketches_are_read_with_their_codes_and_pitch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    encoder = CodecEncoder(EMBEDDED_VOCODER).eval()
    generator = np.random.default_rng(0)
    one, short = ({"mels": generator.normal(size=(tokens * 4, 80)).astype(np.float16),
                   "pitch": np.linspace(100, 200, tokens * 4 * 80 // 100).astype(np.float16)} for tokens in (CROP + 6, CROP))
    write_shard(tmp_path / "voice-000000.safetensors", [one, one, short],
                [{"split": split, "voice": "somebody"} for split in ("train", "test", "train")])
    (sketch,) = load_sketches(tmp_path, encoder, {"somebody": torch.ones(64)})
    with torch.inference_mode():
        assert torch.equal(sketch.codes, encoder.codes(sketch.mels[None].float())[0])
    assert np.array_equal(sketch.mels.numpy(), one["mels"])
    assert len(sketch.pitch) == len(sketch.mels) == 4 * len(sketch.codes)
    assert abs(float(sketch.pitch[len(sketch.pitch) // 2]) - 150) < 1


def test_a_row_without_samples_teaches_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    start, listener = StreamingVocoder(EMBEDDED_VOCODER, 64), MelRecogniser()
    codes, pitch = torch.arange(40), torch.full((160,), 120.0)
    quiet = Recording((codes, codes), 0.01 * torch.randn(40 * 960), pitch, torch.ones(64))
    levels = []
    for level in (-6.0, 6.0):
        sketch = Sketch(codes, torch.full((160, 80), level).half(), pitch, quiet.speaker)
        folder = tmp_path / str(level)
        train_vocoder([quiet], [sketch], start.trunk.state_dict(), listener, folder, EMBEDDED_VOCODER, 32, batch=2)
        taught = StreamingVocoder(EMBEDDED_VOCODER, 64)
        taught.load_state_dict(torch.load(folder / "state.pt", weights_only=True)["vocoder"])
        with torch.inference_mode():
            levels.append(float(MelSpectrogram()(taught.utterance(codes[None], sketch.speaker[None])).mean()))
    assert levels[1] > levels[0] + 0.002, levels
