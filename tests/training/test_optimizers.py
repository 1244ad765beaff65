"""The optimisers of the language models."""

import pytest
import torch
from torch import nn

from training import optimizers
from training.optimizers import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 24), (24, 8), (16, 16)])
def test_orthogonal_pushes_singular_values_to_about_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix, (3.4445, -4.7750, 2.0315), 5))
    assert values.min() > 0.3 and values.max() < 1.3


@pytest.mark.parametrize("fast", [True, False])
def test_updates_are_those_of_pytorch(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    """In float32, where bfloat16 would be emulated, up to bfloat16's own rounding; the states are interchangeable."""
    monkeypatch.setattr(optimizers, "has_bfloat16", lambda _: fast)
    torch.manual_seed(0)
    ours = [nn.Parameter(torch.randn(12, 30)), nn.Parameter(torch.randn(30, 12)), nn.Parameter(torch.randn(4, 4))]
    theirs = [nn.Parameter(each.detach().clone()) for each in ours]
    pair = Muon(ours, 0.02, 0.05), torch.optim.Muon(theirs, 0.02, 0.05, adjust_lr_fn="match_rms_adamw")
    for _ in range(4):
        for mine, other in zip(ours[:2], theirs[:2], strict=True):  # the third has no gradient
            mine.grad = torch.randn_like(mine)
            other.grad = mine.grad.clone()
        before = [each.detach().clone() for each in theirs[:2]]
        for optimizer in pair:
            optimizer.step()  # type: ignore[no-untyped-call]
        for mine, other, was in zip(ours, theirs, before, strict=False):
            moved = (other - was).norm()
            assert moved > 0 and (mine - other).norm() < (1e-6 if fast else 0.05) * moved
            mine.data.copy_(other.data)
    torch.testing.assert_close(ours[2], theirs[2])
    pair[0].load_state_dict(pair[1].state_dict())
