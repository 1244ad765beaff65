"""The table, its place in a document, and the page."""

from pathlib import Path

import pytest

from benchmarks.quality.figures import summarise
from benchmarks.quality.report import BEGIN, END, QualityReport, fill, page, write
from runtime.errors import OptionError
from tests.benchmarks.quality.made_up import reading
from tests.conftest import sentence_of

READINGS = [reading("teacher", 1, "one two three four", audio="audio/t-0001.mp3"),
            reading("k4", 1, "one two <b>tree</b> four", audio="audio/k-0001.mp3", failures=["silence"])]


@pytest.fixture
def report() -> QualityReport:
    return QualityReport(["--count", "1"], "a small robot", ["kumo"], 0, summarise(READINGS, ["teacher", "k4"], {"k4": 0.05}))


def test_a_document_is_filled_again_and_again(tmp_path: Path, report: QualityReport) -> None:
    document = tmp_path / "README.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    fill(document, report)
    once = document.read_text()
    fill(document, report)
    assert document.read_text() == once and once.startswith("before\n") and once.endswith(f"{END}\nafter\n")
    assert "old" not in once and "| k4 | " in once and "a small robot" in once
    (tmp_path / "other.md").write_text("nothing")
    with pytest.raises(OptionError, match="has no") as error:
        fill(tmp_path / "other.md", report)
    sentence_of(error)


def test_the_page_names_its_sounds_and_escapes_what_was_heard(report: QualityReport) -> None:
    pytest.importorskip("jinja2", reason="comes with the bench extra")
    html = page(report, READINGS)
    assert html.count("<audio") == 2 and 'src="audio/k-0001.mp3"' in html
    assert "<b>tree" not in html and "<del>three</del>" in html and "silence" in html


def test_all_files_are_written_and_the_plot_does_not_change(tmp_path: Path, report: QualityReport) -> None:
    pytest.importorskip("matplotlib", reason="comes with the bench extra")
    pytest.importorskip("jinja2", reason="comes with the bench extra")
    write(tmp_path, report, READINGS)
    first = (tmp_path / "wer-rtf.svg").read_bytes()
    write(tmp_path, report, READINGS)
    assert (tmp_path / "wer-rtf.svg").read_bytes() == first and b"<svg" in first
    assert {path.name for path in tmp_path.iterdir()} == {"figures.json", "table.md", "wer-rtf.svg", "index.html"}
