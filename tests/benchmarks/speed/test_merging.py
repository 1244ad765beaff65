"""Runs put together."""

from __future__ import annotations

from msgspec.structs import replace

from benchmarks.speed.figures import BatchFigures, PeerFigures, Report
from benchmarks.speed.merging import merged
from tests.benchmarks.reports import MACHINE, report, spread


def other_length(seconds: float, **changes: object) -> Report:
    made = report(slower=2.0)
    systems = tuple(replace(one, durations=tuple(replace(row, seconds=seconds) for row in one.durations), **changes)  # type: ignore[arg-type]
                    for one in made.systems)
    return replace(made, systems=systems, ratios=tuple(replace(row, seconds=seconds) for row in made.ratios), roofline=None)


def test_lengths_batches_and_peers_come_together() -> None:
    batch = BatchFigures(64, 4.0, 100, spread(3.0), 1000)
    (found,) = merged([report(), replace(other_length(4.0, batches=(batch,)), peers=(PeerFigures("x", missing="no"),)),
                       other_length(12.0)])
    assert [row.seconds for row in found.systems[0].durations] == [4.0, 12.0]
    assert found.systems[0].durations[1] == report().systems[0].durations[0]  # what two runs have, the first gives
    assert found.systems[0].batches == (batch,) and [peer.name for peer in found.peers] == ["x"]
    assert [row.seconds for row in found.ratios] == [4.0, 12.0] and found.roofline == report().roofline
    assert " ".join(found.command).count("&& tldr-bench") == 2


def test_other_machines_and_models_stay_apart() -> None:
    elsewhere = report(machine=replace(MACHINE, cpu="Another"))
    other = replace(report(), systems=tuple(replace(one, model="other") for one in report().systems))
    assert merged([report(), elsewhere, other]) == [report(), elsewhere, other]
