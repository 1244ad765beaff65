"""The loop that every training stage runs: seeded, resumable, with progress, stoppable with Ctrl-C or a time limit."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from runtime.errors import OptionError

CPU = torch.device("cpu")
SAVE_SECONDS = 120.0
"""A killed run loses at most this much."""


class Stateful(Protocol):
    """Modules, optimisers, schedules."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state: Any, /) -> Any: ...


def fit(folder: Path, parts: Mapping[str, Stateful], step: Callable[[int], dict[str, float]], steps: int,
        validate: Callable[[], dict[str, float]] | None = None, validate_every: int = 250, writes: bool = True) -> int:
    """Run `step(i)` for i up to `steps`, from where the last run in `folder` stopped; returns the steps done.

    `step` must draw its data from i alone, so that a resumed run sees what an uninterrupted one would have seen. Figures go
    to `log.jsonl` (one line every 50 steps and each validation), state to `state.pt` (written, then renamed). Of several
    processes that train together only one `writes`.
    """
    keep_memory()
    folder.mkdir(parents=True, exist_ok=True)
    done = _restore(folder / "state.pt", parts)
    saved, sums, summed = time.monotonic(), dict[str, float](), 0
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} {task.fields[note]}"),
               TimeRemainingColumn())
    log_path = folder / "log.jsonl" if writes else Path(os.devnull)
    with Progress(*columns, disable=not writes) as progress, log_path.open("a", encoding="utf-8") as log:
        bar = progress.add_task(folder.name, total=steps, completed=done, note="")
        started = time.monotonic()
        while done < steps:
            for name, value in step(done).items():
                sums[name] = sums.get(name, 0.0) + value
            done, summed = done + 1, summed + 1
            if done % 50 == 0 or done == steps:
                means = {name: round(total / summed, 5) for name, total in sums.items()}
                sums.clear()
                summed = 0
                _write(log, {"step": done, "seconds": round(time.monotonic() - started, 1), **means})
                progress.update(bar, completed=done, note=" ".join(f"{k} {v:.3f}" for k, v in means.items()))
            if validate is not None and (done % validate_every == 0 or done == steps):
                _write(log, {"step": done, **validate()})
            if writes and (time.monotonic() - saved > SAVE_SECONDS or done == steps):
                _save(folder / "state.pt", parts, done)
                saved = time.monotonic()
    return done


def device_of(name: str) -> torch.device:
    """The device of that name. Raises OptionError where PyTorch has none."""
    try:
        found = torch.device(name)
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError) as error:
        raise OptionError(f"PyTorch cannot compute on {name!r} here ({str(error).splitlines()[0]}); "
                          "--device cpu works everywhere.") from error
    return found


def half(device: torch.device = CPU) -> contextlib.AbstractContextManager[Any]:
    """bfloat16 autocast on GPUs, and where the CPU multiplies in it (twice the speed there); nothing on one that would emulate
    it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device))


def has_bfloat16(device: torch.device = CPU) -> bool:
    """True for devices with bfloat16 multiplication: GPUs, and CPUs that need not emulate it."""
    return device.type != "cpu" or (torch.backends.cpu.get_cpu_capability() == "AVX512" and _has_flag("avx512_bf16"))


@cache
def _has_flag(flag: str) -> bool:
    with contextlib.suppress(OSError):
        return flag in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    return False


def keep_memory() -> None:
    """Tell glibc to keep freed blocks: on CPUs a third of a step went into page faults of tensors freed and mapped anew."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        mmap_max, trim_threshold = -4, -1
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)


def _write(log: Any, figures: dict[str, float]) -> None:
    log.write(json.dumps(figures) + "\n")
    log.flush()


def _save(path: Path, parts: Mapping[str, Stateful], done: int) -> None:
    partial = path.with_suffix(".partial")
    torch.save({"done": done, **{name: part.state_dict() for name, part in parts.items()}}, partial)
    os.replace(partial, path)


def _restore(path: Path, parts: Mapping[str, Stateful]) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["done"])


def warm_cosine(step: int, steps: int, warm_up: int, floor: float = 0.1) -> float:
    """Learning-rate factor: linear warm-up, then a cosine from 1 to `floor` (paper, Table 8)."""
    if step < warm_up:
        return (step + 1) / warm_up
    progress = (step - warm_up) / max(1, steps - warm_up)
    return floor + (1 - floor) * 0.5 * (1 + float(torch.cos(torch.tensor(progress * 3.14159265))))
