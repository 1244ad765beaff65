"""Tables, words and the page, of runs made up for the test."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from benchmarks.rendering.markdown import markdown
from benchmarks.rendering.output import projections_of
from benchmarks.rendering.summary import bottleneck, headlines, warning
from benchmarks.rendering.tables import report_tables
from benchmarks.speed.figures import BatchFigures, Clip, PeerFigures, SpeechFigures
from tests.benchmarks.reports import report, spread


def test_only_tables_with_rows() -> None:
    titles = [table.title for table in report_tables(report())]
    assert titles == ["Side by side", "Forced lengths", "Time of a patch by stage", "Size, loading, memory",
                      "Against the memory's limit"]
    assert all(len(row) == len(table.columns) for table in report_tables(report()) for row in table.rows)


def test_words() -> None:
    made = report()
    assert ("2.30×", "LM of tiny k=4 fp32 beside tiny token-level fp32, 12 s") in headlines(made)
    (sentence,) = bottleneck(projections_of([made], []))
    assert "language model" in sentence and "projection" in sentence and "memory" in sentence


def test_a_busy_machine_is_said_first() -> None:
    made = report()
    busy = replace(made, machine=replace(made.machine, load_before=2.5))
    assert warning(made) == "" and "2.5 processes" in warning(busy)
    assert "**Other programs" in markdown([busy], []) and "Other programs" not in markdown([made], [])


def test_a_pipe_does_not_break_a_table() -> None:
    peers = (PeerFigures("a|b", missing="x"),)
    text = markdown([replace(report(), peers=peers)], [])
    assert "a\\|b" in text


def test_plots_need_something_to_plot() -> None:
    plots = pytest.importorskip("benchmarks.rendering.plots", reason="matplotlib")
    made = report()
    for plot in (plots.rtf_against_patch, plots.stage_breakdown, plots.latency_histogram, plots.step_against_position):
        assert ElementTree.fromstring(plot(made)).tag.endswith("svg")
    assert plots.cache_against_duration(made) is None  # one length
    rows = tuple(BatchFigures(64, seconds, int(1e6 * seconds), spread(3.0), 10 ** 8) for seconds in (4.0, 8.0))
    drawn = plots.cache_against_duration(replace(made, systems=tuple(replace(one, batches=rows) for one in made.systems)))
    assert "64 rows" in drawn
    empty = replace(made, systems=tuple(replace(one, durations=()) for one in made.systems))
    assert [plot(empty) for plot in plots.PLOTS] == [None] * 5


def test_the_page_escapes_and_plays() -> None:
    page = pytest.importorskip("benchmarks.rendering.page", reason="jinja2 and matplotlib").page
    speech = SpeechFigures(1, spread(0.1), spread(20.0), 2.0, (Clip("<b>hello</b>", b"OggS"),))
    made = report()
    made = replace(made, systems=(replace(made.systems[0], speech=speech), *made.systems[1:]))
    text = page([made, made], projections_of([made], []))
    assert "&lt;b&gt;hello" in text and "<b>hello" not in text
    assert text.count("<audio") == 2 and text.count('class="badge">projection') == 1
    identifiers = [part.split('"')[0] for part in text.split(' id="')[1:]]
    assert len(identifiers) > 100
