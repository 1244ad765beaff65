"""A report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rendering.story import described, hindrance, title, warning
from benchmarks.rendering.tables import Table, projections, report_tables
from benchmarks.roofline.figures import Projection
from benchmarks.speed.figures import Report


def markdown(reports: Sequence[Report], projected: Sequence[Projection]) -> str:
    """All runs, then the projections."""
    parts = ["# Speed and memory of TLDR bundles"]
    for report in reports:
        warned = [f"**{words}**"] if (words := warning(report)) else []
        parts += [f"## {title(report)}", described(report), *warned, *map(_table, report_tables(report))]
    if projected:
        parts += ["## Projection to Jetson", *hindrance(projected), _table(projections(projected))]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    lines = [f"### {table.title}", "", _line(table.columns), _line(["---"] * len(table.columns)), *map(_line, table.rows)]
    return "\n".join([*lines, *(["", table.note] if table.note else [])])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
