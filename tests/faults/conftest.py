"""How often a fault is tried: seldom in CI, as often as the claim says with --slow."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """rounds(quick, full)."""
    return lambda quick, full: full if request.config.getoption("--slow") else quick
