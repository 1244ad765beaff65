"""Opens a bundle directory: everything in it is checked before anything is used, and every refusal is one sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from ..atomic import file_digest
from ..errors import BundleError, OptionError, VoiceError
from .contract import STEP, Graph, flow_vocoder_graphs, language_model_graphs, step_graph, streaming_vocoder_graph
from .folder import OpenFolder
from .manifest import MANIFEST, SCHEMA, Flow, Manifest, Pace, Vocoder
from .voice import Voice, read_voice

EMBEDDED = Path(__file__).parents[1] / "bundles" / "embedded"
"""The bundle that ships with the toolkit."""
MAX_MANIFEST_BYTES = 4 << 20
MAX_SECONDS = 600.0
MAX_TEXT_IDS = 8192
MAX_FLOW_STEPS = 1000
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
OWN_WORDS = "text/words.tsv"
"""A user's own words, the only file that is read without being listed."""
_AGAIN = "copy or export the bundle again"


@dataclass(frozen=True)
class Bundle:
    """A checked bundle: its folder and its manifest."""

    root: Path
    manifest: Manifest
    stamps: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)
    """Device, inode, size and times of each file when it was hashed; empty for a bundle that was not opened here."""
    folder: OpenFolder | None = field(default=None, compare=False, repr=False)
    """The directory that was checked; None for a bundle that was not opened here."""

    @classmethod
    def open(cls, path: Path | str | None = None) -> Bundle:
        """Open the bundle at `path`, or the embedded voice's.

        Raises:
            BundleError: missing, incomplete, corrupt, foreign, of another schema, or not consistent in itself.
        """
        root = EMBEDDED if path is None else Path(path)
        if path is None and not (root / MANIFEST).is_file():
            raise BundleError("This installation holds no embedded voice; make a bundle with tldr-export and name it.")
        try:
            found = root.is_dir()
        except (OSError, ValueError) as error:  # a name that is too long, a folder that may not be entered, a null character
            raise BundleError(f"{str(root)[:300]} cannot be opened ({error}); name another bundle.") from error
        if not found:
            raise BundleError(f"There is no bundle at {root}; make one with tldr-export --out {root}.")
        try:
            folder = OpenFolder(root)
        except OSError as error:
            raise BundleError(f"{root} cannot be opened ({error.strerror}); name another bundle.") from error
        manifest = read_manifest(folder.path / MANIFEST, root / MANIFEST)
        check_consistency(manifest)
        _check_unlisted(folder.path, manifest)
        stamps = {}
        for name, digest in manifest.files.items():
            stamps[name] = _stamp(folder.path / name)  # before it is hashed: a change during that shows, too
            _check_file(folder.path, name, digest)
        return cls(root.resolve(), manifest, stamps, folder)  # voices and graphs are read later, wherever the process is then

    @property
    def path(self) -> Path:
        """The directory as it was opened, even where another one has its name now."""
        return self.root if self.folder is None else self.folder.path

    def graph_files(self) -> dict[str, Path]:
        """Return the path of each graph in the directory as it was opened, to load it in this process."""
        return {name: self.path / self.manifest.graph_path(name) for name in self.manifest.graphs}

    def check_unchanged(self) -> None:
        """Raise BundleError where a file is no longer the one that was hashed, as what was loaded may be of two bundles."""
        for name, stamp in self.stamps.items():
            if _stamp(self.path / name) != stamp:
                raise BundleError(f"The bundle at {self.root} was replaced or changed while it was loaded ({name}); load it "
                                  "again.")

    def graph_paths(self) -> dict[str, Path]:
        """Return the path of each graph."""
        return {name: self.root / self.manifest.graph_path(name) for name in self.manifest.graphs}

    @property
    def voices(self) -> list[str]:
        """Names of the voices, sorted."""
        return sorted(self.manifest.voices)

    def voice(self, name: str | None = None) -> Voice:
        """The voice of that name, or the default; VoiceError if there is none, BundleError if its file is no voice."""
        chosen = self.manifest.default_voice if name is None else name
        if chosen is None or chosen not in self.manifest.voices:
            raise VoiceError(f"There is no voice {chosen!r} in this bundle; it has {', '.join(self.voices) or 'none'}.")
        return read_voice(self.path / self.manifest.voices[chosen], chosen, self.manifest)

    def with_flow_steps(self, steps: int | None) -> Bundle:
        """The same with another number of steps of CosyVoice3's flow; None leaves what the bundle says.

        Raises:
            OptionError: a value out of its range, or the vocoder of this bundle is no flow.
        """
        if steps is None:
            return self
        vocoder = self.manifest.vocoder
        if vocoder is None or vocoder.flow is None:
            raise OptionError(f"The bundle {self.manifest.model} has no flow whose steps could be chosen; leave that option "
                              "out.")
        if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MAX_FLOW_STEPS:
            raise OptionError(f"flow_steps must be a whole number from 1 to {MAX_FLOW_STEPS}, not {steps!r}.")
        vocoder = msgspec.structs.replace(vocoder, flow=msgspec.structs.replace(vocoder.flow, steps=steps))
        return replace(self, manifest=msgspec.structs.replace(self.manifest, vocoder=vocoder))


