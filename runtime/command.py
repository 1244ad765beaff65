"""How the toolkit's command lines end: one sentence on stderr for what the user can mend, and an exit code."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from runtime.errors import TldrError

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def run(command: click.Command) -> NoReturn:
    """Run `command` on the process's arguments: exit 0, 2 for bad input, 130 for Ctrl-C; a traceback means a bug."""
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
        # Python remembers an interrupt that fell into code run from a string, as PyTorch's tracer has it, until the next such
        # run, and would end by the signal instead of the code.
        exec("")
        _say("Interrupted; no file was left half-written.")
        sys.exit(EXIT_INTERRUPTED)


def _say(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr)
