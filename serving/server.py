"""`tldr-serve`: the OpenAI-compatible endpoint on one synthesizer."""

from __future__ import annotations

from pathlib import Path

import click
import uvicorn

from runtime import Synthesizer
from runtime.backends import CHOICES
from runtime.command import run
from serving.api import create_app
from serving.speaker import LocalSpeaker


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), help="Bundle to speak with [default: the embedded voice].")
@click.option("--provider", type=click.Choice(CHOICES), default="auto", show_default=True)
@click.option("--threads", type=int, help="CPU threads [default: the library's choice].")
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Address to listen on; see SECURITY.md before another one.")
@click.option("--port", type=int, default=8000, show_default=True)
@click.option("--api-key", envvar="TLDR_API_KEY", help="Ask clients for this key.")
def serve(bundle: Path | None, provider: str, threads: int | None, host: str, port: int, api_key: str | None) -> None:
    """Serve speech over OpenAI's API: POST /v1/audio/speech."""
    with Synthesizer(bundle, provider=provider, threads=threads, warm_up=True) as synthesizer:
        uvicorn.run(create_app(LocalSpeaker(synthesizer), api_key), host=host, port=port, log_level="info")


def main() -> None:
    """Entry point."""
    run(serve)


if __name__ == "__main__":
    main()
