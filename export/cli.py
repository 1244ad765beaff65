"""`tldr-export`: options, one call a bundle, tables."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from engines.tensorrt.command import Done, build_targets, figures, how_to_build
from engines.tensorrt.targets import CHOICES, Target, find_targets
from export.checkpoints.source import Source
from export.checkpoints.sources import open_source
from export.exporter import Exported, Order, export_bundle, stages
from runtime.atomic import write_file
from runtime.bundle.contract import Precision
from runtime.bundle.manifest import Weights, numbers_of
from runtime.command import raise_if_interrupted, run
from runtime.errors import OptionError


@click.command("tldr-export", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--checkpoint", metavar="DIR|NAME", help="Checkpoint directory, `embedded` (default), or a preset's name.")
@click.option("--backbone", type=click.Path(path_type=Path), metavar="DIR",
              help="CosyVoice3's directory that --checkpoint was trained on (alone: with --token-level).")
@click.option("--preset", metavar="NAME", help="Random weights at the sizes of cosyvoice3-0.5b or embedded.")
@click.option("--patch", "patches", multiple=True, metavar="K[,K...]", help="Patch sizes, one bundle each.  [default: 4]")
@click.option("--fp16/--fp32", default=None, help="Precision of weights and activations.  [default: fp16]")
@click.option("--int8", is_flag=True, help="Weights of the language model in INT8: for CPUs, or with --fp16 for TensorRT.")
@click.option("--int4", is_flag=True, help="The same in INT4.")
@click.option("--cpu", is_flag=True, help="FP32, and a backbone in ONNX Runtime's own operators, faster on CPUs, which are all "
                                           "that reads it; --int8 and --int4 without --fp16 have it anyway.")
@click.option("--fuse", is_flag=True, help="Also one graph of compressor, backbone and extractor: a call a patch, for CPUs.")
@click.option("--token-level", is_flag=True, help="Export the token-level baseline (with --patch: as well).")
@click.option("--max-seconds", type=float, default=30.0, show_default=True, help="Audio that the KV cache is sized for.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="The bundle; with several systems, the directory they go to.  [default: build/...]")
@click.option("--engines", default="auto", show_default=True, metavar="|".join(CHOICES), help="TensorRT engines to build.")
@click.option("--sm", multiple=True, metavar="X.Y", help="Compute capabilities to build engines for.")
@click.option("--no-verify", is_flag=True, help="Skip the comparison with PyTorch.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), metavar="PATH", help="Write the printed figures there.")
@click.version_option(package_name="tldr-edge")
def export(checkpoint: str | None, backbone: Path | None, preset: str | None, patches: tuple[str, ...], fp16: bool | None,
            int8: bool, int4: bool, cpu: bool, fuse: bool,
            token_level: bool, max_seconds: float, out: Path | None, engines: str, sm: tuple[str, ...], no_verify: bool,
            json_path: Path | None) -> None:
    """Export a TLDR model to ONNX: a bundle that tldr-speak and tldr-bench read."""
    precision, weights = _precision(fp16, int8, int4, cpu)
    option = "--fuse" if fuse else "--cpu" if cpu else f"--{weights}" if weights is not None and precision == "fp32" else None
    targets = find_targets(engines, sm) if option is None else _no_targets(engines, sm, option)
    source = open_source(checkpoint, preset, backbone)
    sizes = _patch_sizes(patches, token_level)
    orders = [Order(patch, precision, max_seconds, not no_verify, weights, fuse, cpu) for patch in sizes]
    places = [_place(source, order, out, len(orders) > 1) for order in orders]
    done, built = [], []
    for order, place in zip(orders, places, strict=True):
        done.append(_export(source, order, place))
        built.append(build_targets(place, targets, verify=not no_verify))
        if engines == "auto" and not targets and option is None:
            click.echo(how_to_build(place))
    if json_path is not None:
        _write_json(json_path, done, built)


def _precision(fp16: bool | None, int8: bool, int4: bool, cpu: bool) -> tuple[Precision, Weights | None]:
    """Of activations and of weights; what is for CPUs comes with FP32 unless --fp16 is said."""
    if int8 and int4:
        raise OptionError("Choose one of --int8 and --int4; with --fp16 beside it the bundle is for TensorRT, else for CPUs.")
    weights: Weights | None = "int8" if int8 else "int4" if int4 else None
    return "fp16" if fp16 or (fp16 is None and weights is None and not cpu) else "fp32", weights


def _no_targets(engines: str, sm: tuple[str, ...], option: str) -> list[Target]:
    """What `option` makes is for ONNX Runtime on CPUs: no engine is built, and asking for one is a fault."""
    if sm or engines not in ("auto", "none"):
        raise OptionError(f"TensorRT does not read what {option} makes, which is for CPUs; export with --fp16 for "
                          "engines, and without --fuse.")
    return []


def _patch_sizes(options: tuple[str, ...], token_level: bool) -> list[int]:
    """What to export, each once, in the order asked for; 1 is the token-level baseline."""
    words = [word.strip() for option in options for word in option.split(",")]
    for word in words:
        if not (word.isascii() and word.isdigit() and 2 <= int(word) <= 32):
            raise OptionError(f"--patch takes whole numbers from 2 to 32, not {word!r}; the baseline is --token-level.")
    sizes = [int(word) for word in words] or ([] if token_level else [4])
    return list(dict.fromkeys([*sizes, *([1] if token_level else [])]))


def _place(source: Source, order: Order, out: Path | None, several: bool) -> Path:
    system = "token-level" if order.patch == 1 else f"k{order.patch}"
    numbers = numbers_of(order.precision, order.weights)
    ending = ("-cpu" if order.cpu and order.weights is None else "") + ("-fused" if order.fuse else "")
    name = f"{source.config(order.patch).name}-{system}-{numbers}{ending}"
    if out is None:
        return Path("build") / name
    return out / name if several else out


def _export(source: Source, order: Order, target: Path) -> Exported:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=stages(order, source), completed=-1)

        def advance(stage: str) -> None:
            raise_if_interrupted()
            progress.update(task, description=stage, advance=1)

        exported = export_bundle(source, order, target, advance)
    _print(exported)
    return exported


def _print(exported: Exported) -> None:
    console, manifest = Console(width=max(100, Console().width)), exported.manifest
    system = "token level" if manifest.sizes.token_level else f"k = {manifest.sizes.patch}"
    if manifest.parity:
        title = f"{manifest.model}, {system}, {manifest.numbers}"
        table = Table("graph", "output", "max abs", "relative", "tolerance", title=title)
        for row in manifest.parity:
            table.add_row(row.graph, row.output, f"{row.max_abs:.2e}", f"{row.relative:.2e}", f"{row.tolerance:.0e}")
        console.print(table)
        parted = f", {exported.ties} part at a tie" if exported.ties else ""
        click.echo(f"greedy tokens: {manifest.greedy_sentences} of {exported.utterances} utterances equal to PyTorch{parted}")
    for found in manifest.half:
        if found.nodes:
            click.echo(f"FP16 {found.graph}: largest value {found.max_abs:.4g} of 65504, error {found.relative:.1e}, "
                       f"{len(found.kept)} nodes kept in FP32")
    sizes = exported.file_bytes()
    for name, count in sizes.items():
        click.echo(f"{count / 1e6:10.3f} MB  {name}")
    click.echo(f"{sum(sizes.values()) / 1e6:10.3f} MB  {exported.path}")
    click.echo(f"KV cache for {manifest.limits.max_seconds:g} s: {exported.kv_cache_bytes} bytes")


def _write_json(path: Path, done: list[Exported], built: list[list[Done]]) -> None:
    bundles = [{
        "path": str(each.path), "model": each.manifest.model, "patch": each.manifest.sizes.patch,
        "precision": each.manifest.precision, "weights": each.manifest.weights,
        "parity": each.manifest.parity, "greedy_equal": each.manifest.greedy_sentences,
        "greedy_compared": each.utterances, "greedy_ties": each.ties, "kv_cache_bytes": each.kv_cache_bytes,
        "file_bytes": each.file_bytes(), "tools": each.manifest.tools, "half": each.manifest.half, "engines": figures(sets),
    } for each, sets in zip(done, built, strict=True)]
    report = {"command": sys.argv[1:], "bundles": bundles}
    write_file(path, msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


def main() -> None:
    """Entry point of `tldr-export`."""
    run(export)


if __name__ == "__main__":
    main()
