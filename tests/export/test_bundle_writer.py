"""An export replaces bundles, and nothing else that somebody keeps in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from export.bundle_writer import check_replaceable
from runtime.errors import OutputError


def test_a_bundle_with_its_engines_may_be_replaced(own_bundle: Path) -> None:
    (own_bundle / "engines" / "trt").mkdir(parents=True)
    (own_bundle / "engines" / "trt" / "backbone.engine").write_bytes(b"x")
    check_replaceable(own_bundle)
    check_replaceable(own_bundle.parent / "nothing-there")


@pytest.mark.parametrize("name", ["voices/mine.npz", "thesis.tex", ".hidden"])
def test_files_of_others_are_not_deleted(own_bundle: Path, name: str) -> None:
    (own_bundle / name).write_bytes(b"years of work")
    with pytest.raises(OutputError, match=name):
        check_replaceable(own_bundle)
    assert (own_bundle / name).read_bytes() == b"years of work"


def test_a_folder_with_a_broken_manifest_is_left_alone(own_bundle: Path) -> None:
    (own_bundle / "bundle.json").write_text("{")
    with pytest.raises(OutputError, match="not part of the bundle"):
        check_replaceable(own_bundle)
