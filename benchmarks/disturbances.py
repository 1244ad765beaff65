"""Disturbances of a soak run: bad input, dropped and timed-out calls, urgent speech, calls from hooks, interrupts."""

from __future__ import annotations

import asyncio
import ctypes
import math
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from runtime import BusyError, Cancelled, Synthesizer, TldrError

INTERRUPTS_PER_SECOND = 3.0
_BAD: tuple[tuple[Any, dict[str, Any]], ...] = (
    ("", {}), (" \n", {}), ("\U0001F642", {}), ("x" * 100_001, {}), ("<speak><break time='1s'", {}),
    ("Hi.", {"voice": "nobody"}), ("Hi.", {"rate": math.nan}), ("Hi.", {"temperature": -1.0}),
    ("Hi.", {"top_k": 10**9}), (None, {}), (b"Hi.", {}), (7, {}),
)
"""Text and options that must end in an exception of this toolkit."""


def give_bad_input(synthesizer: Synthesizer, source: random.Random) -> None:
    """Expect the documented exception."""
    text, options = source.choice(_BAD)
    try:
        synthesizer.synthesize(text, **options)
    except TldrError:
        return
    raise AssertionError(f"{str(text)[:20]!r} with {options} was accepted")


def drop_stream(synthesizer: Synthesizer, source: random.Random) -> None:
    """Leave a stream unfinished in a reference cycle."""

    class Player:
        def __init__(self) -> None:
            self.stream = synthesizer.stream("A player that was dropped, and refers to itself.", seed=1)
            self.myself = self

    player = Player()
    if source.random() < 0.8:
        next(player.stream, None)


def stall(synthesizer: Synthesizer, source: random.Random) -> None:
    """Stop listening for a moment, then cancel."""
    stream = synthesizer.stream("A listener that stands still for a moment holds up all others.", seed=1)
    with stream.buffered(source.choice((0.1, 5.0))) as chunks:
        next(chunks, None)
        time.sleep(source.uniform(0, 0.3))


def time_out(synthesizer: Synthesizer, source: random.Random) -> None:
    """Await speech for less time than it takes."""

    async def wait() -> None:
        try:
            await asyncio.wait_for(synthesizer.synthesize_async("This takes longer than anyone waits for it."),
                                   source.uniform(0.01, 0.3))
        except (TimeoutError, asyncio.TimeoutError, Cancelled):
            return

    asyncio.run(wait())


def warn(synthesizer: Synthesizer, source: random.Random) -> None:
    """Interrupt all others; another warning may interrupt this one."""
    del source
    try:
        if not len(synthesizer.synthesize("Stop!", interrupt=True, seed=1).samples):
            raise AssertionError("a warning without a sample")
    except Cancelled:
        return


def fail_in_text(synthesizer: Synthesizer, source: random.Random) -> None:
    """Raise in the iterator that writes the text."""

    def words() -> Any:
        yield "One sentence. "
        raise LookupError("the language model died")

    try:
        list(synthesizer.stream(words(), seed=source.randrange(3)))
    except (LookupError, Cancelled):
        return


def speak_a_batch(synthesizer: Synthesizer, source: random.Random) -> None:
    """Speak three texts in a batch, cancelled or not."""
    batch = synthesizer.synthesize_many(["One.", "Two and three.", "Four."], seed=source.randrange(3))
    if source.random() < 0.5:
        threading.Timer(source.uniform(0, 0.2), batch.cancel).start()
    try:
        for _, audio in batch:
            if not np.isfinite(audio.samples).all():
                raise AssertionError("samples that are not finite")
    except Cancelled:
        return


DISTURBANCES: dict[str, Callable[[Synthesizer, random.Random], None]] = {
    function.__name__: function
    for function in (give_bad_input, drop_stream, stall, time_out, warn, fail_in_text, speak_a_batch)
}


class ReentrantHook:
    """A stage hook that calls the synthesizer now and then, which must be refused."""

    def __init__(self, every: int = 500) -> None:
        self.synthesizer: Synthesizer | None = None
        self.refused = 0
        self.failures: list[str] = []
        self._every = every
        self._calls = 0

    def __call__(self, stage: str, seconds: float) -> None:
        """Take a stage's time, as `Hooks.stage`."""
        self._calls += 1
        synthesizer = self.synthesizer
        if synthesizer is None or self._calls % self._every:
            return
        try:
            synthesizer.synthesize("From a hook.")
            self.failures.append("a call from a hook was not refused")
        except (BusyError, Cancelled):
            self.refused += 1


class Interrupter:
    """Raises KeyboardInterrupt at random instants in random threads."""

    def __init__(self, threads: Sequence[threading.Thread], seed: int = 0) -> None:
        self.count = 0
        self._threads = threads
        self._source = random.Random(seed)
        self._next = time.monotonic() + 1

    def interrupt_one(self) -> None:
        """Interrupt a thread if it is time to."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._source.uniform(0, 2 / INTERRUPTS_PER_SECOND)
        running = [thread.ident for thread in self._threads if thread.is_alive()]  # idents are used again
        ident = self._source.choice(running) if running else None
        if ident is not None:
            self.count += ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(KeyboardInterrupt))


def operating_system_threads() -> int:
    """Threads of this process, those of libraries included."""
    return len(list(Path("/proc/self/task").iterdir()))


def descriptors() -> set[str]:
    """Open descriptors of this process: number and target."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{path.name} {path.readlink()}")
        except OSError:  # that of the listing itself
            continue
    return found
