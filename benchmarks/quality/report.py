"""Outputs of a run: figures.json, table.md, wer-rtf.svg, and index.html with players."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.judges.word_errors import alignment
from benchmarks.quality.failures import KINDS
from benchmarks.quality.figures import Figure, QualityRow
from benchmarks.quality.readings import ScoredSentence
from benchmarks.rendering.markdown import markdown_table
from runtime.atomic import atomic_file
from runtime.errors import OptionError

BEGIN, END = "<!-- quality: begin -->", "<!-- quality: end -->"
PLOT = "wer-rtf.svg"


class QualityReport(msgspec.Struct, frozen=True):
    """A whole run."""

    command: list[str]
    hardware: str
    voices: list[str]
    seed: int
    rows: list[QualityRow]

    def markdown(self) -> str:
        """The table, with a line on its conditions."""
        recognisers = list(self.rows[0].wer)
        head = ["system", *(f"WER % ({name})" for name in recognisers), "similarity (other voice)", "right voice", "DistillMOS",
                "P.808", "DNSMOS", "length / teacher's", " / ".join(f"{kind}s" for kind in KINDS), "RTF"]
        table = markdown_table(head, (_cells(row, recognisers) for row in self.rows))
        said = (f"{self.rows[0].sentences} held-out sentences, {_spoken(self.voices)}, seed {self.seed}; in brackets 95 % "
                f"bootstrap intervals; RTF: {self.hardware}.")
        return f"{table}\n\n{said}\n"


def write(folder: Path, report: QualityReport, readings: Sequence[ScoredSentence]) -> None:
    """Write all four files. Raises OutputError."""
    from benchmarks.quality.plot import wer_against_rtf

    _put(folder / "figures.json", msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    _put(folder / "table.md", report.markdown().encode())
    _put(folder / PLOT, wer_against_rtf(report.rows))
    _put(folder / "index.html", page(report, readings).encode())


def page(report: QualityReport, readings: Sequence[ScoredSentence]) -> str:
    """HTML that opens from disk; its sounds are beside it in `audio/`."""
    from benchmarks.rendering.html import render

    audible = sorted({r.number for r in readings if r.audio is not None})
    found = {(r.number, r.system): r for r in readings}
    return render(
        "quality.html.j2", report=report, kinds=KINDS,
        recognisers=list(report.rows[0].wer), systems=[row.system for row in report.rows],
        sentences=[[found.get((number, row.system)) for row in report.rows] for number in audible], plot=PLOT,
        alignment=alignment, failed=[r for r in readings if r.failures])


def fill(document: Path, report: QualityReport) -> None:
    """Put the table between the marks of a README or model card.

    Raises:
        OptionError: the document has no such marks.
        OutputError: it cannot be written.
    """
    text = document.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise OptionError(f"{document} has no {BEGIN} ... {END} to put the table between.")
    _put(document, f"{head}{BEGIN}\n{report.markdown()}{END}{tail}".encode())


def between(figure: Figure, digits: int) -> str:
    """A value and its interval."""
    return f"{figure.value:.{digits}f} ({figure.low:.{digits}f} - {figure.high:.{digits}f})"


def _cells(row: QualityRow, recognisers: list[str]) -> list[str]:
    other = "" if row.wrong_similarity is None else f" ({row.wrong_similarity:.2f})"
    return [row.system, *(between(row.wer[name], 1) for name in recognisers), f"{row.similarity.value:.3f}{other}",
            "" if row.right_voice is None else f"{row.right_voice:.1f} %", between(row.distillmos, 2), between(row.p808, 2),
            between(row.dnsmos, 2), f"{row.duration.value:.2f}",
            " / ".join(str(row.failures[kind]) for kind in KINDS), "" if row.rtf is None else f"{row.rtf:.3f}"]


def _spoken(voices: Sequence[str]) -> str:
    return f"voice *{voices[0]}*" if len(voices) == 1 else f"voices {', '.join(f'*{voice}*' for voice in voices)} in turn"


def _put(path: Path, data: bytes) -> None:
    with atomic_file(path) as file:
        file.write(data)
