"""Two runs made up for the test."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from benchmarks.speed.comparison import compare_reports
from runtime.errors import OptionError
from tests.benchmarks.reports import MACHINE, report


def test_slower_and_clear_of_the_scatter() -> None:
    rows = {(row.system, row.figure): row for row in compare_reports(report(), report(slower=1.25))}
    row = rows["tiny k=4 fp32", "RTF"]
    assert row.ratio == pytest.approx(0.8) and row.low < 0.8 < row.high < 1 and row.clear
    assert rows["tiny k=4 fp32", "KV bytes"].ratio == 1 and not rows["tiny k=4 fp32", "KV bytes"].clear
    assert not any(row.clear for row in compare_reports(report(), report(slower=1.01)))


def test_other_hardware_is_refused_unless_told() -> None:
    other = report(machine=replace(MACHINE, cpu="Another CPU"))
    with pytest.raises(OptionError, match="Another CPU"):
        compare_reports(report(), other)
    with pytest.raises(OptionError, match="threads"):
        compare_reports(report(), report(threads=4))
    assert compare_reports(report(), other, other_hardware=True)


def test_nothing_in_common() -> None:
    with pytest.raises(OptionError, match="nothing can be compared"):
        compare_reports(report(), replace(report(), systems=()))
