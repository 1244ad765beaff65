"""Markdown, HTML and line structure to running prose: a heading, a list item and a paragraph each end a sentence."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_TAG = re.compile(r"</?[a-zA-Z][\w-]{0,30}(?:\s[^<>=]{0,100}=[^<>]{0,300})?\s?/?>|<!--[^<>]{0,500}-->")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{0,300}(?: \"[^\"\n]{0,100}\")?\)")
_CITATION = re.compile(r"(?<=[a-z.,;!?\")])[ ]?\[[1-9]\d{0,2}(?:[,-] ?\d{1,3}){0,9}\]")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,200}|[^<>\s@]{1,100}@[^<>\s@]{1,100})>")
_RULE = re.compile(r"[-*_=~+#|:\s]+")
_FENCE = re.compile(r"\s*(?:```|~~~)[\w+-]*\s*$")
_HEADING = re.compile(r"\s*#{1,6}\s+")
_QUOTE = re.compile(r"\s*>(?:\s?>)*(?:\s|$)")
_BULLET = re.compile(r"\s*(?:[-*+·]\s+(?:\[[ xX]\]\s+)?|(\d{1,3})[.)]\s+)(?=\S)")
_EMPHASIS = re.compile(r"`+|(?<![\d*])\*\*\*?|\*\*\*?(?![\d*])|~~|(?<!\w)__|__(?!\w)")
_FINAL = ".!?:;,—"


def strip_markup(text: str) -> str:
    """One line of prose; the pieces of a list or of separate paragraphs end with a full stop unless they had an end."""
    if "&" in text:
        text = html.unescape(text).replace("\xa0", " ")
    text = _AUTOLINK.sub(r" \1 ", text) if "<" in text else text
    text = _TAG.sub(" ", text) if "<" in text else text
    text = _LINK.sub(r"\1", text)
    text = _CITATION.sub("", text)
    blocks = [block for block in _blocks(text) if block]
    return " ".join([*(_closed(block) for block in blocks[:-1]), *blocks[-1:]])


def _blocks(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in text.split("\n"):
        if not line.strip() or _FENCE.match(line) or (_RULE.fullmatch(line) and len(line.strip()) > 1):
            starts, ends, content = True, True, ""
        else:
            starts, ends, content = _read_line(line)
        if starts and lines:
            yield _joined(lines)
            lines = []
        if content:
            lines.append(content)
        if ends and lines:
            yield _joined(lines)
            lines = []
    yield _joined(lines)


def _read_line(line: str) -> tuple[bool, bool, str]:
    """Whether a line starts a block, whether it is a block by itself, and what it says."""
    if quoted := _QUOTE.match(line):
        line = line[quoted.end():]
    if heading := _HEADING.match(line):
        return True, True, line[heading.end():].rstrip(" #")
    if bullet := _BULLET.match(line):
        number = f"{bullet[1]}, " if bullet[1] else ""
        return True, False, number + line[bullet.end():]
    if line.strip().startswith("|"):
        return True, True, line.strip().strip("|")
    return False, False, line


def _joined(lines: list[str]) -> str:
    return " ".join(_EMPHASIS.sub("", " ".join(lines)).split())


def _closed(block: str) -> str:
    return block if block[-1] in _FINAL else block + "."
