"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """Result of one check: its name, status, finding and advice."""

    check: str
    status: Status
    found: str
    advice: str = ""
    """Empty where nothing has to be done."""
