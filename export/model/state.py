"""The state that a streaming module carries from call to call: one flat vector, read and written piece by piece."""

from __future__ import annotations

import torch
from torch import Tensor


class StateReader:
    """Hands out pieces of a flat state [B, Z] in order, and collects their successors."""

    def __init__(self, state: Tensor) -> None:
        self._state = state
        self._place = 0
        self._next: list[Tensor] = []

    def extend(self, x: Tensor, frames: int) -> Tensor:
        """`frames` earlier frames put before x [B, T, C]; the last `frames` of the result are kept for the next call."""
        batch, _, width = x.shape
        before = self._state[:, self._place:self._place + frames * width].reshape(batch, frames, width)
        self._place += frames * width
        joined = torch.cat((before.to(x.dtype), x), 1)
        self._next.append(joined[:, -frames:].reshape(batch, frames * width).float())
        return joined

    def take(self, width: int) -> Tensor:
        """The next `width` values of the state, [B, width]; `put` their successors before anything else is read."""
        values = self._state[:, self._place:self._place + width]
        self._place += width
        return values

    def put(self, values: Tensor) -> None:
        """The successors, [B, width], of what was taken."""
        self._next.append(values)

    def next_state(self) -> Tensor:
        """[B, Z] for the next call."""
        return torch.cat(self._next, 1)
