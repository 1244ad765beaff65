"""`python -m training.heart STAGE`: runs one stage of the recipe, or all of them, each resuming where it stopped."""

from __future__ import annotations

from pathlib import Path

import click

from runtime.command import run
from runtime.errors import BackendError, OptionError


@click.command("python -m training.heart")
@click.argument("stages", nargs=-1, required=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path.home() / ".cache/tldr-edge/heart", show_default=True,
              help="Corpora and training runs.")
@click.option("--target", type=click.Path(path_type=Path), default=Path("build/heart"), show_default=True,
              help="The checkpoint directory.")
@click.option("--start", type=click.Path(path_type=Path, exists=True), default=None,
              help="A checkpoint directory of this recipe to go on from; default: everything from scratch.")
@click.option("--average-with", type=click.Path(path_type=Path, exists=True), multiple=True,
              help="A checkpoint directory of another round, once for each: package averages their TLDR with this run's.")
@click.option("--patch", type=int, default=4, show_default=True)
@click.option("--threads", type=int, default=1, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--epochs", type=click.FloatRange(0, min_open=True), default=1.7, show_default=True,
              help="How often language models read the corpus.")
@click.option("--device", default="cpu", show_default=True, help="cuda: token-level and patch-level train on a GPU.")
def command(stages: tuple[str, ...], work: Path, target: Path, start: Path | None, average_with: tuple[Path, ...], patch: int,
            threads: int, seed: int, epochs: float, device: str) -> None:
    """Run STAGES of the next embedded voice's recipe: frontend prosody feature-codec spectral-stack spectral-vocoder
    spectral-decoder tokens listener audio speaker-encoder encoder token-level patch-level package, or `all` of these."""
    try:
        import torch

        from training.heart.recipe import HeartRecipe
        from training.heart.stages import STAGES
        from training.loop import device_of
    except ImportError as error:
        raise BackendError(f"Training needs more packages ({error}); run in the checkout: pip install '.[train]'") from error
    chosen = tuple(STAGES) if stages == ("all",) else stages
    if unknown := [stage for stage in chosen if stage not in STAGES]:
        raise OptionError(f"No stage is called {unknown[0]!r}; stages are {', '.join(STAGES)}, all.")
    torch.set_num_threads(threads)
    recipe = HeartRecipe(work=work, target=target, start=start, average_with=average_with, patch=patch, threads=threads,
                         seed=seed, epochs=epochs, device=device_of(device))
    for stage in chosen:
        STAGES[stage](recipe)


def main() -> None:
    """Entry point: errors of the toolkit are one sentence and exit code 2."""
    run(command)
