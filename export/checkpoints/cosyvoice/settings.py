"""`cosyvoice3.yaml` as plain data. It is hyperpyyaml, whose tags build and call Python objects; here none is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from runtime.errors import CheckpointError

_REFERENCE = re.compile(r"<(\w+)>")


class FlowSettings(msgspec.Struct, frozen=True):
    """Settings of `flow` beyond its weights."""

    frames_per_token: int
    guidance: float


class HiftSettings(msgspec.Struct, frozen=True):
    """Settings of `hift` beyond its weights; field names are the file's."""

    upsample_rates: tuple[int, ...]
    upsample_kernel_sizes: tuple[int, ...]
    resblock_kernel_sizes: tuple[int, ...]
    resblock_dilation_sizes: tuple[tuple[int, ...], ...]
    source_resblock_kernel_sizes: tuple[int, ...]
    source_resblock_dilation_sizes: tuple[tuple[int, ...], ...]
    istft_params: dict[str, int]
    nb_harmonics: int = 8
    nsf_alpha: float = 0.1
    nsf_sigma: float = 0.003
    nsf_voiced_threshold: float = 10.0
    lrelu_slope: float = 0.1
    audio_limit: float = 0.99


class Repetition(msgspec.Struct, frozen=True):
    """Repetition-aware sampling."""

    top_p: float
    top_k: int
    win_size: int
    tau_r: float


class Settings(msgspec.Struct, frozen=True):
    """The parts of the file that are used."""

    sample_rate: int
    token_frame_rate: float
    chunk_size: int
    speech_token_size: int
    sampling: Repetition
    flow: FlowSettings
    hift: HiftSettings


def read_settings(path: Path) -> Settings:
    """Raises CheckpointError where the file is missing, no YAML, or lacks what is needed."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # a safe loader, tags read as data
        if not isinstance(data, dict):
            raise TypeError("it is no mapping")
        flow, llm = data["flow"], data["llm"]
        found = {
            **{name: data[name] for name in ("sample_rate", "token_frame_rate", "chunk_size", "hift")},
            "speech_token_size": llm["speech_token_size"], "sampling": llm["sampling"],
            "flow": {"frames_per_token": flow["token_mel_ratio"],
                     "guidance": flow["decoder"]["cfm_params"]["content"]["inference_cfg_rate"]},
        }
        return msgspec.convert(_resolved(found, data), Settings)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: the checkpoint is incomplete.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, msgspec.ValidationError) as error:
        said = " ".join(str(error).split())
        raise CheckpointError(f"{path} is not the configuration of CosyVoice3: {said[:200]}.") from error


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # untyped
    """Plain data only; what a tag would build is its arguments."""


def _untagged(loader: _Loader, suffix: str, node: yaml.Node) -> object:
    del suffix
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Loader.add_multi_constructor("!", _untagged)


def _resolved(value: Any, top: dict[str, Any]) -> Any:
    """`value` with each `<name>` that is alone replaced by the file's entry of that name."""
    if isinstance(value, dict):
        return {key: _resolved(item, top) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, top) for item in value]
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return top[match[1]] if match else value
