"""Reports on disk: read back as they were written, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.rendering.markdown import markdown
from benchmarks.roofline.figures import Projection
from benchmarks.roofline.projection import measured_rows, project, replaced
from benchmarks.speed.figures import SCHEMA, Report, encode
from benchmarks.speed.merging import merged, without_samples
from runtime.atomic import atomic_file
from runtime.errors import OptionError, OutputError


def read_report(path: Path) -> Report:
    """Read the one run of a file. OptionError where it is missing, something else, or several runs."""
    reports = read_reports(path)
    if len(reports) != 1:
        raise OptionError(f"{path} holds {len(reports)} runs of different models; name a file with one.")
    return reports[0]


def read_reports(path: Path) -> list[Report]:
    """Read what `--json` wrote: one run, or a list of several. OptionError where it is missing or something else."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Report | list[Report])
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path} holds no figures of tldr-bench ({error}); measure again with --json.") from error
    reports = found if isinstance(found, list) else [found]
    for report in reports:
        if report.schema != SCHEMA:
            raise OptionError(f"{path} has schema {report.schema}, this version reads {SCHEMA}; measure again.")
    return reports


def write_reports(reports: Sequence[Report], measured: Sequence[Report], json_path: Path | None, markdown_path: Path | None,
                  html_path: Path | None, small: bool = False) -> None:
    """Write reports; runs of the same systems are merged. `small`: without sound and single measurements in the JSON."""
    reports = merged(reports)
    if json_path is not None:
        kept = [without_samples(report) for report in reports] if small else list(reports)
        write(json_path, encode(kept[0] if len(kept) == 1 else kept))
    if markdown_path is None and html_path is None:
        return
    projected = projections_of(reports, measured)
    if markdown_path is not None:
        write(markdown_path, markdown(reports, projected).encode())
    if html_path is not None:
        try:
            from benchmarks.rendering.page import page
        except ImportError as error:
            raise OptionError(f"--html needs the package {error.name}: pip install '.[bench]'.") from error
        write(html_path, page(reports, projected).encode())


def check_outputs(*paths: Path | None) -> None:
    """Refuse outputs that cannot be written, before anything is measured. OutputError names the folder."""
    for path in paths:
        if path is not None and (path.is_dir() or not os.access(path.absolute().parent, os.W_OK)):
            raise OutputError(f"Cannot write {path}: its folder does not exist or is not writable; choose another place.")


def projections_of(reports: Sequence[Report], measured: Sequence[Report]) -> list[Projection]:
    """Rows of all systems that have patches to project, measured ones in their place."""
    found = [row for report in reports if report.roofline is not None
             for system, costs in report.roofline.costs.items() for row in project(system, costs)]
    return replaced(found, [row for report in measured for row in measured_rows(report)])


def write(path: Path, data: bytes) -> None:
    """Write a file whole, or not at all."""
    with atomic_file(path) as file:
        file.write(data)
