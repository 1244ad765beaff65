"""Fixtures of all packages: tiny bundles per run, exported bundles per state of the sources, a check on error messages."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.backends import create_backend
from runtime.backends.base import Backend
from runtime.bundle.reader import Bundle
from runtime.errors import TldrError
from runtime.synthesizer import Synthesizer
from tests.fixtures import exports, tiny_bundle

TEXT = "Hello world. Move two meters to the left!"
"""Two sentences that the tiny bundle can say."""
EXPORTED = {"embedded_voice", "cosyvoice_bundle"}
"""Fixtures that run an export."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests that take minutes")


def pytest_configure() -> None:
    """Ctrl-C reaches tests and what they start: where a shell has put the run into the background, it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if EXPORTED & set(getattr(item, "fixturenames", ())):
            item.add_marker("torch")
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes; run with --slow"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle, k = 4, FP32; not to be changed."""
    return tiny_bundle.build(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_token_level(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same at token level; not to be changed."""
    return tiny_bundle.build(tmp_path_factory.mktemp("token-level"), patch=1)


@pytest.fixture
def own_bundle(tiny: Path, tmp_path: Path) -> Path:
    """A copy that the test may damage."""
    return Path(shutil.copytree(tiny, tmp_path / "bundle"))


@pytest.fixture
def synthesizer(tiny: Path) -> Iterator[Synthesizer]:
    """A synthesizer on the tiny bundle."""
    with Synthesizer(tiny, provider="cpu", threads=1) as made:
        yield made


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[..., tuple[Bundle, Backend]]]:
    """A function that builds a tiny bundle with the given options and loads its graphs."""
    loaded: list[Backend] = []

    def make(**options: object) -> tuple[Bundle, Backend]:
        bundle = Bundle.open(tiny_bundle.build(tmp_path / f"made-{len(loaded)}", **options))  # type: ignore[arg-type]
        loaded.append(create_backend(bundle, "cpu", 1))
        return bundle, loaded[-1]

    yield make
    for backend in loaded:
        backend.close()


def sentence_of(error: pytest.ExceptionInfo[TldrError]) -> str:
    """The message, once it is held to be one clear sentence."""
    message = str(error.value)
    assert message.endswith("."), message
    assert "\n" not in message and 20 < len(message) < 400, message
    return message


@pytest.fixture(scope="session")
def embedded_voice() -> Path:
    """The embedded voice, exported as `make demo` exports it, every graph verified; not to be changed."""

    def export(target: Path) -> None:
        command = [sys.executable, "-m", "export.cli", "--patch", "4", "--fp16", "--engines", "none", "--out", str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return exports.cached("embedded", export)


@pytest.fixture(scope="session")
def cosyvoice_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CosyVoice3 directory in the public format; not to be changed."""
    from tests.fixtures import cosyvoice3

    return cosyvoice3.build(tmp_path_factory.mktemp("cosyvoice") / "model")


@pytest.fixture(scope="session")
def cosyvoice_bundle(cosyvoice_directory: Path) -> Path:
    """The token-level bundle of it, FP32, every graph verified; not to be changed."""

    def export(target: Path) -> None:
        from export.checkpoints.sources import open_source
        from export.config import ExportConfig
        from export.exporter import export_bundle
        from export.verification import loop_check

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop_check, "UTTERANCES", 2)
            patch.setattr(loop_check, "TOKENS", 24)
            config = ExportConfig(patch=1, precision="fp32", max_seconds=20.0)
            export_bundle(open_source(str(cosyvoice_directory), None), config, target)

    return exports.cached("cosyvoice3", export)
