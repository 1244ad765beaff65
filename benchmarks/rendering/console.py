"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.rendering.tables import Table


def show(tables: Iterable[Table]) -> None:
    """Print tables, each with its note."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 180)
    for table in tables:
        drawn = RichTable(*table.columns, title=table.title, caption=table.note, box=box.SIMPLE, title_justify="left",
                          caption_justify="left")
        for row in table.rows:
            drawn.add_row(*row)
        console.print(drawn, markup=False)
