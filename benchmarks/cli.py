"""`tldr-bench`: measure bundles side by side, compare two runs, write reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from rich.console import Console

from benchmarks.bundles import BundleRequest, default_cache, find_bundles
from benchmarks.rendering.console import show
from benchmarks.rendering.output import check_outputs, read_report, read_reports, write, write_reports
from benchmarks.rendering.summary import described, title
from benchmarks.rendering.tables import changes, report_tables
from benchmarks.speed.comparison import compare_reports, load_warning
from benchmarks.speed.figures import encode
from benchmarks.speed.merging import merged
from runtime.backends import CHOICES
from runtime.command import run
from runtime.errors import OptionError

MAX_SECONDS, MAX_BATCH, MAX_REPEATS = 600.0, 256, 1000
LISTS = ("--seconds", "--patch", "--batch")


class ListsOfNumbers(click.Group):
    """Options that take several values take them in a row, too: `--seconds 4 8 12`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread_lists(args))


def spread_lists(args: Sequence[str]) -> list[str]:
    """`--seconds 4 8,12` as `--seconds 4 --seconds 8 --seconds 12`."""
    found, option = list[str](), ""
    for word in args:
        values = [value for value in word.split(",") if value]
        if option and all(value.replace(".", "", 1).isdigit() for value in values):
            for value in values:
                found += [option, value]
            continue
        option = word if word in LISTS else ""
        if not option:
            found.append(word)
    return found


