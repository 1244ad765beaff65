"""safetensors files in and out of modules, with every misfit named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from runtime.atomic import write_file
from runtime.errors import CheckpointError

NAMED = 4
"""How many keys an error message lists."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor], half: bool) -> None:
    """Write floating tensors as float16 (`half`) or float32, atomically.

    Raises:
        CheckpointError: a value is not finite, or becomes infinite in float16.
        OutputError: unwritable place, full disk.
    """
    dtype = torch.float16 if half else torch.float32
    stored = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in tensors.items()}
    for name, tensor in stored.items():
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{name} holds values that {str(dtype).removeprefix('torch.')} cannot; not saved.")
    write_file(path, save(stored))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file.

    Raises:
        CheckpointError: missing, truncated or not safetensors.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} is missing: the checkpoint is incomplete.")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is corrupt or not a safetensors file: {error}.") from error


def check_keys(slots: Mapping[str, Tensor], tensors: Mapping[str, Tensor], source: Path) -> None:
    """Raise CheckpointError, naming them, where keys are missing or unexpected."""
    for word, odd in (("lacks", slots.keys() - tensors.keys()), ("has unexpected", tensors.keys() - slots.keys())):
        if odd:
            more = f" and {len(odd) - NAMED} more" if len(odd) > NAMED else ""
            raise CheckpointError(f"{source} {word} {', '.join(sorted(odd)[:NAMED])}{more}.")


def assign(slots: Mapping[str, Tensor], tensors: Mapping[str, Tensor], source: Path) -> None:
    """Copy `tensors` into the parameters `slots`, key by key.

    Raises:
        CheckpointError: missing or unexpected keys, wrong shapes, values that are not finite.
    """
    check_keys(slots, tensors, source)
    for name, slot in slots.items():
        tensor = tensors[name]
        if tensor.shape != slot.shape:
            raise CheckpointError(f"{source}: {name} is {list(tensor.shape)}, config.json asks for {list(slot.shape)}.")
        if not tensor.is_floating_point() or not torch.isfinite(tensor).all():
            raise CheckpointError(f"{source}: {name} does not hold finite floating-point numbers.")
        with torch.no_grad():
            slot.copy_(tensor)
