"""`tldr-speak`: text in, a sound file out, and what it cost."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NoReturn

import click

from .backends import CHOICES
from .command import run
from .doctor.packages import installed
from .errors import OptionError, OutputError, TextError

if TYPE_CHECKING:
    from .options import SynthesisOptions
    from .stats import Stats
    from .streaming.stream import Stream
    from .synthesizer import Synthesizer

_STDIN_BYTES = 4 << 20


@click.command()
@click.argument("text", nargs=-1)
@click.option("-f", "--file", "text_file", type=click.Path(path_type=Path), metavar="FILE", help="Read TEXT from a file.")
@click.option("-o", "--output", default="out.wav", show_default=True, metavar="FILE",
              help=".wav, .flac or .ogg; `-` writes WAV to standard output.")
@click.option("--bundle", type=click.Path(path_type=Path), metavar="DIR",
              help="Bundle to speak with [default: the embedded voice].")
@click.option("--voice", metavar="NAME", help="One of the bundle's voices [default: the bundle's choice].")
@click.option("--list-voices", is_flag=True, help="Print the bundle's voices, its default first, and end.")
@click.option("--reference", type=click.Path(path_type=Path), metavar="WAV",
              help="Speak like this recording, where the bundle can.")
@click.option("--transcript", metavar="TEXT", help="What the reference recording says; speech goes on from it.")
@click.option("--instruction", metavar="TEXT", help="How to speak, in place of a transcript.")
@click.option("--seed", type=int, default=0, show_default=True, help="Equal seeds give equal audio.")
@click.option("--provider", type=click.Choice(CHOICES), default="auto", show_default=True, help="What runs the graphs.")
@click.option("--threads", type=int, metavar="N", help="CPU threads [default: the library's choice].")
@click.option("--temperature", type=float, metavar="T", help="0 is greedy [default: the bundle's].")
@click.option("--top-k", type=int, metavar="K", help="1 to 64 [default: the bundle's].")
@click.option("--top-p", type=float, metavar="P", help="Above 0, at most 1 [default: the bundle's].")
@click.option("--flow-steps", type=int, metavar="N", help="CosyVoice3: steps of its flow [default: the bundle's].")
@click.option("--stream", "streaming", is_flag=True, help="Write samples as they are made; WAV only.")
@click.option("--json", "json_path", metavar="PATH", help="Write the figures as JSON too.")
@click.option("--doctor", is_flag=True, help="Check machine, bundle and providers, say what to do; exit 1 if unfit.")
@click.option("--rate", type=float, default=1.0, show_default=True, metavar="R", help="0.5 (slow) to 2 (fast).")
@click.option("--lexicon", type=click.Path(path_type=Path), metavar="FILE",
              help="Your own words: lines of a word, a tab, and a respelling, /IPA/ or ARPAbet.")
@click.option("--locale", type=click.Choice(("en-US", "en-GB")), default="en-US", show_default=True,
              help="Order of day and month in dates.")
@click.option("--explain", is_flag=True, help="Print how TEXT is read, word by word, and speak nothing.")
@click.option("--daemon", is_flag=True, help="Stay, and speak what `tldr-speak --client` hands over.")
@click.option("--socket", "socket_path", metavar="PATH",
              help="Unix socket of --daemon and --client [default: in the user's runtime folder].")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.version_option(package_name="tldr-edge")
def speak(text: tuple[str, ...], text_file: Path | None, output: str, bundle: Path | None, voice: str | None,
          list_voices: bool, reference: Path | None, transcript: str | None, instruction: str | None, seed: int,
          provider: str, threads: int | None, temperature: float | None, top_k: int | None, top_p: float | None,
          flow_steps: int | None, streaming: bool, json_path: str | None, doctor: bool, rate: float,
          lexicon: Path | None, locale: Literal["en-US", "en-GB"], explain: bool, daemon: bool,
          socket_path: str | None, quiet: bool) -> None:
    """Speak TEXT, plain or SSML, into a sound file. `-`, or no TEXT where standard input is a pipe, reads it from there.

    With --stream and `-o -` the WAV is written as it is generated, its header without a length; into a file it grows beside
    its place and appears there when it is complete.
    """
    if doctor:
        see_doctor(bundle, provider, threads, json_path)
    if list_voices:
        print_voices(bundle)
        return
    if daemon:
        run_daemon(bundle, provider, threads, voice, socket_path, quiet)
        return
    _check_options(output, voice, reference, transcript, instruction, streaming, json_path)
    from .options import SynthesisOptions
    from .synthesis.segments import check_text
    from .synthesizer import Synthesizer

    given = SynthesisOptions(seed=seed, temperature=temperature, top_k=top_k, top_p=top_p, rate=rate)
    spoken = read_text(text, text_file)
    check_text(spoken)  # all of this before the bundle is loaded

    with Synthesizer(bundle, provider=provider, threads=threads, voice=voice, flow_steps=flow_steps, lexicon=lexicon,
                     locale=locale) as synthesizer:
        if explain:
            click.echo(str(synthesizer.explain(spoken)))
            return
        cloned = None
        if reference is not None:
            cloned = synthesizer.clone_voice(reference, transcript, instruction=instruction)
        options = replace(given, voice=cloned)
        if streaming:
            stats = write_stream(synthesizer.stream(spoken, options), output)
        else:
            stats = write_whole(synthesizer, spoken, output, options)
        figures = {"command": sys.argv[1:], "version": version(), "output": output,
                   "bundle": str(synthesizer.bundle.root), "model": synthesizer.bundle.manifest.model,
                   "sample_rate": synthesizer.sample_rate, "seed": seed, "stats": stats.as_dict()}
    if json_path is not None:
        write_json(json_path, figures)
    if not quiet and sys.stdout is not None:
        print_table(stats, output, aside="-" in (output, json_path))


def main() -> None:
    """Entry point of `tldr-speak`."""
    if "--client" in sys.argv[1:]:
        from .resident import client

        sys.exit(client.main([word for word in sys.argv[1:] if word != "--client"]))
    run(speak)


def run_daemon(bundle: Path | None, provider: str, threads: int | None, voice: str | None, socket_path: str | None,
               quiet: bool) -> None:
    """Keep a voice loaded and speak what clients send, until the process is interrupted or terminated."""
    from .resident.client import default_socket
    from .resident.server import listen, serve
    from .synthesizer import Synthesizer

    path = socket_path or default_socket()
    with listen(path) as listener, Synthesizer(bundle, provider=provider, threads=threads, voice=voice,
                                               warm_up=True) as synthesizer:
        if not quiet:
            click.echo(f"Speaking at {path}", err=True)
        serve(synthesizer, listener)


def read_text(words: tuple[str, ...], path: Path | None) -> str:
    """Return the words, the text of a file, or standard input for `-` and where nothing is given and it is a pipe.

    Raises:
        click.UsageError: nothing is given, or both words and a file.
        TextError: the file or standard input cannot be read, is not UTF-8, or is far too long.
    """
    if path is not None and words:
        raise click.UsageError("Give TEXT or --file, not both.")
    if path is None and words and words != ("-",):
        return " ".join(words)
    if path is None and not words and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("Missing argument 'TEXT'.")
    name = "Standard input" if path is None else str(path)
    try:
        if path is not None:
            with path.open("rb") as file:
                data = file.read(_STDIN_BYTES + 1)
        elif sys.stdin is None:
            raise TextError("Standard input is closed; give the text as an argument.")
        else:
            data = sys.stdin.buffer.read(_STDIN_BYTES + 1)
    except OSError as error:
        raise TextError(f"{name} cannot be read: {error.strerror}.") from error
    if len(data) > _STDIN_BYTES:
        raise TextError(f"{name} holds more than {_STDIN_BYTES >> 20} MiB of text; split it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextError(f"{name} is not UTF-8 text (byte {error.start}); convert it first.") from error


def write_whole(synthesizer: Synthesizer, text: str, output: str, options: SynthesisOptions) -> Stats:
    """Make all audio, then write it."""
    audio = synthesizer.synthesize(text, options)
    if output == "-":
        with _stdout() as file:
            file.write(audio.wav_bytes())
    else:
        audio.save(output)
    return audio.stats


def write_stream(stream: Stream, output: str) -> Stats:
    """Write samples as they are made."""
    from .atomic import atomic_file
    from .audio import WavWriter

    with stream, _stdout() if output == "-" else atomic_file(output) as file:
        writer = WavWriter(file, stream.sample_rate)
        for chunk in stream:
            writer.write(chunk)
        writer.finish()
    return stream.stats


def write_json(path: str, figures: dict[str, Any]) -> None:
    """Write figures to a file, or to standard output for `-`."""
    from .atomic import atomic_file

    data = (json.dumps(figures, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    with _stdout() if path == "-" else atomic_file(path) as file:
        file.write(data)


def see_doctor(bundle: Path | None, provider: str, threads: int | None, json_path: str | None) -> NoReturn:
    """Print each finding as it comes; exit 0, or 1 where one of them keeps this machine from speaking as asked."""
    from rich.console import Console
    from rich.markup import escape

    from .doctor import examine

    console, findings = Console(stderr=json_path == "-", highlight=False, soft_wrap=True), []
    colours = {"ok": "green", "warn": "yellow", "fail": "red"}
    with _stdout():
        for finding in examine(bundle, provider, threads):
            findings.append(finding)
            console.print(f"[{colours[finding.status]}]{finding.status:<4}[/]  {finding.check:<20}", escape(finding.found))
            if finding.advice:
                console.print(f"{'':<26}", "→ " + escape(finding.advice))
    if json_path is not None:
        write_json(json_path, {"version": version(), "findings": [asdict(finding) for finding in findings]})
    sys.exit(any(finding.status == "fail" for finding in findings))


def print_voices(bundle: Path | None) -> None:
    """Print the names for --voice, one per line, the default first."""
    from .bundle.reader import Bundle

    opened = Bundle.open(bundle)
    default = opened.manifest.default_voice
    with _stdout():
        for name in sorted(opened.voices, key=lambda name: (name != default, name)):
            click.echo(name)


def print_table(stats: Stats, output: str, aside: bool) -> None:
    """The figures a user looks for first; `aside`: on stderr, as stdout carries the audio or JSON."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for name, value in (
        ("audio", f"{stats.audio_seconds:.2f} s"),
        ("RTF", f"{stats.rtf:.3f} (compute / audio)"),
        ("TTFA", f"{1000 * stats.ttfa_seconds:.0f} ms"),
        ("patches", f"{stats.patches:,}"),
        ("tokens", f"{stats.tokens:,}"),
        ("KV cache", f"{stats.kv_cache_bytes_used:,} bytes used of {stats.kv_cache_bytes_allocated:,}"),
        ("provider", stats.provider),
    ):
        table.add_row(name, value)
    with _stdout():
        console = Console(stderr=aside, highlight=False)
        if output != "-":
            console.print(f"Wrote {output}", markup=False)
        console.print(table)


