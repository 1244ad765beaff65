"""The queue in front of a synthesizer."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from types import FrameType

import pytest

from runtime.errors import BusyError, Cancelled
from runtime.streaming.request_queue import Ticket, Turn
from tests.conftest import sentence_of


def owned(owner: object, urgent: bool = False) -> Ticket:
    ticket = Ticket(urgent)
    ticket.owner = owner
    return ticket


def queue_behind(turn: Turn, ticket: Ticket, order: list[object]) -> threading.Thread:
    """A thread that waits for its turn, in the queue by the time this returns."""

    def wait() -> None:
        with contextlib.suppress(Cancelled), turn.hold(ticket):
            order.append(ticket.owner)

    thread = threading.Thread(target=wait)
    thread.start()
    deadline = time.monotonic() + 5
    while ticket not in turn._waiting and time.monotonic() < deadline:
        time.sleep(0.001)
    return thread


def test_first_come_first_served_but_warnings_before_all() -> None:
    turn, order = Turn(), list[object]()
    with turn.hold(owned("holder")):
        threads = [queue_behind(turn, owned(name, name.startswith("w")), order) for name in ("a", "b", "w1", "c", "w2")]
    for thread in threads:
        thread.join(5)
    assert order == ["w1", "w2", "a", "b", "c"]


def test_a_cancelled_ticket_gets_no_turn() -> None:
    turn, ticket = Turn(), Ticket()
    ticket.cancel()
    with pytest.raises(Cancelled) as error, turn.hold(ticket):
        pass
    sentence_of(error)
    with turn.hold(Ticket()):
        pass


def test_waiting_for_oneself_is_refused_for_threads_and_tasks_alike() -> None:
    turn = Turn()
    with turn.hold(owned("task 1")):
        with pytest.raises(BusyError) as error, turn.hold(owned("task 1")):
            pass
        sentence_of(error)


def test_a_cancelled_holder_is_waited_for() -> None:
    """Its listener has gone on already, and asks for the next utterance while the last patch is still being made."""
    turn, holder, order = Turn(), owned("robot"), list[object]()
    with turn.hold(holder):
        holder.cancel()
        thread = queue_behind(turn, owned("robot"), order)
        assert thread.is_alive()
    thread.join(5)
    assert order == ["robot"]


def test_only_the_holder_aborts_what_runs() -> None:
    aborted: list[int] = []
    turn, holder, other = Turn(lambda: aborted.append(1)), Ticket(), owned("other")
    with turn.hold(holder):
        thread = queue_behind(turn, other, [])
        other.cancel()
        assert aborted == []
        holder.cancel()
        assert aborted == [1]
    thread.join(5)
    holder.cancel()
    assert aborted == [1]  # it holds nothing any more


def test_a_listener_that_comes_late_is_told_at_once() -> None:
    ticket, told = Ticket(), list[int]()
    ticket.cancel()
    ticket.on_cancel(lambda: told.append(1))
    assert told == [1]


def test_a_signal_handler_may_cancel_while_its_thread_waits() -> None:
    turn, ticket = Turn(), owned("main")

    def handler(number: int, frame: FrameType | None) -> None:
        ticket.cancel()

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with turn.hold(owned("holder")):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(Cancelled), turn.hold(ticket):
                pass
    finally:
        signal.signal(signal.SIGALRM, before)
