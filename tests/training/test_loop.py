"""A run that was stopped ends exactly where an uninterrupted one ends."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from runtime.errors import OptionError
from training.loop import device_of, fit, warm_cosine


def _run(folder: Path, steps: int, stop_at: int | None = None) -> torch.Tensor:
    torch.manual_seed(0)
    model = nn.Linear(3, 3)
    optimizer = torch.optim.AdamW(model.parameters(), 0.1)

    def step(index: int) -> dict[str, float]:
        if index == stop_at:
            raise KeyboardInterrupt
        x = torch.randn(4, 3, generator=torch.Generator().manual_seed(index))
        loss = model(x).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {"loss": loss.item()}

    fit(folder, {"model": model, "optimizer": optimizer}, step, steps)
    return model.weight.detach()


def test_resuming_equals_running_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.loop.SAVE_SECONDS", -1.0)
    through = _run(tmp_path / "through", 12)
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "stopped", 12, stop_at=7)
    assert torch.equal(_run(tmp_path / "stopped", 12), through)
    assert (tmp_path / "stopped" / "log.jsonl").read_text().count('"step": 12') == 1


def test_the_last_line_of_the_log_is_a_mean_as_the_others(tmp_path: Path) -> None:
    fit(tmp_path, {}, lambda index: {"loss": 2.0}, 53)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["loss"]) for line in lines] == [(50, 2.0), (53, 2.0)]


def test_schedule_warms_up_and_ends_at_its_floor() -> None:
    factors = [warm_cosine(step, 100, 10, 0.1) for step in range(100)]
    assert factors[0] == 0.1 and factors[9] == 1.0
    assert factors[-1] == pytest.approx(0.1, abs=0.01) and max(factors) <= 1.0


def test_a_device_that_is_not_there_is_one_sentence() -> None:
    assert device_of("cpu") == torch.device("cpu")
    with pytest.raises(OptionError, match=r"cannot compute on 'abacus'.*--device cpu"):
        device_of("abacus")
