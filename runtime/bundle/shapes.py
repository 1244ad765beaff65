"""Shapes against the contract: solves and fills in the axes of `runtime.bundle.contract`, such as `15+4*patches`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from .contract import Axis, Tensor

_AXIS = re.compile(r"(?:(\d+)\+)?(?:(\d+)\*)?([a-z]+)(?:\+(\d+))?")


def symbol_of(axis: Axis) -> str | None:
    """Name of the dynamic size in an axis, None for a fixed one."""
    return None if isinstance(axis, int) else _parse(axis)[2]


def bind(tensor: Tensor, shape: Sequence[int], symbols: dict[str, int]) -> str | None:
    """Hold `shape` against the axes of `tensor`, and note what the dynamic sizes are in `symbols`.

    Returns what is wrong, None if nothing is.
    """
    if len(shape) != len(tensor.axes):
        return f"{tensor.name} has {len(shape)} axes {tuple(shape)}, expected {tensor.axes}"
    for axis, size in zip(tensor.axes, shape, strict=True):
        if not _bind_axis(axis, size, symbols):
            return f"{tensor.name} has shape {tuple(shape)}, expected {tensor.axes} with {symbols}"
    return None


def resolve(tensor: Tensor, symbols: dict[str, int]) -> tuple[int, ...]:
    """Shape of `tensor` once every dynamic size is known; KeyError if one is not."""
    return tuple(_size(axis, symbols) for axis in tensor.axes)


def _bind_axis(axis: Axis, size: int, symbols: dict[str, int]) -> bool:
    if isinstance(axis, int):
        return size == axis
    offset, factor, symbol = _parse(axis)
    if size < offset or (size - offset) % factor:
        return False
    return symbols.setdefault(symbol, (size - offset) // factor) == (size - offset) // factor


def _size(axis: Axis, symbols: dict[str, int]) -> int:
    if isinstance(axis, int):
        return axis
    offset, factor, symbol = _parse(axis)
    return offset + factor * symbols[symbol]


@lru_cache(maxsize=256)
def _parse(axis: str) -> tuple[int, int, str]:
    """`a+b*name+c` as (a + c, b, name)."""
    match = _AXIS.fullmatch(axis)
    if match is None:
        raise ValueError(f"axis {axis!r} is not of the form a+b*name+c")
    before, factor, symbol, after = match.groups()
    return int(before or 0) + int(after or 0), int(factor or 1), symbol
