"""Common part of `tldr-engines` and `tldr-export --engines`: build every target, compare where its GPU is here, print."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from engines.tensorrt.fp32_fallback import mend_for_engine
from engines.tensorrt.parity import DeviceParity, compare_on_device, refuse
from engines.tensorrt.store import Stored, build_engine_set, discard, write_engine_set
from engines.tensorrt.targets import Target
from runtime.bundle.reader import Bundle
from runtime.command import raise_if_interrupted
from runtime.errors import ParityError


@dataclass(frozen=True)
class Done:
    """One target's engines, and what comparing them on the device found (None: its GPU is not here)."""

    stored: Stored
    parity: DeviceParity | None


def build_targets(path: Path, targets: Sequence[Target], force: bool = False, verify: bool = True) -> list[Done]:
    """Build the engines of every target into the bundle at `path`, with progress on a terminal, and print what was done."""
    return [_build(Bundle.open(path), target, force, verify) for target in targets]


def how_to_build(path: Path) -> str:
    """One line for who has no engines yet."""
    bundle = shlex.quote(str(path))
    return (f"No engines were built; build them on the target with `tldr-engines {bundle}`, or for desktop GPUs anywhere with "
            f"`tldr-engines {bundle} --kind tensorrt-rtx --sm 8.9`.")


def figures(done: Sequence[Done]) -> list[dict[str, Any]]:
    """Return the printed figures, for `--json`."""
    return [{"path": str(each.stored.path), "built": each.stored.built, "compared": each.parity,
             "engines": each.stored.engines.listed()} for each in done]


def _build(bundle: Bundle, target: Target, force: bool, verify: bool) -> Done:
    """One target. Nodes that its engines compute badly are kept in float32, and those engines are built again."""
    stored, parity = _build_set(bundle, target, force), None
    if target.device and verify:
        parity = compare_on_device(bundle, target.library.kind)
        try:
            if parity.wrong and bundle.manifest.half:
                bundle = mend_for_engine(bundle, target, tuple(dict.fromkeys(row.graph for row in parity.wrong)))
                stored = _build_set(bundle, target)
                parity = compare_on_device(bundle, target.library.kind)
            if parity.wrong:
                raise refuse(parity.wrong[0])
        except ParityError:
            discard(stored)
            raise
        stored = replace(stored, engines=msgspec.structs.replace(stored.engines, parity=parity.rows))
        write_engine_set(stored.path, stored.engines, bundle.manifest.parity)
    _print(stored, parity)
    return Done(stored, parity)


def _build_set(bundle: Bundle, target: Target, force: bool = False) -> Stored:
    """Build what is missing, with progress on a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=1.0)

        def advance(graph: str, share: float) -> None:
            raise_if_interrupted()
            progress.update(task, description=f"engine {graph}", completed=share)

        return build_engine_set(bundle, target.library, target.options, target.device, force, advance)


def _print(stored: Stored, parity: DeviceParity | None) -> None:
    engines, sm = stored.engines, stored.engines.target.sm
    for graph, engine in engines.engines.items():
        state = f"{engine.seconds:7.1f} s" if graph in stored.built else "  present"
        click.echo(f"{engine.size / 1e6:10.3f} MB {state}  {stored.path / engine.file}")
    if parity is None:
        click.echo(f"SM {sm}: built, not run; its GPU is not here.")
    else:
        worst = max(parity.rows, key=lambda row: row.relative / row.tolerance)
        click.echo(f"SM {sm} on {engines.device}: {parity.equal} of {parity.utterances} utterances have ONNX Runtime's "
                   f"greedy tokens; largest error {worst.relative:.1e} ({worst.graph}, {worst.output}).")
