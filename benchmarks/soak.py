"""`python -m benchmarks.soak`: an hour of utterances in one process, from several threads, some of them disturbed.

Utterances are cancelled, dropped, timed out, interrupted by exceptions and by urgent ones, called from hooks, given bad input.
Each whole result must equal its single-threaded twin, sample for sample, and each cancelled one must be the twin's beginning;
the resident memory must stay where it was after the warm-up; no call may wait forever; no thread and no descriptor may be left.
"""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import math
import os
import queue
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click
import msgspec
import numpy as np
from rich.console import Console
from rich.progress import Progress

from benchmarks.disturbances import DISTURBANCES, Interrupter, ReentrantHook, descriptors, operating_system_threads
from benchmarks.held_out import held_out
from runtime import Cancelled, Hooks, Stream, Synthesizer
from runtime.command import run

STUCK_SECONDS = 300.0
"""If nothing has ended for so long, the threads are shown and the run fails."""
KINDS = 40
"""Different texts; each comes many times, with the same seed, so that its twin is made once."""
WARM_UP = 0.1
"""Share of the utterances after which memory is taken as settled."""
DISTURBED = 0.25
"""Share of the jobs that are a disturbance of a mixed run."""


@dataclass
class Outcome:
    """Result of a run."""

    whole: int = 0
    cancelled: int = 0
    wrong: int = 0
    """Results that differ from their twins: lost or mixed audio."""
    audio_seconds: float = 0.0
    rss_after_warm_up: int = 0
    rss_at_the_end: int = 0
    """Medians over the samples of the first and the last tenth after the warm-up, bytes."""
    growth: float = 0.0
    """rss_at_the_end / rss_after_warm_up - 1."""
    rss: list[int] = field(default_factory=list)
    disturbances: dict[str, int] = field(default_factory=dict)
    """Number of disturbances of each kind."""
    failures: list[str] = field(default_factory=list)
    """Disturbances that did not end as documented, 20 at most."""
    interrupts: int = 0
    refused_in_hooks: int = 0
    """Calls from inside an utterance, each of which was refused with BusyError."""
    threads_left: int = 0
    descriptors_left: int = 0


@dataclass(frozen=True)
class SoakTask:
    """One utterance. `cancel_after`: seconds, None for one that is spoken to its end."""

    kind: int
    way: str
    cancel_after: float | None


class Soak:
    """The run: twins first, then workers that take jobs from one queue, until it is empty or the time is over."""

    def __init__(self, synthesizer: Synthesizer, texts: list[str], utterances: int, threads: int, seed: int = 0,
                 seconds: float = math.inf, mixed: bool = False) -> None:
        """`seconds`: longest time; `mixed`: with disturbances and interrupts."""
        self._synthesizer = synthesizer
        self._texts = texts
        self._threads = threads
        self._seconds = seconds
        self._mixed = mixed
        self._ends = math.inf
        source = self._source = random.Random(seed)
        self._twins = [synthesizer.stream(text, seed=kind).collect().samples for kind, text in enumerate(texts)]
        self._jobs: queue.SimpleQueue[SoakTask] = queue.SimpleQueue()
        for _ in range(utterances):
            cancel = source.uniform(0, 0.3) if source.random() < 0.3 else None
            self._jobs.put(SoakTask(source.randrange(len(texts)), source.choice(("stream", "buffered", "collect")), cancel))
        self._lock = threading.Lock()
        self._last_end = time.monotonic()
        self.outcome = Outcome()

    @property
    def done(self) -> int:
        """Utterances that have ended."""
        return self.outcome.whole + self.outcome.cancelled

    def run(self, progress: Callable[[], None] = lambda: None) -> Outcome:
        """Work off all jobs; exits where nothing moves any more."""
        self._ends = time.monotonic() + self._seconds
        workers = [threading.Thread(target=self._work, name=f"soak-{number}", daemon=True) for number in range(self._threads)]
        for worker in workers:
            worker.start()
        interrupter = Interrupter(workers) if self._mixed else None
        while any(worker.is_alive() for worker in workers):
            time.sleep(0.05)
            progress()
            if interrupter is not None and time.monotonic() < self._ends:
                interrupter.interrupt_one()
                self.outcome.interrupts = interrupter.count
            if time.monotonic() - self._last_end > STUCK_SECONDS:
                faulthandler.dump_traceback(all_threads=True)
                sys.exit(f"Nothing has ended for {STUCK_SECONDS:g} s: a deadlock, or a very slow machine.")
        settled = self.outcome.rss[int(WARM_UP * len(self.outcome.rss)):]
        tenth = max(1, len(settled) // 10)
        self.outcome.rss_after_warm_up = int(np.median(settled[:tenth]))
        self.outcome.rss_at_the_end = int(np.median(settled[-tenth:]))
        self.outcome.growth = self.outcome.rss_at_the_end / self.outcome.rss_after_warm_up - 1
        return self.outcome

    def _work(self) -> None:
        while time.monotonic() < self._ends:
            with contextlib.suppress(KeyboardInterrupt):  # of the interrupter: the next job must not notice it
                job = self._take_job()
                if job is None:
                    return
                if self._mixed and self._source.random() < DISTURBED:
                    self._disturb(self._source.choice(list(DISTURBANCES)))
                self._speak(job)

    def _take_job(self) -> SoakTask | None:
        try:
            return self._jobs.get_nowait()
        except queue.Empty:
            return None

    def _speak(self, job: SoakTask) -> None:
        stream = self._synthesizer.stream(self._texts[job.kind], seed=job.kind)
        timer = threading.Timer(job.cancel_after, stream.cancel) if job.cancel_after is not None else None
        if timer is not None:
            timer.start()
        samples = listen(stream, job.way)
        if timer is not None:
            timer.cancel()
        self._count_in(job, stream, samples)

    def _disturb(self, name: str) -> None:
        counts = self.outcome.disturbances
        counts[name] = counts.get(name, 0) + 1
        try:
            DISTURBANCES[name](self._synthesizer, self._source)
        except Exception as error:
            if len(self.outcome.failures) < 20:
                self.outcome.failures.append(f"{name}: {type(error).__name__}: {error}")

    def _count_in(self, job: SoakTask, stream: Stream, samples: np.ndarray | None) -> None:
        twin = self._twins[job.kind]
        cut = stream.cancelled
        good = samples is None or (digest(samples) == digest(twin[:len(samples)]) and (cut or len(samples) == len(twin)))
        with self._lock:
            self.outcome.whole += not cut
            self.outcome.cancelled += cut
            self.outcome.wrong += not good
            self.outcome.audio_seconds += stream.stats.audio_seconds
            self.outcome.rss.append(resident_bytes())
            self._last_end = time.monotonic()


def listen(stream: Stream, way: str) -> np.ndarray | None:
    """Samples that came before the end or a cancel; None where a cancelled `collect` gives none."""
    if way == "collect":
        try:
            return stream.collect().samples
        except Cancelled:
            return None
    chunks = stream.buffered(1.0) if way == "buffered" else stream
    return np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in chunks)])


