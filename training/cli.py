"""`python -m training STAGE`: runs one stage of the recipe, or all of them, each resuming where it stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runtime.errors import TldrError


@click.command()
@click.argument("stages", nargs=-1, required=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path.home() / ".cache/tldr-edge/run", show_default=True,
              help="Corpora and training runs; tens of GB are not needed, but several are.")
@click.option("--target", type=click.Path(path_type=Path), default=Path("voices/embedded"), show_default=True,
              help="The checkpoint directory.")
@click.option("--start", type=click.Path(path_type=Path, exists=True), default=None,
              help="A checkpoint directory to go on from; default: everything from scratch.")
@click.option("--average-with", type=click.Path(path_type=Path, exists=True), multiple=True,
              help="A checkpoint directory of another round, once for each: package averages their TLDR with this run's.")
@click.option("--patch", type=int, default=4, show_default=True)
@click.option("--threads", type=int, default=2, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--epochs", type=click.FloatRange(0, min_open=True), default=1.7, show_default=True,
              help="How often language models read the corpus.")
@click.option("--device", default="cpu", show_default=True,
              help="cuda: vocoder, token-level and patch-level train on a GPU; the rest does not need one.")
def main(stages: tuple[str, ...], work: Path, target: Path, start: Path | None, average_with: tuple[Path, ...], patch: int,
         threads: int, seed: int, epochs: float, device: str) -> None:
    """Run STAGES of the embedded voice's recipe: frontend audio speaker-encoder student mels recogniser trunk codec
    tokens listener encoder vocoder token-level patch-level package, or `all` of these."""
    try:
        import torch

        from training.loop import device_of
        from training.recipe import Recipe
        from training.stages import STAGES
    except ImportError as error:
        _fail(f"training needs more packages ({error}); run in the checkout: pip install '.[train]'")
    chosen = tuple(STAGES) if stages == ("all",) else stages
    unknown = [stage for stage in chosen if stage not in STAGES]
    if unknown:
        _fail(f"no stage is called {unknown[0]!r}; stages are {', '.join(STAGES)}, all")
    torch.set_num_threads(threads)
    try:
        recipe = Recipe(work=work, target=target, start=start, average_with=average_with, patch=patch, threads=threads,
                        seed=seed, epochs=epochs, device=device_of(device))
        for stage in chosen:
            STAGES[stage](recipe)
    except TldrError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last saved state", file=sys.stderr)
        raise SystemExit(130) from None


def _fail(message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(2)