def version() -> str:
    """Version of the installed toolkit."""
    return installed(["tldr-edge"]).get("tldr-edge", "unknown")


def _check_options(output: str, voice: str | None, reference: Path | None, transcript: str | None, instruction: str | None,
                   streaming: bool, json_path: str | None) -> None:
    if reference is None and (transcript is not None or instruction is not None):
        raise OptionError("--transcript and --instruction go with a recording; give --reference as well.")
    if transcript is not None and instruction is not None:
        raise OptionError("--transcript and --instruction exclude each other; give one of them.")
    if reference is not None and voice is not None:
        raise OptionError("--voice and --reference exclude each other; give one of them.")
    if reference is not None and not _is_file(reference):
        raise OptionError(f"There is no recording at {str(reference)[:300]}.")
    for path in (output, json_path):
        if path is not None:
            _check_folder(path)
    from .audio import check_suffix

    if not (streaming and not Path(output).suffix):
        check_suffix(output)
    if json_path is not None and _same_file(output, json_path):
        raise OptionError(f"--output and --json cannot both go to {output}.")
    if streaming and Path(output).suffix.lower() not in (".wav", ""):
        raise OptionError(f"--stream writes WAV only; {output} must end in .wav, or be `-`.")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or a folder that may not be entered
        return False


def _check_folder(path: str) -> None:
    """Raise OutputError where the folder of an output does not exist, before anything is computed."""
    folder = os.path.dirname(os.path.abspath(path))
    if path != "-" and not os.path.isdir(folder):
        raise OutputError(f"Cannot write {path[:300]}: there is no folder {folder[:300]}; make it, or choose another place.")


def _same_file(first: str, second: str) -> bool:
    """Return whether two outputs are one file, whatever links and spellings name it."""
    return first == second or ("-" not in (first, second) and os.path.realpath(first) == os.path.realpath(second))


@contextlib.contextmanager
def _stdout() -> Iterator[BinaryIO]:
    if sys.stdout is None:
        raise OutputError("Standard output is closed; write into a file, with --quiet.")
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"Cannot write to standard output: {error.strerror}.") from error


if __name__ == "__main__":
    main()
