"""Exit of the commands: one sentence on stderr for what the user can correct, and an exit code."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

import click

from .backends.memory import tune_process
from .errors import TldrError

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
_came: list[int] = []
"""The interrupts of the command that runs."""


def run(command: click.Command) -> NoReturn:
    """Run `command` on the process's arguments: exit 0, 2 for bad input, 130 for Ctrl-C; a traceback means a bug."""
    tune_process()
    _accept_any_character()
    with _interrupts(), _terminations():
        try:
            command.main(standalone_mode=False)  # it answers a broken pipe itself: exit 1, no words
            sys.exit(0)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except TldrError as error:
            _say(f"Error: {error}")
            sys.exit(EXIT_BAD_INPUT)
        except (KeyboardInterrupt, click.Abort):
            _leave_interrupted()
        except _Terminated as ended:
            sys.exit(128 + ended.number)
        except EOFError:  # click takes it for an interrupt; a library that meets the end of a file raises it, too
            raise
        except OSError as error:
            if error.filename is None or isinstance(error, BrokenPipeError):
                raise
            _say(f"Error: {os.fsdecode(error.filename)[:300]}: {error.strerror}; choose another path.")
            sys.exit(EXIT_BAD_INPUT)
        except Exception:
            # A library's own code may turn the interrupt into an error of another kind: safetensors, opening a file, does.
            if not _came:
                raise
            _leave_interrupted()


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if an interrupt came before: a library may have swallowed it. Long work calls this between its
    steps."""
    if _came:
        raise KeyboardInterrupt


class _Terminated(BaseException):
    """SIGTERM or SIGHUP came: what is being written is removed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def _terminations() -> Iterator[None]:
    """Raise `_Terminated` for the signals that end a process, where no handler is installed."""
    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough: the second must not break the clean-up
        raise _Terminated(number)

    in_main = threading.current_thread() is threading.main_thread()
    ours = [number for number in (signal.SIGTERM, signal.SIGHUP) if in_main and signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _accept_any_character() -> None:
    """Let terminals and files of any encoding take what is printed: characters that they lack are escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _interrupts() -> Iterator[None]:
    """Note the interrupts that come; each still raises KeyboardInterrupt. Where they are ignored or handled, that stays."""
    _came.clear()

    def note(number: int, frame: FrameType | None) -> None:
        _came.append(number)
        signal.default_int_handler(number, frame)

    in_main = threading.current_thread() is threading.main_thread()
    ours = in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        _came.clear()
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave_interrupted() -> NoReturn:
    # Python remembers an interrupt that fell into code run from a string, as PyTorch's tracer has it, until the next such
    # run, and would end by the signal instead of the code.
    exec("")
    _say("Interrupted; no file was left half-written.")
    sys.exit(EXIT_INTERRUPTED)


def _say(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr)
