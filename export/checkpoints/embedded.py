"""A checkpoint directory: the token-level model, TLDR's parts at each patch size, vocoder, voices and text front end.

    config.json              ModelConfig of the token-level model (patch 1)
    backbone.safetensors     state dict of TokenLM
    patch-<k>/config.json    ModelConfig with patch k
    patch-<k>/adapter_*      LoRA of the backbone, peft format
    patch-<k>/tldr.safetensors   compressor.* and extractor.*
    vocoder.safetensors      state dict of the decoder that `config.json` names
    voices/<name>.npz        speaker float32 [Es]; optionally prompt_tokens int64 [T], prompt_text_ids int64 [S]
    text/                    lexicon.txt.gz, letters.npz
    encoder.safetensors      state dict of CodecEncoder; only training and cloning need it
    speaker_encoder.safetensors  state dict of SpeakerEncoder; with both, bundles can clone voices
    listener.safetensors     state dict of Listener; with it, bundles hear what they say
    voice.json               VoiceCard
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import torch
from torch import nn

from export.checkpoints.adapters import load_adapters, save_adapters
from export.checkpoints.tensors import assign, read_tensors, write_tensors
from export.model.config import ModelConfig, VocoderConfig
from export.model.encoders import CodecEncoder, SpeakerEncoder
from export.model.language_model import PatchLM, SpeechLM, TokenLM
from export.model.listener import Listener
from export.model.lora import merge
from export.model.vocoder import Vocoder, build_vocoder
from runtime.atomic import new_directory, write_file
from runtime.bundle.manifest import Pace, Sampling
from runtime.errors import CheckpointError

CONFIG, CARD = "config.json", "voice.json"
BACKBONE, TLDR, VOCODER = "backbone.safetensors", "tldr.safetensors", "vocoder.safetensors"
CODEC_ENCODER, SPEAKER_ENCODER = "encoder.safetensors", "speaker_encoder.safetensors"
LISTENER = "listener.safetensors"
VOICES, TEXT = "voices", "text"
T = TypeVar("T")
M = TypeVar("M", bound=nn.Module)


class VoiceCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`voice.json`: what the weights do not say."""

    default_voice: str
    licence: str
    max_text_ids: int = 400
    min_tokens_per_id: float = 0.5
    max_tokens_per_id: float = 6.0
    pace: Pace | None = None
    sampling: Sampling = Sampling()


def patch_directory(directory: Path, patch: int) -> Path:
    """Return the folder of one patch size."""
    return directory / f"patch-{patch}"


def patch_sizes(directory: Path) -> list[int]:
    """Patch sizes that the checkpoint was trained for, ascending; 1 is not among them."""
    found = (path.parent.name.removeprefix("patch-") for path in directory.glob(f"patch-*/{CONFIG}"))
    return sorted(int(name) for name in found if name.isdigit())


def save_token_model(directory: Path, model: TokenLM) -> None:
    """Write `config.json` and `backbone.safetensors` (float16).

    Raises:
        CheckpointError: the model is not at token level, or float16 cannot hold a weight.
        OutputError: unwritable place, full disk.
    """
    if model.config.patch != 1:
        raise CheckpointError(f"A token-level model has patch 1, not {model.config.patch}.")
    write_tensors(directory / BACKBONE, model.state_dict(), half=True)
    _write_json(directory / CONFIG, model.config)


def save_patch_model(directory: Path, model: PatchLM) -> None:
    """Write `patch-<k>/`: configuration, adapters, compressor and extractor (float16). The base weights are not written.

    Raises:
        CheckpointError: the backbone carries no adapters, or float16 cannot hold a weight.
        OutputError: unwritable place, full disk.
    """
    with new_directory(patch_directory(directory, model.config.patch)) as partial:
        save_adapters(partial, model.backbone)
        write_tensors(partial / TLDR, _own_parts(model).state_dict(), half=True)
        _write_json(partial / CONFIG, model.config)


def save_vocoder(directory: Path, vocoder: Vocoder) -> None:
    """Write `vocoder.safetensors` (float16)."""
    write_tensors(directory / VOCODER, vocoder.state_dict(), half=True)


def save_codec_encoder(directory: Path, encoder: CodecEncoder) -> None:
    """Write `encoder.safetensors` (float16): who has it can write more tokens of the same codec."""
    write_tensors(directory / CODEC_ENCODER, encoder.state_dict(), half=True)


def save_speaker_encoder(directory: Path, encoder: SpeakerEncoder) -> None:
    """Write `speaker_encoder.safetensors` (float16)."""
    write_tensors(directory / SPEAKER_ENCODER, encoder.state_dict(), half=True)


def save_listener(directory: Path, listener: Listener) -> None:
    """Write `listener.safetensors` (float16)."""
    write_tensors(directory / LISTENER, listener.state_dict(), half=True)


def can_clone(directory: Path) -> bool:
    """Return whether the checkpoint holds both encoders."""
    return all((directory / name).is_file() for name in (CODEC_ENCODER, SPEAKER_ENCODER))


def load_codec_encoder(directory: Path, config: VocoderConfig) -> CodecEncoder:
    """The codec's encoder, in evaluation mode. Raises CheckpointError."""
    return _filled(CodecEncoder(config), directory / CODEC_ENCODER)


def load_speaker_encoder(directory: Path, width: int) -> SpeakerEncoder:
    """The speaker encoder, in evaluation mode. Raises CheckpointError."""
    return _filled(SpeakerEncoder(width), directory / SPEAKER_ENCODER)