def read_manifest(source: Path, path: Path | None = None) -> Manifest:
    """`bundle.json` at `source` as its struct; BundleError, naming `path`, if it is missing, too large, no JSON or foreign."""
    path = path or source
    try:
        if source.exists() and not source.is_file():
            raise BundleError(f"{path} is not a regular file: this is not a complete bundle; {_AGAIN}.")
        with source.open("rb") as file:
            data = file.read(MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}): this is no whole bundle; {_AGAIN}.") from error
    if len(data) > MAX_MANIFEST_BYTES:
        raise BundleError(f"{path} is larger than {MAX_MANIFEST_BYTES >> 20} MiB: this is no bundle of this toolkit.")
    try:
        schema = msgspec.json.decode(data, type=_Schema).schema
        if schema != SCHEMA:
            raise BundleError(f"{path} has schema {schema}, this version reads schema {SCHEMA}: update the toolkit, or "
                              "export the bundle again.")
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.ValidationError as error:
        raise BundleError(f"{path} does not fit the manifest of a bundle: {error}; export the bundle again.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path} is not valid JSON ({error}); {_AGAIN}.") from error


def check_consistency(manifest: Manifest) -> None:
    """Raise BundleError where parts of the manifest contradict each other or are out of range."""
    _check_ranges(manifest)
    expected = language_model_graphs(manifest.sizes, manifest.precision, manifest.cpu)
    if STEP in manifest.graphs:
        expected[STEP] = step_graph(manifest.sizes, manifest.precision, manifest.cpu)
    if manifest.vocoder is not None:
        expected |= vocoder_graphs(manifest, manifest.vocoder)
    _compare_graphs(expected, manifest.graphs)
    for name in [*map(manifest.graph_path, expected), *manifest.voices.values(), *_extra_files(manifest)]:
        if name not in manifest.files:
            raise BundleError(f"bundle.json lists no sha256 for {name}; export the bundle again.")
    if manifest.text != "none" and not any(name.startswith("text/") for name in manifest.files):
        raise BundleError("bundle.json lists no text front-end files; export the bundle again.")
    if manifest.default_voice is not None and manifest.default_voice not in manifest.voices:
        raise BundleError(f"bundle.json has no voice {manifest.default_voice!r}, its default; export the bundle again.")


def vocoder_graphs(manifest: Manifest, vocoder: Vocoder) -> dict[str, Graph]:
    """The graphs that a vocoder of this form has."""
    if (vocoder.kind == "flow") != (vocoder.flow is not None):
        raise BundleError("bundle.json describes its vocoder in parts that do not belong together; export the bundle again.")
    if vocoder.flow is not None:
        return flow_vocoder_graphs(vocoder.flow.sizes, manifest.precision)
    return {"vocoder": streaming_vocoder_graph(manifest.sizes.speaker, vocoder.state, vocoder.samples_per_token)}


def _extra_files(manifest: Manifest) -> list[str]:
    flow = None if manifest.vocoder is None else manifest.vocoder.flow
    encoders = manifest.encoders
    return [*([] if flow is None else [flow.noise]), *([] if encoders is None else [encoders.speaker, encoders.tokens]),
            *([] if manifest.listener is None else [manifest.listener])]


def _check_flow(flow: Flow) -> dict[str, bool]:
    sizes = flow.sizes
    return {
        "vocoder.flow.sizes": all(1 <= getattr(sizes, name) <= 1 << 24 for name in sizes.__struct_fields__),
        "vocoder.flow.chunk_tokens": flow.sizes.token_lookahead < flow.chunk_tokens <= 1000,
        "vocoder.flow.steps": 1 <= flow.steps <= MAX_FLOW_STEPS,
        "vocoder.flow.window_frames": flow.chunk_tokens * sizes.frames_per_token <= flow.window_frames <= 1 << 20,
        "vocoder.flow.look_back": 0 <= flow.pitch_look_back <= 10_000 and 0 <= flow.wave_look_back <= 10_000,
        "vocoder.flow.max_silent": flow.max_silent >= 0,
    }


