"""Projections by hand, and real runs in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.rendering.output import projections_of
from benchmarks.roofline.bandwidth import BandwidthProbe
from benchmarks.roofline.cosyvoice3 import FLOW, VOCODER
from benchmarks.roofline.limits import patch_costs, system_roofline
from benchmarks.roofline.platforms import PLATFORMS, Platform
from benchmarks.roofline.projection import COMPUTE_SHARE, MEMORY_SHARE, project, stage_costs
from benchmarks.speed.measure import summarise
from benchmarks.speed.system import MeasuredSystem
from runtime.bundle.reader import Bundle
from runtime.errors import OptionError
from tests.benchmarks.reports import COSTS, MACHINE, on, report

BOARD = Platform("board", "Board", 100e9, 10e12)


def test_by_hand() -> None:
    half, eighth, fourth = project("s", COSTS, [BOARD])
    model = (8e9 * 2 + 1e8) / (MEMORY_SHARE * 100e9)
    flow = max((3e9 * 2 + 4e8) / (MEMORY_SHARE * 100e9), 4e11 / (COMPUTE_SHARE * 10e12))
    assert half.stages == pytest.approx({"language model": model, "flow": flow}) and half.rtf == pytest.approx(model + flow)
    assert (half.precision, half.kind, half.slowest, half.bound) == ("fp16", "projection", "language model", "memory")
    flow = max((3e9 + 4e8) / (MEMORY_SHARE * 100e9), 4e11 / (COMPUTE_SHARE * 10e12))
    for row, size in ((eighth, 1.0), (fourth, 0.52)):
        assert row.stages == pytest.approx({"language model": (8e9 * size + 1e8) / (MEMORY_SHARE * 100e9), "flow": flow})
    assert [row.precision for row in (half, eighth, fourth)] == ["fp16", "fp16-int8", "fp16-int4"]


def test_published_figures_are_in_order() -> None:
    by_name = {platform.name: platform for platform in PLATFORMS}
    assert len(by_name) == len(PLATFORMS) == 5
    assert by_name["Thor T5000"].fp16 > by_name["AGX Orin 64 GB"].fp16 > by_name["Orin NX 16 GB"].fp16
    assert by_name["Thor T5000"].bandwidth > by_name["AGX Orin 64 GB"].bandwidth > by_name["Orin NX 16 GB"].bandwidth


def test_cosyvoice3_is_of_its_published_size() -> None:
    assert FLOW.weights / 10 == pytest.approx(331e6, rel=0.05)  # 663 MB in FP16
    assert VOCODER.weights == pytest.approx(83e6 / 4, rel=0.01)


def test_a_real_run_takes_its_row() -> None:
    plain = projections_of([report()], [])
    measured = projections_of([report()], [on("NVIDIA Jetson AGX Orin Developer Kit")])
    assert len(plain) == 15 and all(row.kind == "projection" for row in plain)
    real = [row for row in measured if row.kind == "measured"]
    assert {(row.platform, row.precision) for row in real} == {("AGX Orin 64 GB", "fp16")}
    assert len([row for row in measured if row.platform == "AGX Orin 64 GB" and "k=4" in row.system]) == 3  # FP16, INT8, INT4
    assert real[0].rtf == pytest.approx(0.1) and real[0].bound == ""


def test_super_mode_is_told_apart_and_others_refused() -> None:
    rows = projections_of([report()], [on("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super")])
    assert {row.platform for row in rows if row.kind == "measured"} == {"Orin Nano 8 GB Super"}
    with pytest.raises(OptionError, match="--measured"):
        projections_of([report()], [on(MACHINE.model)])


def test_a_bundle_is_counted_and_held_against_memory(tiny: Path) -> None:
    bundle = Bundle.open(tiny)
    costs = {cost.graph: cost for cost in patch_costs(bundle, 4.0, 2, widened=False)}
    assert costs["backbone"].cache_bytes == bundle.manifest.sizes.cache_bytes(2 + 2 + 12, "fp32")
    assert "text_embedding" not in costs and costs["extractor"].cache_bytes == 0
    system = MeasuredSystem("tiny", bundle, "cpu", 1)
    figures = summarise([system.run(4.0, 2)], 4.0, 0.16)
    system.close()
    found = system_roofline("tiny", bundle, figures, 2, 1e9, widened=False)
    rows = {row.stage: row for row in found.stages}
    assert rows["backbone"].limit_ms == pytest.approx(1000 * rows["backbone"].bytes_read / 1e9)
    parts = [figures.stages[name].patch_ms.median for name in ("compressor", "backbone", "extractor", "host")]
    assert rows["language model"].measured_ms == pytest.approx(sum(parts))
    assert next(cost.stage for cost in stage_costs(bundle, 4.0, 2)) == "language model"


def test_bandwidth_is_measured() -> None:
    probe = BandwidthProbe(1, 8 << 20)
    for _ in range(3):
        probe()
    assert 1e8 < probe.bandwidth < probe.best < 1e13