def report_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for the outputs of a command."""
    for option in (
        click.option("--json", "json_path", type=click.Path(path_type=Path), metavar="PATH", help="Write every figure there."),
        click.option("--markdown", "markdown_path", type=click.Path(path_type=Path), metavar="PATH",
                     help="Write tables there."),
        click.option("--html", "html_path", type=click.Path(path_type=Path), metavar="PATH",
                     help="Write one page with tables, plots and sound there."),
        click.option("--measured", multiple=True, type=click.Path(path_type=Path), metavar="JSON",
                     help="A run on a Jetson, whose row of projections it replaces; may be repeated."),
    ):
        command = option(command)
    return command


@click.group(cls=ListsOfNumbers, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--bundle", "bundles", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
              help="Bundle to measure; may be repeated.  [default: the embedded voice]")
@click.option("--preset", metavar="NAME", help="Measure random weights at the sizes of cosyvoice3-0.5b or embedded.")
@click.option("--patch", "patches", multiple=True, type=click.IntRange(2, 32), metavar="K...",
              help="Patch sizes of the preset.  [default: 4]")
@click.option("--against", metavar="token-level|DIR", help="The baseline that all others are compared with, in the same run.")
@click.option("--fp32/--fp16", default=True, help="Precision of the preset.  [default: fp32]")
@click.option("--cpu", is_flag=True, help="Graphs of the preset for CPUs, as tldr-export --cpu writes them.")
@click.option("--seconds", multiple=True, type=click.FloatRange(0.2, MAX_SECONDS), default=(4.0,), show_default=True,
              metavar="S...", help="Forced lengths.")
@click.option("--repeats", type=click.IntRange(1, MAX_REPEATS), default=5, show_default=True, metavar="N")
@click.option("--batch", "batches", multiple=True, type=click.IntRange(1, MAX_BATCH), metavar="B...",
              help="Also run the language model over B rows at each length: memory, and time per step.")
@click.option("--text-ids", type=click.IntRange(1, 8192), default=2, show_default=True, metavar="N",
              help="Text ids before forced speech; with 2 (and SOS and TASK) the KV ratio of k = 4 at 12 s is the paper's.")
@click.option("--sentences", type=click.IntRange(0), default=8, show_default=True, metavar="N",
              help="Held-out sentences that bundles with a voice read to their own end.")
@click.option("--peer", "peers", multiple=True, metavar="NAME[:PRECISION]",
              help="Another program in the same run: transformers, onnxruntime-genai, llama.cpp, piper, hibari, pocket-tts.")
@click.option("--roofline/--no-roofline", default=True, help="Compare stages with the memory's bandwidth.  [default: yes]")
@click.option("--provider", type=click.Choice(CHOICES), default="auto", show_default=True, help="What runs the graphs.")
@click.option("--threads", type=click.IntRange(1, 256), metavar="N", help="CPU threads.  [default: all cores]")
@click.option("--cache", type=click.Path(path_type=Path), metavar="DIR",
              help="Where presets are exported to, once.  [default: ~/.cache/tldr-edge]")
@report_options
@click.version_option(package_name="tldr-edge")
@click.pass_context
def bench(context: click.Context, bundles: tuple[Path, ...], preset: str | None, patches: tuple[int, ...], against: str | None,
          fp32: bool, cpu: bool, seconds: tuple[float, ...], repeats: int, batches: tuple[int, ...], text_ids: int,
          sentences: int, peers: tuple[str, ...], roofline: bool, provider: str, threads: int | None, cache: Path | None,
          json_path: Path | None, markdown_path: Path | None, html_path: Path | None, measured: tuple[Path, ...]) -> None:
    """Measure bundles side by side: RTF, first audio, time per patch by stage, KV cache, memory, energy.

    All systems alternate in one run, so that their ratios are valid under any other load. Lengths are forced, the best
    way to compare: what random weights say has no end.
    """
    if context.invoked_subcommand is not None:
        return
    try:
        from benchmarks.run import bench as measure
        from benchmarks.speed.config import BenchConfig
    except ImportError as error:
        raise OptionError(f"tldr-bench needs the package {error.name}: pip install '.[bench]'.") from error
    console = Console(stderr=True, highlight=False)
    check_outputs(json_path, markdown_path, html_path)
    place = cache or default_cache()
    others = [read_report(path) for path in measured]

    def progress(text: str) -> None:
        console.print(f"[dim]{text}[/]")

    request = BundleRequest(bundles, preset, patches, "fp32" if fp32 else "fp16", cpu, against, max(seconds))
    measured_bundles, baseline = find_bundles(request, place, progress)
    config = BenchConfig(
        bundles=tuple(measured_bundles), against=baseline, seconds=tuple(dict.fromkeys(seconds)), repeats=repeats,
        threads=threads or len(os.sched_getaffinity(0)), provider=provider, text_ids=text_ids,
        batches=tuple(dict.fromkeys(batches)), sentences=sentences, peers=peers, roofline=roofline, cache=place)
    report = measure(config, progress)
    show(report_tables(report))
    write_reports([report], others, json_path, markdown_path, html_path)


@bench.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--other-hardware", is_flag=True, help="Compare although the runs were made on different machines.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), metavar="PATH", help="Write the ratios there.")
def compare(before: Path, after: Path, other_hardware: bool, json_path: Path | None) -> None:
    """Compare two runs (JSON), system by system."""
    reports = read_report(before), read_report(after)
    rows = compare_reports(*reports, other_hardware)
    show([changes(rows)])
    if words := load_warning(*reports):
        click.echo(words, err=True)
    if json_path is not None:
        write(json_path, encode(rows))


@bench.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@report_options
@click.option("--small", is_flag=True, help="Leave sound and times of single patches out of the JSON.")
def report(runs: tuple[Path, ...], small: bool, json_path: Path | None, markdown_path: Path | None, html_path: Path | None,
           measured: tuple[Path, ...]) -> None:
    """Show runs (JSON) on the terminal, or write one report of them. Runs of the same systems are merged."""
    check_outputs(json_path, markdown_path, html_path)
    reports, others = [one for path in runs for one in read_reports(path)], [read_report(path) for path in measured]
    if (json_path, markdown_path, html_path) == (None, None, None):
        for one in merged(reports):
            click.echo(f"{title(one)}\n{described(one)}\n")
            show(report_tables(one))
    write_reports(reports, others, json_path, markdown_path, html_path, small)


def main() -> None:
    """Entry point of `tldr-bench`."""
    run(bench)


if __name__ == "__main__":
    main()
