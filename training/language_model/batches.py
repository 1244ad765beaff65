"""Batches of utterances of like length, filled to a number of positions; the same step always gets the same batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from training.data.token_file import TokenizedUtterance


class Batches:
    """Epochs of shuffled, length-bucketed batches. `patch` tokens count as one position."""

    def __init__(self, utterances: Sequence[TokenizedUtterance], positions: int, patch: int, seed: int) -> None:
        self._utterances = utterances
        self._lengths = np.array([len(u.ids) + 2 + -(-len(u.codes) // patch) for u in utterances])
        self._positions = positions
        self._seed = seed
        self._plans: dict[int, list[list[int]]] = {}
        self.per_epoch = len(self._plan(0))

    def __getitem__(self, step: int) -> list[TokenizedUtterance]:
        epoch, index = divmod(step, self.per_epoch)
        plan = self._plan(epoch)
        return [self._utterances[pick] for pick in plan[min(index, len(plan) - 1)]]

    def _plan(self, epoch: int) -> list[list[int]]:
        if epoch not in self._plans:
            rng = np.random.default_rng((self._seed, epoch))
            order = np.argsort(self._lengths * rng.uniform(0.9, 1.1, len(self._lengths)))
            plan: list[list[int]] = [[]]
            for pick in order:
                longest = max(int(self._lengths[other]) for other in (*plan[-1], pick))
                if plan[-1] and longest * (len(plan[-1]) + 1) > self._positions:
                    plan.append([])
                plan[-1].append(int(pick))
            rng.shuffle(plan)
            self._plans = {epoch: plan}
        return self._plans[epoch]


def moved(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Tensors of any lengths on a device, in one transfer."""
    return list(torch.split(torch.cat(list(tensors)).to(device), [len(each) for each in tensors]))


def corrupt(codes: Tensor, rate: float, levels: int, digits: int, generator: torch.Generator) -> Tensor:
    """Inputs for teacher forcing that look like a model's own: a share `rate` of the codes gets one digit redrawn."""
    hit = torch.rand(codes.shape, generator=generator) < rate
    place = levels ** torch.randint(digits, codes.shape, generator=generator)
    digit = torch.randint(levels, codes.shape, generator=generator)
    redrawn = codes + (digit - (codes // place) % levels) * place
    return torch.where(hit, redrawn, codes)
