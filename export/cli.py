"""`tldr-export`: parse options, export each bundle, print tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from engines.tensorrt.targets import CHOICES, Target, find_targets
from export.checkpoints.names import find_checkpoint
from export.config import TARGETS, WEIGHTS, ExportConfig, NumberFormat, WeightsOption, choose_number_format, patch_sizes
from export.config import Target as GraphTarget
from runtime.atomic import write_file
from runtime.command import raise_if_interrupted, run
from runtime.errors import OptionError

if TYPE_CHECKING:
    from engines.tensorrt.command import Done
    from export.checkpoints.model_source import ModelSource
    from export.exporter import ExportResult


@click.command("tldr-export", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--checkpoint", metavar="DIR|NAME", help="Checkpoint directory, `embedded` (default), or a preset's name.")
@click.option("--backbone", type=click.Path(path_type=Path), metavar="DIR",
              help="CosyVoice3's directory that --checkpoint was trained on (alone: with --token-level).")
@click.option("--llm", metavar="FILE", help="CosyVoice3: the language model's file in its directory, such as llm.rl.pt.  "
                                            "[default: llm.pt]")
@click.option("--preset", metavar="NAME", help="Random weights at the sizes of cosyvoice3-0.5b or embedded.")
@click.option("--patch", "patches", multiple=True, metavar="K[,K...]", help="Patch sizes, one bundle each.  [default: 4]")
@click.option("--target", type=click.Choice(TARGETS), help="Where the bundle runs: ONNX Runtime on CPUs or on GPUs, or "
                                                           "TensorRT.  [default: gpu's graphs, which run anywhere]")
@click.option("--weights", type=click.Choice(WEIGHTS), help="Weights: fp16, or fp32 and integers for CPUs, or integers for "
                                                            "TensorRT.  [default: fp16, on CPUs fp32]")
@click.option("--fp16/--fp32", default=None, help="Short for --weights fp16 or fp32.")
@click.option("--int8", is_flag=True, help="Weights of the language model in INT8: for CPUs, or with --fp16 for TensorRT.")
@click.option("--int4", is_flag=True, help="The same in INT4.")
@click.option("--cpu", is_flag=True, help="Short for --target cpu: FP32, and a backbone in ONNX Runtime's own operators, "
                                           "which is faster and runs on CPUs only; --int8 and --int4 without --fp16 imply it.")
@click.option("--fuse", is_flag=True,
              help="Also one graph of compressor, backbone and extractor: one call per patch, for "
                   "CPUs.")
@click.option("--token-level", is_flag=True, help="Export the token-level baseline (with --patch: as well).")
@click.option("--max-seconds", type=float, default=30.0, show_default=True,
              help="Audio per utterance that the KV cache is sized for; the recording that a voice continues comes on top.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="The bundle; with several systems, the directory they go to.  [default: build/...]")
@click.option("--engines", default="auto", show_default=True, metavar="|".join(CHOICES), help="TensorRT engines to build.")
@click.option("--sm", multiple=True, metavar="X.Y", help="Compute capabilities to build engines for.")
@click.option("--no-verify", is_flag=True, help="Skip the comparison with PyTorch.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), metavar="PATH", help="Write the printed figures there.")
@click.version_option(package_name="tldr-edge")
def export(checkpoint: str | None, backbone: Path | None, llm: str | None, preset: str | None, patches: tuple[str, ...],
           target: GraphTarget | None, weights: WeightsOption | None, fp16: bool | None, int8: bool, int4: bool, cpu: bool,
           fuse: bool, token_level: bool, max_seconds: float, out: Path | None, engines: str, sm: tuple[str, ...],
           no_verify: bool, json_path: Path | None) -> None:
    """Export a TLDR model to ONNX: a bundle that tldr-speak and tldr-bench read."""
    numbers = choose_number_format(target, weights, fp16=fp16, int8=int8, int4=int4, cpu=cpu)
    configs = [ExportConfig(patch=patch, precision=numbers.precision, weights=numbers.weights, cpu=numbers.cpu,
                            max_seconds=max_seconds, verify=not no_verify, fuse=fuse)
               for patch in patch_sizes(patches, token_level)]
    targets = _engine_targets(engines, sm, numbers, fuse)
    if preset is None:
        find_checkpoint(checkpoint, backbone)

    from engines.tensorrt.command import build_targets, how_to_build
    from export.checkpoints.sources import open_source

    source = open_source(checkpoint, preset, backbone, llm)
    places = [_place(source.name, config, out, len(configs) > 1) for config in configs]
    results, built = [], []
    for config, place in zip(configs, places, strict=True):
        results.append(_export(source, config, place))
        built.append(build_targets(place, targets, verify=not no_verify))
        if engines == "auto" and not targets and not (numbers.precision == "fp32" and (numbers.for_cpu or fuse)):
            click.echo(how_to_build(place))
    if json_path is not None:
        _write_json(json_path, results, built)


def _engine_targets(engines: str, sm: tuple[str, ...], numbers: NumberFormat, fuse: bool) -> list[Target]:
    """Return the engines to build: none for graphs that only ONNX Runtime runs, where asking for some is refused."""
    option = "--fuse" if fuse else f"--{numbers.weights}" if numbers.for_cpu and numbers.weights else "--cpu"
    if not (fuse or numbers.for_cpu):
        return find_targets(engines, sm)
    if sm or engines not in ("auto", "none"):
        raise OptionError(f"TensorRT does not read what {option} makes, which is for CPUs; export with --fp16 for "
                          "engines, and without --fuse.")
    return []


def _place(name: str, config: ExportConfig, out: Path | None, several: bool) -> Path:
    """Return where a bundle is written: `out` itself, or a directory named after it in `out` or in build/."""
    system = "token-level" if config.patch == 1 else f"k{config.patch}"
    directory = f"{name}-{system}-{config.name}{'-fused' if config.fuse else ''}"
    if out is None:
        return Path("build") / directory
    return out / directory if several else out


def _export(source: ModelSource, config: ExportConfig, target: Path) -> ExportResult:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from export.exporter import export_bundle

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=1.0)

        def advance(stage: str, share: float) -> None:
            raise_if_interrupted()
            progress.update(task, description=stage, completed=share)

        result = export_bundle(source, config, target, advance)
    _print(result)
    return result


def _print(result: ExportResult) -> None:
    from rich.console import Console
    from rich.table import Table

    console, manifest = Console(width=max(100, Console().width)), result.manifest
    system = "token level" if manifest.sizes.token_level else f"k = {manifest.sizes.patch}"
    if manifest.parity:
        title = f"{manifest.model}, {system}, {manifest.numbers}"
        table = Table("graph", "output", "max abs", "relative", "tolerance", title=title)
        for row in manifest.parity:
            table.add_row(row.graph, row.output, f"{row.max_abs:.2e}", f"{row.relative:.2e}", f"{row.tolerance:.0e}")
        console.print(table)
        ties = f", {result.ties} differ first at a tie" if result.ties else ""
        click.echo(f"greedy tokens: {manifest.greedy_sentences} of {result.utterances} utterances equal to PyTorch{ties}")
    for found in manifest.half:
        if found.nodes:
            click.echo(f"FP16 {found.graph}: largest value {found.max_abs:.4g} of 65504, error {found.relative:.1e}, "
                       f"{len(found.kept)} nodes kept in FP32")
    sizes = result.file_bytes()
    for name, count in sizes.items():
        click.echo(f"{count / 1e6:10.3f} MB  {name}")
    click.echo(f"{sum(sizes.values()) / 1e6:10.3f} MB  {result.path}")
    click.echo(f"KV cache for {manifest.limits.max_seconds:g} s: {result.kv_cache_bytes} bytes")


def _write_json(path: Path, results: Sequence[ExportResult], built: Sequence[Sequence[Done]]) -> None:
    from engines.tensorrt.command import figures

    bundles = [{
        "path": str(each.path), "model": each.manifest.model, "patch": each.manifest.sizes.patch,
        "precision": each.manifest.precision, "weights": each.manifest.weights,
        "parity": each.manifest.parity, "greedy_equal": each.manifest.greedy_sentences,
        "greedy_compared": each.utterances, "greedy_ties": each.ties, "kv_cache_bytes": each.kv_cache_bytes,
        "file_bytes": each.file_bytes(), "tools": each.manifest.tools, "half": each.manifest.half, "engines": figures(sets),
    } for each, sets in zip(results, built, strict=True)]
    report = {"command": sys.argv[1:], "bundles": bundles}
    write_file(path, msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


def main() -> None:
    """Entry point of `tldr-export`."""
    run(export)


if __name__ == "__main__":
    main()
