"""A report as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.rendering.summary import LAUNCH_BOUND, bottleneck, described, title, warning
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
        parts += ["## Projection to Jetson", *bottleneck(projected), _table(projections(projected))]
    elif any(report.roofline is not None for report in reports):
        parts.append(LAUNCH_BOUND)
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    parts = [f"### {table.title}", markdown_table(table.columns, table.rows), *([table.note] if table.note else [])]
    return "\n\n".join(parts)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A pipe table without a last line break; `|` in cells is escaped."""
    return "\n".join(map(_line, [columns, ["---"] * len(columns), *rows]))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
