"""What batches gain: every way makes the same texts, and one that makes others is seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import batching
from benchmarks.batching import Variant, main, measure, ways
from runtime import Audio
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT

TEXTS = [TEXT, "Hello world.", "Move left!"]


def test_ways() -> None:
    assert [way.name for way in ways((1, 4))] == ["one by one", "batch 1", "batch 4", "batch 1, exact=False",
                                                  "batch 4, exact=False"]


def test_exact_ways_make_the_same(synthesizer: Synthesizer) -> None:
    rows = measure(synthesizer, TEXTS, ways((1, 2)), 2)
    assert all(len(row.speeds) == 2 and row.speed > 0 for row in rows)
    assert [row.different for row in rows[:3]] == [0, 0, 0]


def test_other_samples_are_counted(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    real = batching.make

    def spoiled(made_by: Synthesizer, texts: list[str], way: Variant) -> list[Audio]:
        audios = real(made_by, texts, way)
        return audios if way.batch is None else [Audio(np.append(audios[0].samples, 0), 1, audios[0].stats), *audios[1:]]

    monkeypatch.setattr(batching, "make", spoiled)
    assert [row.different for row in measure(synthesizer, TEXTS, [Variant(None), Variant(2)], 1)] == [0, 1]


def test_command(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    arguments = ["--bundle", str(tiny), "--batch", "2", "--sentences", "2", "--rounds", "1", "--json", str(path)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert [row["name"] for row in json.loads(path.read_text())["rows"]] == ["one by one", "batch 2", "batch 2, exact=False"]
