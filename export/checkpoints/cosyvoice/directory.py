"""What is in a CosyVoice3 model directory, and clear words for directories that are not one.

    cosyvoice3.yaml                  hyperpyyaml; read as plain data, nothing in it is run
    llm.pt, flow.pt, hift.pt         state dicts
    CosyVoice-BlankEN/               Qwen2's config.json and tokenizer
    campplus.onnx                    speaker encoder
    speech_tokenizer_v3.onnx         speech to codec tokens
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from runtime.errors import CheckpointError

SETTINGS, LLM, FLOW, HIFT = "cosyvoice3.yaml", "llm.pt", "flow.pt", "hift.pt"
QWEN, QWEN_CONFIG = "CosyVoice-BlankEN", "CosyVoice-BlankEN/config.json"
SPEAKER_ENCODER, SPEECH_TOKENIZER = "campplus.onnx", "speech_tokenizer_v3.onnx"
NEEDED = (SETTINGS, LLM, FLOW, HIFT, QWEN_CONFIG, SPEAKER_ENCODER, SPEECH_TOKENIZER)
OTHER_VERSIONS = {"cosyvoice2.yaml": "CosyVoice2", "cosyvoice.yaml": "CosyVoice 1"}


class QwenConfig(msgspec.Struct, frozen=True):
    """The part of Qwen2's `config.json` that the weights do not tell."""

    num_attention_heads: int
    hidden_size: int
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6


def is_cosyvoice(directory: Path) -> bool:
    """Whether this is meant to be a CosyVoice directory of any version."""
    return any((directory / name).is_file() for name in (SETTINGS, *OTHER_VERSIONS))


def check_directory(directory: Path) -> None:
    """Raise CheckpointError unless every file of a CosyVoice3 directory is there."""
    if not directory.is_dir():
        raise CheckpointError(f"There is no directory {directory}; name the folder that Fun-CosyVoice3-0.5B was downloaded to.")
    if not (directory / SETTINGS).is_file():
        for name, version in OTHER_VERSIONS.items():
            if (directory / name).is_file():
                raise CheckpointError(f"{directory} holds {version} ({name}); only CosyVoice3 can be exported, such as "
                                      "Fun-CosyVoice3-0.5B.")
    missing = [name for name in NEEDED if not (directory / name).is_file()]
    if missing:
        raise CheckpointError(f"{directory} is no complete CosyVoice3 directory: {', '.join(missing)} "
                              f"{'is' if len(missing) == 1 else 'are'} missing; download it again.")


def read_qwen_config(directory: Path) -> QwenConfig:
    """Qwen2's configuration. Raises CheckpointError."""
    path = directory / QWEN_CONFIG
    try:
        return msgspec.json.decode(path.read_bytes(), type=QwenConfig)
    except (OSError, msgspec.DecodeError) as error:
        raise CheckpointError(f"{path} cannot be read as Qwen2's configuration: {error}.") from error
