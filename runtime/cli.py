"""`tldr-speak`: text in, a sound file out, and what it cost."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import click

from .backends import CHOICES
from .cli_output import (
    DEFAULT_OUTPUT,
    FORMATS,
    check_outputs,
    check_player,
    play_stream,
    print_table,
    standard_output,
    write_json,
    write_stream,
    write_timestamps,
    write_whole,
)
from .command import run
from .doctor.packages import installed
from .errors import OptionError, TextError

if TYPE_CHECKING:
    from .audio import Audio
    from .streaming.stream import Stream

_STDIN_BYTES = 4 << 20


@click.command()
@click.argument("text", nargs=-1)
@click.option("-f", "--file", "text_file", type=click.Path(path_type=Path), metavar="FILE", help="Read TEXT from a file.")
@click.option("-o", "--output", metavar="FILE",
              help=".wav, .flac, .ogg, .mp3, .opus, .aac or raw int16 (.pcm); `-` is standard output "
              f"[default: {DEFAULT_OUTPUT}].")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="Format, where the suffix does not say it [default: wav].")
@click.option("--play", is_flag=True, help="Play on this machine's sound device while it is generated, instead of a file.")
@click.option("--sample-rate", type=int, metavar="HZ", help="8000 to 48000 [default: the bundle's].")
@click.option("--gain", type=float, default=0.0, metavar="DB", help="-40 to 40 dB; peaks are compressed, not clipped.")
@click.option("--silence", type=float, default=0.0, metavar="S", help="Seconds of silence after the speech, 0 to 10.")
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
@click.option("--stream", "streaming", is_flag=True, help="Write samples as they are generated.")
@click.option("--json", "json_path", metavar="PATH", help="Write the figures as JSON too.")
@click.option("--timestamps", "timestamps_path", metavar="FILE",
              help="Write the times of words: .json (with phonemes and visemes), .srt or .vtt.")
@click.option("--doctor", is_flag=True, help="Check machine, bundle and providers, say what to do; exit 1 if unfit.")
@click.option("--rate", type=float, default=1.0, show_default=True, metavar="R", help="0.5 (slow) to 2 (fast).")
@click.option("--lexicon", type=click.Path(path_type=Path), metavar="FILE",
              help="Your own words: lines of a word, a tab, and a respelling, /IPA/ or ARPAbet.")
@click.option("--locale", type=click.Choice(("en-US", "en-GB")), default="en-US", show_default=True,
              help="Order of day and month in dates.")
@click.option("--no-normalize", is_flag=True, help="CosyVoice3: pass TEXT to the model's tokenizer unchanged.")
@click.option("--explain", is_flag=True, help="Print how TEXT is read, word by word, and speak nothing.")
@click.option("--daemon", is_flag=True, help="Stay, and speak what `tldr-speak --client` hands over.")
@click.option("--socket", "socket_path", metavar="PATH",
              help="Unix socket of --daemon and --client [default: in the user's runtime folder].")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.version_option(package_name="tldr-edge")
def speak(text: tuple[str, ...], text_file: Path | None, output: str | None, kind: str | None, play: bool,
          sample_rate: int | None, gain: float, silence: float, bundle: Path | None, voice: str | None,
          list_voices: bool, reference: Path | None, transcript: str | None, instruction: str | None, seed: int,
          provider: str, threads: int | None, temperature: float | None, top_k: int | None, top_p: float | None,
          flow_steps: int | None, streaming: bool, json_path: str | None, timestamps_path: str | None, doctor: bool,
          rate: float, lexicon: Path | None, locale: Literal["en-US", "en-GB"], no_normalize: bool, explain: bool, daemon: bool,
          socket_path: str | None, quiet: bool) -> None:
    """Speak TEXT, plain or SSML, into a sound file. `-`, or no TEXT where standard input is a pipe, reads it from there.

    With --stream and `-o -` the WAV is written as it is generated, its header without a length; into a file it grows beside
    its place and appears there when it is complete. `-o - --format pcm` writes int16 samples without a header.
    """
    if doctor:
        see_doctor(bundle, provider, threads, json_path)
    if list_voices:
        print_voices(bundle)
        return
    if daemon:
        run_daemon(bundle, provider, threads, voice, socket_path, quiet, lexicon, locale)
        return
    _check_options(voice, reference, transcript, instruction)
    if play and (output or kind):
        raise OptionError("--play plays the speech; leave out --output and --format, or --play.")
    if play:
        check_player()
    place = "-" if play else output or DEFAULT_OUTPUT
    check_outputs(place, kind, None if play and json_path == "-" else json_path, streaming, timestamps_path)
    from .options import SynthesisOptions
    from .output.processing import OutputSettings
    from .synthesis.segments import check_text
    from .synthesizer import Synthesizer

    device = OutputSettings(sample_rate=sample_rate, gain_db=gain, trailing_silence=silence)
    given = SynthesisOptions(seed=seed, temperature=temperature, top_k=top_k, top_p=top_p, rate=rate,
                             words=timestamps_path is not None)
    spoken = read_text(text, text_file)
    check_text(spoken)  # all of this before the bundle is loaded

    with Synthesizer(bundle, provider=provider, threads=threads, voice=voice, flow_steps=flow_steps, lexicon=lexicon,
                     locale=locale, output=device, normalize=not no_normalize) as synthesizer:
        if explain:
            click.echo(str(synthesizer.explain(spoken)))
            return
        cloned = None
        if reference is not None:
            cloned = synthesizer.clone_voice(reference, transcript, instruction=instruction)
        options = replace(given, voice=cloned)
        if play:
            speech: Audio | Stream = play_stream(synthesizer.stream(spoken, options))
        elif streaming:
            speech = write_stream(synthesizer.stream(spoken, options), place, kind)
        else:
            speech = write_whole(synthesizer, spoken, place, kind, options)
        stats = speech.stats
        figures = {"command": sys.argv[1:], "version": version(), "output": None if play else place,
                   "bundle": str(synthesizer.bundle.root), "model": synthesizer.bundle.manifest.model,
                   "sample_rate": synthesizer.sample_rate, "seed": seed, "stats": stats.as_dict()}
    if timestamps_path is not None:
        write_timestamps(timestamps_path, speech.timestamps, quiet)
    if json_path is not None:
        write_json(json_path, figures)
    if not quiet and sys.stdout is not None:
        print_table(stats, place, aside=json_path == "-" or (place == "-" and not play))


def main() -> None:
    """Entry point of `tldr-speak`."""
    if "--client" in sys.argv[1:]:
        from .resident import client

        sys.exit(client.main([word for word in sys.argv[1:] if word != "--client"]))
    run(speak)


def run_daemon(bundle: Path | None, provider: str, threads: int | None, voice: str | None, socket_path: str | None,
               quiet: bool, lexicon: Path | None, locale: Literal["en-US", "en-GB"]) -> None:
    """Keep a voice loaded and speak what clients send, until the process is interrupted or terminated."""
    from .resident.client import default_socket
    from .resident.server import listen, serve
    from .synthesizer import Synthesizer

    path = socket_path or default_socket()
    with listen(path) as listener, Synthesizer(bundle, provider=provider, threads=threads, voice=voice,
                                               warm_up=True, lexicon=lexicon, locale=locale) as synthesizer:
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


def see_doctor(bundle: Path | None, provider: str, threads: int | None, json_path: str | None) -> NoReturn:
    """Print each finding as it comes; exit 0, or 1 where one of them keeps this machine from speaking as asked."""
    from rich.console import Console
    from rich.markup import escape

    from .doctor import examine

    console, findings = Console(stderr=json_path == "-", highlight=False, soft_wrap=True), []
    colours = {"ok": "green", "warn": "yellow", "fail": "red"}
    with standard_output():
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
    with standard_output():
        for name in sorted(opened.voices, key=lambda name: (name != default, name)):
            click.echo(name)


def version() -> str:
    """Version of the installed toolkit."""
    return installed(["tldr-edge"]).get("tldr-edge", "unknown")


def _check_options(voice: str | None, reference: Path | None, transcript: str | None, instruction: str | None) -> None:
    if reference is None and (transcript is not None or instruction is not None):
        raise OptionError("--transcript and --instruction go with a recording; give --reference as well.")
    if transcript is not None and instruction is not None:
        raise OptionError("--transcript and --instruction exclude each other; give one of them.")
    if reference is not None and voice is not None:
        raise OptionError("--voice and --reference exclude each other; give one of them.")
    if reference is not None and not _is_file(reference):
        raise OptionError(f"There is no recording at {str(reference)[:300]}.")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or a folder that may not be entered
        return False


if __name__ == "__main__":
    main()