def load_listener(directory: Path, config: VocoderConfig) -> Listener:
    """The listener, in evaluation mode. Raises CheckpointError."""
    return _filled(Listener(config), directory / LISTENER)


def save_card(directory: Path, card: VoiceCard) -> None:
    """Write `voice.json`."""
    _write_json(directory / CARD, card)


def save_voice(directory: Path, name: str, speaker: np.ndarray, **prompt: np.ndarray) -> None:
    """Write `voices/<name>.npz`: speaker float32 [Es] and, for a cloned voice, prompt_tokens and prompt_text_ids."""
    arrays = {"speaker": speaker.astype(np.float32), **{key: ids.astype(np.int64) for key, ids in prompt.items()}}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # its keyword allow_pickle is among the names it takes
    write_file(directory / VOICES / f"{name}.npz", buffer.getvalue())


def load_config(directory: Path, patch: int = 1) -> ModelConfig:
    """The configuration at a patch size, 1 for the token-level model.

    Raises:
        CheckpointError: no checkpoint there, not trained for that patch size, or a configuration that does not parse.
    """
    path = directory / CONFIG
    if not path.is_file():
        raise CheckpointError(f"{directory} holds no checkpoint: {CONFIG} is missing.")
    return _config_at(path, 1) if patch == 1 else load_patch_config(directory, patch)


def load_patch_config(directory: Path, patch: int) -> ModelConfig:
    """The configuration in `patch-<k>/`. Raises CheckpointError."""
    path = patch_directory(directory, patch) / CONFIG
    if not path.is_file():
        there = ", ".join(map(str, patch_sizes(directory))) or "none"
        raise CheckpointError(f"{directory} has no weights for patch size {patch}; trained sizes: {there}.")
    return _config_at(path, patch)


def _config_at(path: Path, patch: int) -> ModelConfig:
    config = _read_json(path, ModelConfig)
    if config.patch != patch:
        raise CheckpointError(f"{path} says patch {config.patch}, its place says {patch}.")
    return config


def load_token_model(directory: Path) -> TokenLM:
    """The token-level baseline, float32, in evaluation mode. Raises CheckpointError."""
    return _filled(TokenLM(load_config(directory)), directory / BACKBONE)


def load_patch_model(directory: Path, patch: int) -> PatchLM:
    """TLDR at a patch size with its adapters merged, float32, in evaluation mode. Raises CheckpointError."""
    config, base = load_config(directory, patch), load_config(directory)
    if (config.backbone, config.vocabulary) != (base.backbone, base.vocabulary):
        raise CheckpointError(f"{patch_directory(directory, patch)} belongs to a backbone of other sizes than {CONFIG} has.")
    model = PatchLM(config)
    _load_base(directory, model)
    load_patch_parts(directory, model)
    merge(model.backbone)
    return model.eval().requires_grad_(False)


def load_patch_parts(directory: Path, model: PatchLM, patch: int | None = None) -> None:
    """Fill what TLDR adds to the backbone: compressor, extractor and adapters, the last unmerged. No weight has the size of a
    patch, so that those trained for another `patch` fit too, to continue training. Raises CheckpointError."""
    path, own = patch_directory(directory, patch or model.config.patch) / TLDR, _own_parts(model)
    if any(parameter.is_meta for parameter in own.parameters()):
        own.to_empty(device="cpu")
    assign(own.state_dict(), read_tensors(path), path)
    load_adapters(path.parent, model.backbone)


def load_vocoder(directory: Path) -> Vocoder:
    """The embedded family's vocoder, float32, in evaluation mode. Raises CheckpointError."""
    config = load_config(directory)
    if config.vocoder is None:
        raise CheckpointError(f"{directory / CONFIG} describes no vocoder.")
    return _filled(build_vocoder(config.vocoder, config.speaker), directory / VOCODER)


def load_card(directory: Path) -> VoiceCard:
    """`voice.json`. Raises CheckpointError."""
    return _read_json(directory / CARD, VoiceCard)


def load_speaker(path: Path, width: int) -> torch.Tensor:
    """Speaker embedding float32 [Es] of a voice file. Raises CheckpointError."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            speaker = np.asarray(arrays["speaker"], np.float32)
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is not a voice file: {error}.") from error
    if speaker.shape != (width,) or not np.isfinite(speaker).all():
        raise CheckpointError(f"{path}: speaker is {list(speaker.shape)}, the model asks for {[width]}, finite.")
    return torch.from_numpy(speaker)


def _filled(module: M, path: Path) -> M:
    """The module with the weights at `path`, float32, in evaluation mode."""
    assign(module.state_dict(), read_tensors(path), path)
    return module.eval().requires_grad_(False)


def _load_base(directory: Path, model: SpeechLM) -> None:
    """Fill the parts that every patch size shares; the token-level head in the file is read over."""
    tensors = read_tensors(directory / BACKBONE)
    tensors.pop("head.weight", None)
    parts = ("text_embedding.", "speech_embedding.", "backbone.")
    slots = {name: slot for name, slot in model.state_dict().items() if name.startswith(parts)}
    assign(slots, tensors, directory / BACKBONE)


def _own_parts(model: PatchLM) -> nn.Module:
    """Return the weights that TLDR adds to the backbone, under the names in `tldr.safetensors`."""
    return nn.ModuleDict({"compressor": model.compressor, "extractor": model.extractor})


def _write_json(path: Path, value: msgspec.Struct) -> None:
    write_file(path, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def _read_json(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: the checkpoint is incomplete.") from None
    except (OSError, msgspec.DecodeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}.") from error
