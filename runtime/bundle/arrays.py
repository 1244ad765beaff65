"""Bounded reading of `.npz` files, which may come from anywhere: no pickles, no member larger than it says."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

MAX_MEMBERS = 64


def load_arrays(path: Path, most_bytes: int) -> dict[str, np.ndarray]:
    """Return all arrays of a file.

    Raises:
        ValueError: more than `most_bytes` unpacked, more than `MAX_MEMBERS` members, or a header that claims more elements than
            its member has bytes.
        `runtime.atomic.BROKEN_ARCHIVE`: whatever else numpy and zipfile raise for damaged files.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > MAX_MEMBERS:
            raise ValueError(f"it has {len(members):,} members, at most {MAX_MEMBERS} are read")
        if sum(member.file_size for member in members) > most_bytes:
            raise ValueError(f"it unpacks to more than {most_bytes >> 20} MiB")
        for member in members:
            with archive.open(member) as file:
                _check_header(file, member)
    with np.load(path, allow_pickle=False) as data:
        return {name: np.asarray(data[name]) for name in data.files}


def _check_header(file: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Raise ValueError where the array's header claims more than the member holds: numpy would allocate what it claims."""
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{member.filename[:80]} has an unknown format")
    shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
    if math.prod(shape) * max(1, dtype.itemsize) > member.file_size:
        raise ValueError(f"{member.filename[:80]} claims more elements than it has")
