"""Exports over and over, each killed (-9) at a random moment; run as a process of its own, which forks one child an export.

`python -m tests.faults.kill_exports COUNT SEED CHECKPOINT FOLDER`. After each kill the target is absent, or a bundle that opens
and is one of the two that were exported. Prints how many kills found it absent, old and new.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import torch

from export import exporter
from export.checkpoints.sources import CheckpointSource
from export.exporter import Order, export_bundle
from runtime.bundle.reader import Bundle
from runtime.errors import BundleError
from tests.export.tiny import PATCH

LENGTHS = (10.0, 12.0)
"""`--max-seconds` of the two exports that take each other's place."""


def main() -> None:
    """Export once in peace, then kill."""
    count, seed, checkpoint, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    torch.set_num_threads(1)
    source, target, moments = CheckpointSource(checkpoint), folder / "made" / "bundle", random.Random(seed)
    graphs = export_bundle(source, Order(PATCH, "fp32", LENGTHS[0], verify=False), folder / "good").path / "onnx"
    # Tracing takes nearly all of an export's time: with copied graphs the kills fall on the writing.
    exporter.write_graph = lambda module, graph, sizes, ids, path, finish: [Path(shutil.copy(graphs / path.name, path))]  # type: ignore[attr-defined]
    begin = time.perf_counter()
    export_bundle(source, Order(PATCH, "fp32", LENGTHS[0], verify=False), folder / "timed")
    seconds, found = time.perf_counter() - begin, Counter[str]()
    for number in range(count):
        if number % 10 == 0:
            shutil.rmtree(target, ignore_errors=True)
        child = os.fork()
        if not child:
            while True:
                for length in LENGTHS:
                    export_bundle(source, Order(PATCH, "fp32", length, verify=False), target)
        time.sleep(moments.uniform(0, 2.5 * seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found[check(target)] += 1
    export_bundle(source, Order(PATCH, "fp32", LENGTHS[1], verify=False), target)
    left = [path.name for path in target.parent.iterdir() if path.name != target.name]
    if left:
        sys.exit(f"the last export left {left} behind")
    print(found["absent"], found["10.0"], found["12.0"])


def check(target: Path) -> str:
    """What lies at the target; exits if it is anything but nothing or a whole bundle."""
    for partial in target.parent.glob(".*") if target.parent.exists() else ():
        try:
            Bundle.open(partial)
        except BundleError:
            continue  # unfinished, and it says so; one that opens is whole, as its hashes are right
    if not target.exists():
        return "absent"
    length = Bundle.open(target).manifest.limits.max_seconds
    if length not in LENGTHS:
        sys.exit(f"a bundle for {length} s was never exported")
    return str(length)


if __name__ == "__main__":
    main()
