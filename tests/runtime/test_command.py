"""Command lines end with the code and the sentence that they promise, whatever a library makes of Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable

import click
import pytest

from runtime.command import raise_if_interrupted, run
from runtime.errors import OptionError


def _swallowed() -> None:
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise ValueError("a library's own words") from None


def _forgotten() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    raise_if_interrupted()


def _plain() -> None:
    signal.raise_signal(signal.SIGINT)


def _bad() -> None:
    raise OptionError("That is wrong.")


def _ends(act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    monkeypatch.setattr("sys.argv", ["command"])
    with pytest.raises(SystemExit) as ended:
        run(click.command()(act))
    return ended.value.code


@pytest.mark.parametrize(("act", "code", "said"), [
    (_plain, 130, "Interrupted; no file was left half-written."),
    (_swallowed, 130, "Interrupted; no file was left half-written."),
    (_forgotten, 130, "Interrupted; no file was left half-written."),
    (raise_if_interrupted, 0, ""),
    (_bad, 2, "Error: That is wrong."),
    (lambda: None, 0, ""),
])
def test_endings(act: Callable[[], None], code: int, said: str, monkeypatch: pytest.MonkeyPatch,
                 capsys: pytest.CaptureFixture[str]) -> None:
    assert _ends(act, monkeypatch) == code
    assert capsys.readouterr().err.strip() == said


def test_a_bug_keeps_its_traceback_and_the_handler_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("sys.argv", ["command"])
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError):
        run(broken)
    assert signal.getsignal(signal.SIGINT) is before
