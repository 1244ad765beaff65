"""Contents of a CosyVoice3 model directory, and errors for directories that are not one.

    cosyvoice3.yaml                  hyperpyyaml; read as plain data, nothing in it is run
    llm.pt, flow.pt, hift.pt         state dicts
    CosyVoice-BlankEN/               Qwen2's config.json and tokenizer
    campplus.onnx                    speaker encoder
    speech_tokenizer_v3.onnx         speech to codec tokens
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from export.checkpoints.names import COSYVOICE3, OTHER_VERSIONS
from runtime.errors import CheckpointError

SETTINGS, LLM, FLOW, HIFT = COSYVOICE3, "llm.pt", "flow.pt", "hift.pt"
QWEN, QWEN_CONFIG = "CosyVoice-BlankEN", "CosyVoice-BlankEN/config.json"
SPEAKER_ENCODER, SPEECH_TOKENIZER = "campplus.onnx", "speech_tokenizer_v3.onnx"
NEEDED = (SETTINGS, LLM, FLOW, HIFT, QWEN_CONFIG, SPEAKER_ENCODER, SPEECH_TOKENIZER)


class QwenConfig(msgspec.Struct, frozen=True):
    """The part of Qwen2's `config.json` that the weights do not tell."""

    num_attention_heads: int
    hidden_size: int
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6


def check_directory(directory: Path, llm: str | None = None) -> Path:
    """Return the path of the language model, `llm` or `llm.pt`, once every file of a CosyVoice3 directory is there.

    Raises:
        CheckpointError: another version, or files are missing.
    """
    if not directory.is_dir():
        raise CheckpointError(f"There is no directory {directory}; name the folder that Fun-CosyVoice3-0.5B was downloaded to.")
    if not (directory / SETTINGS).is_file():
        for name, version in OTHER_VERSIONS.items():
            if (directory / name).is_file():
                raise CheckpointError(f"{directory} holds {version} ({name}); only CosyVoice3 can be exported, such as "
                                      "Fun-CosyVoice3-0.5B.")
    needed = [llm if name == LLM and llm is not None else name for name in NEEDED]
    missing = [name for name in needed if not (directory / name).is_file()]
    if missing:
        raise CheckpointError(f"{directory} is not a complete CosyVoice3 directory: {', '.join(missing)} "
                              f"{'is' if len(missing) == 1 else 'are'} missing; download it again.")
    return directory / (llm or LLM)


def read_qwen_config(directory: Path) -> QwenConfig:
    """Qwen2's configuration. Raises CheckpointError."""
    path = directory / QWEN_CONFIG
    try:
        return msgspec.json.decode(path.read_bytes(), type=QwenConfig)
    except (OSError, msgspec.DecodeError) as error:
        raise CheckpointError(f"{path} cannot be read as Qwen2's configuration: {error}.") from error
