"""`tldr-serve`: speech over OpenAI's API, a WebSocket, a page, and Wyoming, from one synthesizer."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Sequence
from pathlib import Path

import click

from runtime import Synthesizer
from runtime.backends import CHOICES, MAX_THREADS
from runtime.command import run
from runtime.decoding.batch_decoder import MAX_BATCH
from runtime.errors import OptionError
from runtime.text.normalization.scanner import LOCALES, Locale
from serving.backends.local import ROWS, LocalBackend
from serving.http.access import AccessRules
from serving.http.app import create_app
from serving.http.connections import MAX_CONNECTIONS, REQUEST_SECONDS, SEND_SECONDS, ConnectionLimits
from serving.http.server import Service as Beside
from serving.http.server import SpeechServer, bind, set_up_logging
from serving.limits import MAX_PER_CLIENT, MAX_REQUESTS, Admission
from serving.speech import Service
from serving.voices import VoiceNames

_log = logging.getLogger("serving")


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), help="Bundle to speak with [default: the embedded voice].")
@click.option("--provider", type=click.Choice(CHOICES), default="auto", show_default=True)
@click.option("--threads", type=click.IntRange(1, MAX_THREADS), help="CPU threads [default: the library's choice].")
@click.option("--batch", type=click.IntRange(1, MAX_BATCH), default=ROWS, show_default=True,
              help="Utterances decoded together.")
@click.option("--lexicon", type=click.Path(path_type=Path), metavar="FILE",
              help="Your own words: lines of a word, a tab, and a respelling, /IPA/ or ARPAbet.")
@click.option("--locale", type=click.Choice(LOCALES), default="en-US", show_default=True,
              help="Order of day and month in dates.")
@click.option("--voice", help="Voice of requests that name none [default: the bundle's].")
@click.option("--voice-alias", "aliases", multiple=True, metavar="NAME=VOICE", help="Further name of a voice; repeatable.")
@click.option("--no-cloning", is_flag=True, help="Take no recordings to clone voices from.")
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Address to listen on; see SECURITY.md before another one.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--api-key", envvar="TLDR_API_KEY", help="Ask clients for this key.")
@click.option("--allowed-host", "hosts", multiple=True, help="Further name of this server; `*` allows all; repeatable.")
@click.option("--cors-origin", "origins", multiple=True, help="Site whose pages may use it, or `*`; repeatable.")
@click.option("--strict", is_flag=True, help="Refuse unknown fields, voices, models and values out of range.")
@click.option("--max-requests", type=click.IntRange(1), default=MAX_REQUESTS, show_default=True)
@click.option("--max-per-client", type=click.IntRange(1), default=MAX_PER_CLIENT, show_default=True)
@click.option("--max-connections", type=click.IntRange(1), default=MAX_CONNECTIONS, show_default=True)
@click.option("--request-timeout", type=click.FloatRange(0.1), default=REQUEST_SECONDS, show_default=True,
              help="Seconds in which a request must be complete.")
@click.option("--send-timeout", type=click.FloatRange(0.1), default=SEND_SECONDS, show_default=True,
              help="Seconds after which a client that reads nothing is disconnected.")
@click.option("--graceful-timeout", type=click.FloatRange(0, 3600), default=1.0, show_default=True,
              help="Seconds for utterances to end by themselves on SIGTERM.")
@click.option("--wyoming", metavar="URI", help="Also serve Home Assistant's protocol, such as tcp://0.0.0.0:10200.")
@click.option("--zeroconf", metavar="NAME", help="Announce the Wyoming server on the network under this name.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True)
def serve(bundle: Path | None, provider: str, threads: int | None, batch: int, lexicon: Path | None, locale: Locale,
          voice: str | None, aliases: Sequence[str],
          no_cloning: bool, host: str, port: int, api_key: str | None, hosts: Sequence[str], origins: Sequence[str],
          strict: bool, max_requests: int, max_per_client: int, max_connections: int, request_timeout: float,
          send_timeout: float, graceful_timeout: float, wyoming: str | None, zeroconf: str | None, log_level: str) -> None:
    """Serve speech: OpenAI's API under /v1, a page under /, a WebSocket, /health and /metrics."""
    names = VoiceNames(_read_aliases(aliases), strict)
    rules = AccessRules(_check_key(api_key), hosts, origins)
    _check_wyoming(wyoming, zeroconf)
    listener = bind(host, port)
    set_up_logging(log_level)
    if api_key is None and not _is_loopback(host):
        _log.warning("%s can be reached from other machines and asks for no key: whoever reaches it can make it speak. Set "
                     "TLDR_API_KEY, or put a proxy before it.", host)
    with Synthesizer(bundle, provider=provider, threads=threads, voice=voice, warm_up=True, lexicon=lexicon,
                     locale=locale) as synthesizer:
        backend = LocalBackend(synthesizer, batch, cloning=not no_cloning, default_voice=voice)
        service = Service(backend, names, Admission(max_requests, max_per_client), strict)
        beside: list[Beside] = [_wyoming_server(wyoming, zeroconf, service, send_timeout)] if wyoming else []
        limits = ConnectionLimits(max_connections, request_timeout, send_timeout)
        server = SpeechServer(create_app(service, rules, backend.close), limits, graceful_timeout, beside, service.stop)
        _log.info("Speech on http://%s:%d: %s, %s", host, listener.getsockname()[1], synthesizer.bundle.manifest.model,
                  synthesizer.provider)
        asyncio.run(server.serve([listener]))
        backend.close()


def _read_aliases(aliases: Sequence[str]) -> dict[str, str]:
    pairs = [alias.partition("=") for alias in aliases]
    if bad := [alias for alias, (name, _, voice) in zip(aliases, pairs, strict=True) if not name or not voice]:
        raise OptionError(f"--voice-alias must be NAME=VOICE, not {bad[0]!r}.")
    return {name: voice for name, _, voice in pairs}


def _check_key(key: str | None) -> str | None:
    if key is not None and not key.strip():
        raise OptionError("The API key is empty, which would let everybody in: give one, or unset TLDR_API_KEY.")
    return key


def _check_wyoming(uri: str | None, zeroconf: str | None) -> None:
    """OptionError before anything is loaded."""
    if zeroconf and not uri:
        raise OptionError("--zeroconf announces the Wyoming server; give --wyoming as well.")
    if uri:
        from serving.wyoming.server import check_uri

        check_uri(uri, zeroconf is not None)


def _wyoming_server(uri: str, zeroconf: str | None, service: Service, send_timeout: float) -> Beside:
    from serving.wyoming.server import WyomingServer

    return WyomingServer(uri, zeroconf, service, send_timeout).start


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def main() -> None:
    """Entry point."""
    run(serve)


if __name__ == "__main__":
    main()
