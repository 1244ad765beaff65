"""Digit rows fold away without a trace."""

import torch
from torch import nn

from training.language_model.structured import flatten, structure


def test_flattened_weights_compute_the_same_under_the_same_names() -> None:
    torch.manual_seed(0)
    model = nn.ModuleDict({"table": nn.Embedding(6564, 16), "head": nn.Linear(16, 6564, bias=False)})
    plain = set(model.state_dict())
    for module in model.values():
        structure(module, scale=0.5)  # type: ignore[arg-type]
    codes = torch.tensor([0, 17, 6560, 6563])
    before = model["head"](model["table"](codes))
    flatten(model)
    assert set(model.state_dict()) == plain
    torch.testing.assert_close(model["head"](model["table"](codes)), before)


def test_codes_that_share_digits_share_gradients() -> None:
    table = nn.Embedding(6564, 4)
    structure(table)
    table(torch.tensor([0])).sum().backward()
    rows = table.parametrizations.weight[0].rows.grad  # type: ignore[union-attr,index]
    assert int((rows.abs().sum(1) > 0).sum()) == 8
