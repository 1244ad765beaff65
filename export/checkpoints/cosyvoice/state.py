"""State dicts out of `.pt` files: tensors only, mapped from the file instead of read, every misfit named."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from export.checkpoints.tensors import check_keys
from runtime.errors import CheckpointError

FOREIGN = ("global", "GLOBAL", "call reduce", "Can only create", "Can only build")
"""What PyTorch says of a pickle that wants to call something."""
GAIN, DIRECTION = ".parametrizations.weight.original0", ".parametrizations.weight.original1"


def read_state(path: Path) -> dict[str, Tensor]:
    """All tensors of a `.pt` file, unpickled without ever running what it holds.

    Raises:
        CheckpointError: missing, truncated, no state dict, or a pickle that holds more than tensors.
    """
    try:
        with warnings.catch_warnings():  # a foreign pickle earns a warning before its refusal
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing: the checkpoint is incomplete.") from None
    except pickle.UnpicklingError as error:
        if any(word in str(error) for word in FOREIGN):
            raise CheckpointError(f"{path} holds more than tensors, and loading it could run foreign code: refused; use the "
                                  "file from the model's own page.") from error
        raise CheckpointError(f"{path} is corrupt or no PyTorch file; download it again.") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is corrupt or no PyTorch file; download it again.") from error
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{path} is no state dict: it must map names to tensors.")
    return state


def part(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors below `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def shape_of(state: Mapping[str, Tensor], name: str, source: Path) -> tuple[int, ...]:
    """Shape of one tensor. Raises CheckpointError where it is not there."""
    if name not in state:
        raise CheckpointError(f"{source} lacks {name}: it is not the file of CosyVoice3 that its name says.")
    return tuple(state[name].shape)


def count_layers(state: Mapping[str, Tensor], prefix: str, source: Path) -> int:
    """Return the number of numbered modules below `prefix`."""
    numbers = {int(number) for name in state if name.startswith(prefix)
               if (number := name.removeprefix(prefix).split(".")[0]).isdigit()}
    if numbers != set(range(len(numbers))) or not numbers:
        raise CheckpointError(f"{source} has no unbroken row of layers {prefix}0, {prefix}1, ...; download it again.")
    return len(numbers)


def adopt(module: nn.Module, state: Mapping[str, Tensor], source: Path, named: Callable[[str], str] = str) -> None:
    """Make the tensors of `state` the parameters and buffers of `module`, without a copy where they are float32.

    `named` gives a key as the file has it, for the errors.

    Raises:
        CheckpointError: missing or unexpected keys, wrong shapes, values that are not finite.
    """
    slots = module.state_dict()
    check_keys({named(key): slot for key, slot in slots.items()}, {named(key): tensor for key, tensor in state.items()}, source)
    for name, tensor in state.items():
        if tensor.shape != slots[name].shape:
            wanted = list(slots[name].shape)
            raise CheckpointError(f"{source}: {named(name)} is {list(tensor.shape)}, the other weights ask for {wanted}.")
        if not tensor.is_floating_point() or not torch.isfinite(tensor).all():
            raise CheckpointError(f"{source}: {named(name)} does not hold finite floating-point numbers.")
    module.load_state_dict({name: tensor.float() for name, tensor in state.items()}, assign=True)


def without_weight_norm(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same with every weight norm (gain and direction) folded into one weight."""
    plain = {name: tensor for name, tensor in state.items() if not name.endswith((GAIN, DIRECTION))}
    for name, direction in state.items():
        stem = name.removesuffix(DIRECTION)
        if name.endswith(DIRECTION) and stem + GAIN in state:
            length = direction.float().flatten(1).norm(dim=1).reshape(-1, *[1] * (direction.dim() - 1))
            plain[f"{stem}.weight"] = state[stem + GAIN].float() * direction.float() / length
    return plain
