"""LoRA adapters in the peft format: `adapter_config.json` and `adapter_model.safetensors`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from torch import Tensor, nn

from export.checkpoints.tensors import assign, read_tensors, write_tensors
from export.model.lora import LoRALinear, adapt
from runtime.atomic import write_file
from runtime.errors import CheckpointError

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PREFIX = "base_model.model."


class AdapterConfig(msgspec.Struct, frozen=True):
    """The part of peft's `adapter_config.json` that decides the arithmetic; its many other fields are ignored."""

    r: int
    lora_alpha: int
    target_modules: list[str]
    peft_type: Literal["LORA"] = "LORA"
    bias: Literal["none"] = "none"
    use_rslora: bool = False
    use_dora: bool = False
    fan_in_fan_out: bool = False
    lora_dropout: float = 0.0
    base_model_name_or_path: str | None = None
    task_type: str | None = None
    inference_mode: bool = True


def adapted(module: nn.Module) -> dict[str, LoRALinear]:
    """Every adapted linear map of `module`, by path."""
    return {path: child for path, child in module.named_modules() if isinstance(child, LoRALinear)}


def save_adapters(directory: Path, module: nn.Module) -> None:
    """Write the adapters inside `module`; paths in the file are those in `module`.

    Raises:
        CheckpointError: nothing in `module` is adapted, or not all adapters share rank and scale.
    """
    maps = adapted(module)
    sizes = {(layer.lora_A.out_features, layer.scale) for layer in maps.values()}
    if len(sizes) != 1:
        raise CheckpointError(f"Adapters of one rank and scale are needed, found {len(sizes)} kinds: call adapt() once.")
    (rank, scale), = sizes
    targets = sorted({path.rpartition(".")[2] for path in maps})
    config = AdapterConfig(rank, round(scale * rank), targets)
    write_file(directory / CONFIG, msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n")
    state = {f"{PREFIX}{path}.{part}.weight": getattr(layer, part).weight
             for path, layer in maps.items() for part in ("lora_A", "lora_B")}
    write_tensors(directory / WEIGHTS, state, half=True)


def load_adapters(directory: Path, module: nn.Module) -> None:
    """Give `module` the adapters of `directory`, unmerged.

    Raises:
        CheckpointError: the files are missing or corrupt, use a variant of LoRA this toolkit does not merge, or do not fit.
    """
    config = read_adapter_config(directory)
    adapt(module, tuple(config.target_modules), config.r, config.lora_alpha)
    maps = adapted(module)
    state = read_tensors(directory / WEIGHTS)
    slots: dict[str, Tensor] = {f"{PREFIX}{path}.{part}.weight": getattr(layer, part).weight
                                for path, layer in maps.items() for part in ("lora_A", "lora_B")}
    assign(slots, state, directory / WEIGHTS)


def read_adapter_config(directory: Path) -> AdapterConfig:
    """Parse and check `adapter_config.json`."""
    path = directory / CONFIG
    try:
        config = msgspec.json.decode(path.read_bytes(), type=AdapterConfig)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: these are not adapters in the peft format.") from None
    except (OSError, msgspec.DecodeError) as error:
        raise CheckpointError(f"{path} cannot be read as a LoRA configuration of peft: {error}.") from error
    if config.use_rslora or config.use_dora or config.fan_in_fan_out:
        raise CheckpointError(f"{path} asks for rsLoRA, DoRA or fan_in_fan_out; only plain LoRA can be merged.")
    if config.r < 1:
        raise CheckpointError(f"{path}: rank {config.r} is not positive.")
    return config