def _check_ranges(manifest: Manifest) -> None:
    sizes, limits, vocoder = manifest.sizes, manifest.limits, manifest.vocoder
    sampling = manifest.sampling
    checks: dict[str, bool] = {
        "sizes": all(1 <= getattr(sizes, name) <= 1 << 24 for name in sizes.__struct_fields__),
        "sizes.codes": sizes.codes < sizes.vocabulary,
        "sizes.window": not (sizes.token_level and sizes.window != 1),
        "token_rate": 1 <= manifest.token_rate <= 1000,
        "limits.max_seconds": 0 < limits.max_seconds <= MAX_SECONDS,
        "limits.prompt_seconds": 0 <= (limits.prompt_seconds or 0) <= MAX_SECONDS,
        "limits.max_text_ids": 1 <= limits.max_text_ids <= MAX_TEXT_IDS,
        "limits.pace": limits.pace is None or _check_pace(limits.pace),
        "limits.max_tokens_per_id": 0 <= limits.min_tokens_per_id <= limits.max_tokens_per_id <= 1000,
        "sampling": 0 <= sampling.temperature <= 10 and 1 <= sampling.top_k <= 64 and 0 < sampling.top_p <= 1
                    and 0 <= sampling.repetition_window <= 10_000 and sampling.repetitions >= 1,
    }
    if vocoder is not None:
        checks["vocoder.sample_rate"] = 1000 <= vocoder.sample_rate <= 384_000
        checks["vocoder.samples_per_token"] = 1 <= vocoder.samples_per_token <= 1 << 20
        checks["vocoder.lookahead"] = 0 <= vocoder.lookahead <= 1000
        checks["vocoder.state"] = 0 <= vocoder.state <= 1 << 24
        checks |= {} if vocoder.flow is None else _check_flow(vocoder.flow)
    for name, good in checks.items():
        if not good:
            raise BundleError(f"bundle.json is out of range at {name}; export the bundle again.")


def _check_pace(pace: Pace) -> bool:
    return 0 <= pace.tokens <= 1000 and 0 < pace.tokens_per_id <= 1000 and 0 <= pace.least < pace.most <= 1000


def _compare_graphs(expected: Mapping[str, Graph], found: Mapping[str, Graph]) -> None:
    if expected.keys() != found.keys():
        raise BundleError(f"bundle.json describes the graphs {sorted(found)}, expected {sorted(expected)}; "
                          "export the bundle again.")
    for name, graph in expected.items():
        if graph != found[name]:
            raise BundleError(f"bundle.json describes graph {name} in another way than its sizes and precision ask; "
                              "export the bundle again.")


def _stamp(path: Path) -> tuple[int, ...]:
    """Return device, inode, size and times of a file; nothing where it is missing."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _check_unlisted(root: Path, manifest: Manifest) -> None:
    """Raise BundleError where a folder whose files are found by name holds one that is not listed, and so not hashed."""
    folders = {"text", *(manifest.graph_path(name).rpartition("/")[0] for name in manifest.graphs)} - {""}
    for folder in sorted(folders):
        try:
            names = [f"{folder}/{path.name}" for path in (root / folder).iterdir() if not path.name.startswith(".")]
        except OSError:  # missing: its files are, too, and one of them is named below
            continue
        if extra := sorted({*names} - manifest.files.keys() - {OWN_WORDS}):
            raise BundleError(f"bundle.json lists no sha256 for {extra[0]}, which the bundle holds; {_AGAIN}.")


def _check_file(root: Path, name: str, digest: str) -> None:
    """Raise BundleError unless `name` is a file inside the bundle with that sha256."""
    parts = name.split("/")
    if not all(_PART.fullmatch(part) for part in parts):
        raise BundleError(f"bundle.json names {name!r}, which is no plain path inside the bundle: do not trust it.")
    path = root.joinpath(*parts)
    try:
        if not path.resolve(strict=True).is_relative_to(root.resolve()):
            raise BundleError(f"{name} leads out of the bundle through a link; {_AGAIN}.")
        if not path.is_file():
            raise BundleError(f"{name} is no file; {_AGAIN}.")
        found = file_digest(path)
    except FileNotFoundError as error:
        raise BundleError(f"The bundle is incomplete: {name} is missing; {_AGAIN}.") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise BundleError(f"{name} cannot be read ({error}); {_AGAIN}.") from error
    if found != digest.lower():
        raise BundleError(f"{name} is corrupt: its sha256 is not the one in bundle.json; {_AGAIN}.")


class _Schema(msgspec.Struct):
    """The schema number alone, which distinguishes a newer bundle from a damaged one."""

    schema: int
