"""Tables of cases: tab-separated files beside the tests, which need no Python to be extended."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent / "cases"
_ESCAPE = re.compile(r"\\\\|\\n|\\t|\\u([0-9a-f]{4})")


def read_cases(name: str) -> list[tuple[str, ...]]:
    """Rows of a table, its comment lines left out; the second column may hold escapes."""
    rows = []
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            first, text, *rest = line.split("\t")
            rows.append((first, _unescape(text), *rest))
    return rows


def _unescape(text: str) -> str:
    signs = {"n": "\n", "t": "\t", "\\": "\\"}
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else signs[found[0][1]], text)
