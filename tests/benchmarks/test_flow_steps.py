"""Steps of the flow on a small model: more steps come nearer, and the command says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.flow_steps import main
from runtime.errors import OptionError


def test_more_steps_come_nearer(cosyvoice_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    arguments = ["--bundle", str(cosyvoice_bundle), "--repeats", "1", "--threads", "1", "--json", str(path)]
    done = CliRunner().invoke(main, [*arguments, "--steps", "4", "--steps", "16", "--steps", "64"])
    assert done.exit_code == 0, done.output
    rows = {row["steps"]: row for row in json.loads(path.read_text())}
    assert rows[4]["error"] > rows[16]["error"] > rows[64]["error"] == 0
    assert rows[16]["cache_bytes"] == 4 * rows[4]["cache_bytes"] > 0


def test_a_bundle_without_a_flow_is_refused(tiny: Path) -> None:
    with pytest.raises(OptionError, match="no flow"):
        CliRunner().invoke(main, ["--bundle", str(tiny)], catch_exceptions=False)
