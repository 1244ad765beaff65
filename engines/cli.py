"""`tldr-engines`: builds the engines of a bundle on the machine that will run them, or desktop engines anywhere; no torch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import click
import msgspec

from engines.tensorrt.builder import WORKSPACE_BYTES, BuildOptions
from engines.tensorrt.command import build_targets, figures, how_to_build
from engines.tensorrt.targets import find_targets
from runtime.atomic import atomic_file
from runtime.bundle.engine_set import Hardware
from runtime.bundle.reader import Bundle
from runtime.command import run
from runtime.errors import BackendError, OptionError

KINDS = ("auto", "tensorrt", "tensorrt-rtx")


@click.command("tldr-engines", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--kind", default="auto", show_default=True, metavar="|".join(KINDS), help="Which TensorRT.")
@click.option("--sm", multiple=True, metavar="X.Y", help="Compute capabilities to build for; TensorRT-RTX only.")
@click.option("--one-profile", is_flag=True, help="One profile a graph: less memory, a slower prefill; TensorRT-RTX always.")
@click.option("--hardware", type=click.Choice(get_args(Hardware)), default="exact", show_default=True,
              help="Which other GPUs the engines are to run on; not on Jetson.")
@click.option("--version-compatible", is_flag=True, help="Let newer versions of TensorRT load them; needs a GPU.")
@click.option("--workspace", type=click.IntRange(16, 1 << 20), default=WORKSPACE_BYTES >> 20, show_default=True, metavar="MIB",
              help="Scratch memory that a layer may take.")
@click.option("--optimization-level", type=click.IntRange(0, 5), metavar="0-5", help="0 builds fast, 5 runs fast.")
@click.option("--force", is_flag=True, help="Build even what is there under the same key.")
@click.option("--no-verify", is_flag=True, help="Skip the comparison with ONNX Runtime on the device.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), metavar="PATH", help="Write the printed figures there.")
@click.version_option(package_name="tldr-edge")
def engines(bundle: Path, kind: str, sm: tuple[str, ...], one_profile: bool, hardware: Hardware, version_compatible: bool,
            workspace: int, optimization_level: int | None, force: bool, no_verify: bool, json_path: Path | None) -> None:
    """Build the TensorRT engines of BUNDLE, graph by graph, and compare them with ONNX Runtime where their GPU is here."""
    if kind not in KINDS:
        raise OptionError(f"--kind is one of {', '.join(KINDS)}, not {kind!r}.")
    Bundle.open(bundle)
    targets = find_targets(kind, sm, BuildOptions("", hardware, version_compatible, workspace << 20, one_profile,
                                                  optimization_level))
    if not targets:
        raise BackendError(f"This machine has no TensorRT with a GPU to build for. {how_to_build(bundle)}")
    done = build_targets(bundle, targets, force, not no_verify)
    if json_path is not None:
        data = msgspec.json.format(msgspec.json.encode({"command": sys.argv[1:], "sets": figures(done)}), indent=2)
        with atomic_file(json_path) as file:
            file.write(data + b"\n")


def main() -> None:
    """Entry point of `tldr-engines`."""
    run(engines)


if __name__ == "__main__":
    main()