def digest(samples: np.ndarray) -> str:
    """sha256 of samples."""
    return hashlib.sha256(samples.tobytes()).hexdigest()


def resident_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def random_texts(count: int, seed: int = 0) -> list[str]:
    """Beginnings of held-out sentences, of 1 to 20 words."""
    source, sentences = random.Random(seed), [sentence.text for sentence in held_out(None)]
    return [" ".join(source.choice(sentences).split()[:source.randint(1, 20)]) for _ in range(count)]


@click.command()
@click.option("--bundle", type=click.Path(path_type=Path), default=None, help="Bundle directory; default: the embedded voice.")
@click.option("--minutes", type=float, default=60.0, show_default=True, help="Duration of the run.")
@click.option("--utterances", type=int, default=100_000, show_default=True, help="Most utterances.")
@click.option("--threads", type=int, default=4, show_default=True, help="Threads that ask for speech.")
@click.option("--compute-threads", type=int, default=2, show_default=True, help="Threads that compute.")
@click.option("--mixed/--calm", default=True, show_default=True, help="With disturbances, or with cancels only.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=None, help="Write the figures here.")
def main(bundle: Path | None, minutes: float, utterances: int, threads: int, compute_threads: int, mixed: bool,
         json_path: Path | None) -> None:
    """Speak for a long time; exit 1 for a wrong sample, a deadlock, what is left open, or memory that grew by more than 2 %."""
    hook = ReentrantHook()
    with Synthesizer(bundle, provider="cpu", threads=compute_threads) as synthesizer:  # a first load may leave threads
        synthesizer.synthesize("One.")
    threads_before, descriptors_before = operating_system_threads(), descriptors()
    hooks = Hooks(stage=hook) if mixed else None
    with Synthesizer(bundle, provider="cpu", threads=compute_threads, hooks=hooks) as synthesizer:
        soak = Soak(synthesizer, random_texts(KINDS), utterances, threads, seconds=60 * minutes, mixed=mixed)
        hook.synthesizer = synthesizer
        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("utterances", total=None)
            outcome = soak.run(lambda: bar.update(task, completed=soak.done))
        hook.synthesizer = None
    outcome.refused_in_hooks = hook.refused
    time.sleep(1)
    outcome.threads_left = operating_system_threads() - threads_before
    outcome.descriptors_left = len(descriptors() - descriptors_before)
    click.echo(f"{outcome.whole} whole, {outcome.cancelled} cancelled, {outcome.wrong} wrong; {outcome.audio_seconds:.0f} s of "
               f"audio; RSS {outcome.rss_after_warm_up / 2**20:.1f} -> {outcome.rss_at_the_end / 2**20:.1f} MiB "
               f"({100 * outcome.growth:+.2f} %); {outcome.interrupts} interrupts, {outcome.refused_in_hooks} calls from hooks "
               f"refused, {outcome.disturbances}; {outcome.threads_left} threads and {outcome.descriptors_left} files left")
    for failure in [*outcome.failures, *hook.failures]:
        click.echo(failure)
    if json_path is not None:
        json_path.write_bytes(msgspec.json.encode(asdict(outcome)))
    sys.exit(bool(outcome.wrong or outcome.failures or hook.failures) or outcome.growth > 0.02 or not soak.done
             or outcome.threads_left > 0 or outcome.descriptors_left > 0)


if __name__ == "__main__":
    run(main)
