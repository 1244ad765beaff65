"""Memory and batches of one bundle, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed.config import BenchConfig
from benchmarks.speed.footprint import footprint, peak_bytes, resident_bytes
from runtime.bundle.reader import Bundle
from runtime.errors import BackendError


def test_caches_of_many_rows_are_allocated(tiny: Path, tiny_token_level: Path) -> None:
    rows = {}
    for path in (tiny, tiny_token_level):
        found = footprint(path, BenchConfig(seconds=(1.0, 4.0), batches=(1, 8)))
        sizes = Bundle.open(path).manifest.sizes
        for row in found.batches:
            patches = int(np.ceil(25 * row.seconds / sizes.patch))
            assert row.kv_bytes_allocated == sizes.cache_bytes(2 + 2 + patches, "fp32", row.batch)
            assert row.patch_ms.median > 0 and row.resident_bytes > 1 << 20
        assert len(found.batches) == 4 and found.load_seconds > 0 and found.provider == "CPUExecutionProvider"
        assert found.peak_device_bytes is None or found.peak_device_bytes >= 0
        rows[path] = found
    assert rows[tiny].batches[-1].kv_bytes_allocated < 0.3 * rows[tiny_token_level].batches[-1].kv_bytes_allocated


def test_peak_is_the_childs_own(tiny: Path) -> None:
    held = np.ones(60 << 20, np.float64)  # 480 MB here must not count there
    found = footprint(tiny, BenchConfig(seconds=(1.0,), batches=()))
    assert found.peak_resident_bytes < held.nbytes < peak_bytes() and resident_bytes() > held.nbytes


def test_a_failure_says_why(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="There is no bundle"):
        footprint(tmp_path / "none", BenchConfig(seconds=(1.0,), batches=()))
