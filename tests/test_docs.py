"""README and docs: Python snippets run, commands have the options they are shown with, named files exist, the site builds."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SNIPPET = re.compile(r"(?:<!-- snippet: (?P<note>.*?)-->\s*)?^```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```(?:bash|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMANDS = dict(re.findall(r'^(tldr-[a-z]+) = "(.+?)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE))
SOURCES = ("runtime", "serving", "engines", "export")


def page(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def script(text: str) -> str:
    """A page's snippets as one program. `snippet: setup` runs hidden lines before one; `snippet: needs X` leaves one out."""
    parts = []
    for found in SNIPPET.finditer(text):
        note = (found["note"] or "").strip()
        if note.startswith("needs"):
            continue
        parts += [note.removeprefix("setup"), found["code"]]
    return "\n".join(parts)


@pytest.mark.parametrize("path", [path for path in PAGES if "```python" in path.read_text()], ids=page)
def test_python_snippets_run(path: Path, tmp_path: Path) -> None:
    program = script(path.read_text())
    if not program.strip():
        pytest.skip("its snippets need what is not here")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


def commands(text: str) -> Iterator[list[str]]:
    """Lines of shell blocks that call a command of ours, up to a pipe or a second command."""
    for block in SHELL.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            for index, word in enumerate(words):
                if word.removeprefix(".venv/bin/") in COMMANDS:
                    end = next((i for i in range(index, len(words)) if words[i] in ("|", "&&", ";", ">")), len(words))
                    yield [word.removeprefix(".venv/bin/"), *words[index + 1:end]]
                    break


@cache
def options_of(name: str, *subcommand: str) -> set[str]:
    """All options that the help of a command names."""
    module, _, function = COMMANDS[name].partition(":")
    program = f"import sys; from {module} import {function}; sys.argv = {[name, *subcommand, '--help']}; {function}()"
    shown = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    return {"-h", *re.findall(r"(?<![a-z])--?[a-z][a-z0-9-]*", shown.stdout)}


@pytest.mark.parametrize("path", [path for path in PAGES if any(commands(path.read_text()))], ids=page)
def test_commands_have_the_options_shown(path: Path) -> None:
    for name, *words in commands(path.read_text()):
        subcommand = words[:1] if name == "tldr-bench" and words[0] in ("compare", "report") else []
        wrong = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} - options_of(name, *subcommand)
        assert not wrong, f"{name} {' '.join(words)}: {wrong}"


def test_pages_name_files_that_exist() -> None:
    pattern = re.compile(r"`((?:runtime|export|engines|training|serving|benchmarks|tests|docs|voices|examples)/[\w/.]*[\w/])`")
    missing = [f"{page(path)}: {name}" for path in PAGES for name in pattern.findall(path.read_text())
               if not (ROOT / name).exists() and "NAME" not in name]
    assert not missing, missing


def test_troubleshooting_quotes_messages_of_the_source() -> None:
    source = "\n".join(path.read_text() for folder in SOURCES for path in (ROOT / folder).rglob("*.py"))
    source = re.sub(r'"\s*\\?\n\s*f?"', "", source)  # literals that go on in the next line
    lines = (ROOT / "docs" / "troubleshooting.md").read_text().splitlines()
    rows = [line.split("|")[1] for line in lines if line.startswith("| `")]
    assert len(rows) > 20
    quoted = [quote for row in rows if "(pip)" not in row for quote in re.findall("`([^`]+)`", row)]
    assert not (gone := [quote for quote in quoted if quote not in source]), gone


def test_readme_is_one_screen() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 120 and len(re.findall(r"[0-9]+(?:[.,][0-9]+)*", text)) <= 60
    beginning = "\n".join(text.splitlines()[:20])
    assert "pip install ." in beginning and ".wav" in beginning and "stream(" in "\n".join(text.splitlines()[:30])


def test_nothing_advises_an_install_from_pypi() -> None:
    """The name is not on PyPI: somebody else could take it."""
    wrong = [f"{page(path)}" for path in [*PAGES, *(p for folder in (*SOURCES, "benchmarks", "training", "examples")
                                                   for p in sorted((ROOT / folder).rglob("*.py")))]
             if re.search(r"pip install '?\"?tldr-edge", path.read_text())]
    assert not wrong, wrong


def test_the_site_builds(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs the extra docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False,
                          env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0, done.stderr
    assert "synthesize" in (tmp_path / "site" / "python-api.html").read_text()
