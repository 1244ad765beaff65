"""Weights as whole numbers of 8 or 4 bits: blocks along a column share a scale, which in INT4 is searched for."""

from __future__ import annotations

import numpy as np

BLOCKS = (128, 64)
"""Sizes of a block, the first that divides a column into whole ones. A scale is read as well, and ends a kernel's run of
integer products: on a CPU blocks of 32 take a third more time in INT4."""
CLIP_RATIOS: dict[int, tuple[float, ...]] = {8: (), 4: (0.95, 0.9, 0.85, 0.8, 0.75, 0.7)}
"""Shares of a block's largest magnitude at which its range may end instead. In INT8 nothing is gained by it."""


def block_size_of(rows: int) -> int | None:
    """Weights of a column of `rows` that share a scale; None where no size of BLOCKS divides it."""
    return next((size for size in BLOCKS if rows % size == 0), None)


def round_blocks(blocks: np.ndarray, bits: int, signed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Round blocks float32 [..., b] to the nearest multiples of a scale each.

    Args:
        blocks: weights.
        bits: 8 or 4: codes go from -2^(bits - 1) to 2^(bits - 1) - 1.
        signed: whether scales may be negative. Then the value of the largest magnitude goes to the lower end of the range,
            which the upper one lacks; else it goes to the upper end or its negative.

    Returns:
        Scales float32 [..., 1], the whole range or those of CLIP_RATIOS that err less, and codes int8 [..., b].
    """
    middle = 1 << (bits - 1)
    if signed:
        whole = np.take_along_axis(blocks, np.abs(blocks).argmax(-1, keepdims=True), -1) / -middle
    else:
        whole = np.abs(blocks).max(-1, keepdims=True) / (middle - 1)
    scales, (codes, errors) = whole, _by(blocks, whole, middle)
    for cut in CLIP_RATIOS[bits]:
        tried = whole * np.float32(cut)
        found, error = _by(blocks, tried, middle)
        better = error < errors
        scales, codes, errors = (np.where(better, *pair) for pair in ((tried, scales), (found, codes), (error, errors)))
    return scales, codes


def _by(blocks: np.ndarray, scales: np.ndarray, middle: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes by these scales, and the squared error of each block [..., 1]."""
    steps = np.clip(np.rint(blocks / np.where(scales == 0, 1, scales)), -middle, middle - 1)
    return steps.astype(np.int8), np.square(steps * scales - blocks).sum(-1, keepdims=True)
