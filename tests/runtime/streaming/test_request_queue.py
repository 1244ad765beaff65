"""The queue in front of a synthesizer."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from types import FrameType

import pytest

from runtime.errors import BusyError, Cancelled
from runtime.streaming.request_queue import CancelToken, RequestQueue
from tests.conftest import sentence_of


def owned(owner: object, urgent: bool = False) -> CancelToken:
    cancel_token = CancelToken(urgent)
    cancel_token.owner = owner
    return cancel_token


def queue_behind(turn: RequestQueue, cancel_token: CancelToken, order: list[object]) -> threading.Thread:
    """A thread that waits for its turn, in the queue by the time this returns."""

    def wait() -> None:
        with contextlib.suppress(Cancelled), turn.acquire(cancel_token):
            order.append(cancel_token.owner)

    thread = threading.Thread(target=wait)
    thread.start()
    deadline = time.monotonic() + 5
    while cancel_token not in turn.waiting and time.monotonic() < deadline:
        time.sleep(0.001)
    return thread


def test_first_come_first_served_but_warnings_before_all() -> None:
    turn, order = RequestQueue(), list[object]()
    with turn.acquire(owned("holder")):
        threads = [queue_behind(turn, owned(name, name.startswith("w")), order) for name in ("a", "b", "w1", "c", "w2")]
    for thread in threads:
        thread.join(5)
    assert order == ["w1", "w2", "a", "b", "c"]


def test_a_cancelled_ticket_gets_no_turn() -> None:
    turn, cancel_token = RequestQueue(), CancelToken()
    cancel_token.cancel()
    with pytest.raises(Cancelled) as error, turn.acquire(cancel_token):
        pass
    sentence_of(error)
    with turn.acquire(CancelToken()):
        pass


def test_waiting_for_oneself_is_refused_for_threads_and_tasks_alike() -> None:
    turn = RequestQueue()
    with turn.acquire(owned("task 1")):
        with pytest.raises(BusyError) as error, turn.acquire(owned("task 1")):
            pass
        sentence_of(error)


def test_a_cancelled_holder_is_waited_for() -> None:
    """Its listener has gone on already, and asks for the next utterance while the last patch is still being made."""
    turn, holder, order = RequestQueue(), owned("robot"), list[object]()
    with turn.acquire(holder):
        holder.cancel()
        thread = queue_behind(turn, owned("robot"), order)
        assert thread.is_alive()
    thread.join(5)
    assert order == ["robot"]


def test_only_the_holder_aborts_what_runs() -> None:
    aborted: list[int] = []
    turn, holder, other = RequestQueue(lambda: aborted.append(1)), CancelToken(), owned("other")
    with turn.acquire(holder):
        thread = queue_behind(turn, other, [])
        other.cancel()
        assert aborted == []
        holder.cancel()
        assert aborted == [1]
    thread.join(5)
    holder.cancel()
    assert aborted == [1]  # it holds nothing any more


def test_a_listener_that_comes_late_is_told_at_once() -> None:
    cancel_token, told = CancelToken(), list[int]()
    cancel_token.cancel()
    cancel_token.on_cancel(lambda: told.append(1))
    assert told == [1]


def test_a_signal_handler_may_cancel_while_its_thread_waits() -> None:
    turn, cancel_token = RequestQueue(), owned("main")

    def handler(number: int, frame: FrameType | None) -> None:
        cancel_token.cancel()

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with turn.acquire(owned("holder")):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(Cancelled), turn.acquire(cancel_token):
                pass
    finally:
        signal.signal(signal.SIGALRM, before)
