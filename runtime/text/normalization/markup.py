"""Markdown, HTML and line structure to running prose: one line per heading, list item, table row or paragraph."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from .tracked_text import Edit, TrackedText

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8}\d{0,2});")
_ANSI = re.compile(r"(?:\x1b|\\(?:e|033|x1b))\[[\d;]{0,20}[A-Za-z]")
_LITERAL_BREAK = re.compile(r"(?<!\S)([^\s\\:]{1,80}(?:\\n[^\s\\:]{0,80}){0,20})\\[nr](?!\S{0,80}\\[^n])")
_BREAK_MARK = re.compile(r"(?:\\[nr])+")
_FACE = re.compile(r"[(（](?=[^\x00-\x7f]{0,5}[╯°□ಠツ｡◕‿ノ̿͡ಥ•́ω益ᴗ])[^\w\s()]{2,12}[)）][^\w\s.,!?]{0,3}|¯\\_\(ツ\)_/¯")
_COMMENT = re.compile(r"<!--[^<>]{0,500}-->")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]{0,30})((?:\s[^<>=]{0,100}=[^<>]{0,300})?)\s?(/?)>")
_PLACEHOLDER = re.compile(
    r"(?<![<\w ])<([A-Za-z][\w' +-]{0,40}[\w'])>|(?<=[\s(\"'])<([A-Za-z][\w' +-]{0,40})>|(?<=\w)<([A-Z]\w{0,30})>"
)
_BLOCK_TAGS_LIST = """
    p li ul ol h1 h2 h3 h4 h5 h6 div tr table blockquote pre hr dl dt dd body head html title
    """
_BLOCK_TAGS = frozenset(_BLOCK_TAGS_LIST.split())
_INLINE_TAGS_LIST = """
    a b i u s q em strong small big sub sup span font code kbd samp var mark del ins strike tt abbr cite center img td th
    thead tbody tfoot w speak
    """
_INLINE_TAGS = frozenset(_INLINE_TAGS_LIST.split())
_LINK = re.compile(
    r"!?\[([^\[\]\n]{0,300})\]\((?!/)[^()\s]{0,300}(?:\([^()\s]{0,100}\)[^()\s]{0,100})?(?: \"[^\"\n]{0,100}\")?\)"
    r"|!?\[([^\[\]\n]{0,300})\]\(/[^()\s]{0,300}[^()\s/](?: \"[^\"\n]{0,100}\")?\)"
)
_REFERENCE = re.compile(r"\[([^\[\]\n]{1,300})\]\[[^\[\]\n]{0,80}\]")
_DEFINITION = re.compile(r"\s{0,3}\[[^\]\n]{1,80}\]:\s+\S+")
_NOTE_DEFINITION = re.compile(r"\s{0,3}\[\^[^\]\n]{1,40}\]:\s+")
_CITATION = re.compile(r"(?<=[a-z.,;!?\")])[ ]?\[[1-9]\d{0,2}(?:[,-] ?\d{1,3}){0,9}\]|\[\^[^\]\s]{1,40}\](?!:)")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,200}|[^<>\s@]{1,100}@[^<>\s@]{1,100})>")
_RULE = re.compile(r"[-*_=~+#|:\s]+")
_FENCE = re.compile(r"\s*(?:```|~~~)[\w+-]*\s*$")
_HEADING = re.compile(r"\s*#{1,6}\s+")
_QUOTE = re.compile(r"\s*>(?:\s?>)*(?:\s|$)")
_BULLET = re.compile(
    r"\s*(?:[-*+·](?:[ \t]+(?:\[[ xX]\]\s+)?)|(\d{1,3})[.)](?:\s+)(?!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|No"
    r"v|Dec)[a-z]*\.?(?: \d|$))|([A-H](?=[.)])|[a-h](?=\)))[.)](?:[ \t]+))(?=\S)"
)
_EMPHASIS = re.compile(
    r"`+|(?<![\d*\s])\*\*\*?|\*\*\*?(?![\d*\s])|~~|(?<!\w)__|__(?!\w)"
    r"|==(?=[^\s=][^=\n]{0,200}==)|(?<=[^\s=])==(?![=\w])"
)
_PAIRED = (
    ("*", re.compile(r"(?<![\w*])\*(?=[^\s*])[^*\n]{0,300}?(?<=[^\s*])\*(?![\w*])")),
    ("_", re.compile(r"(?<!\w)_(?=[^\W_])[^_\n]{0,300}?(?<=[^\s_])_(?!\w)")),
)
_STARTS_SENTENCE = re.compile(r"\s*[\"'(]?(?:[A-Z]|\d)")
_OPEN_END = re.compile(
    r"(?:\b(?:a|an|the|of|and|or|to|in|on|at|by|for|with|from|is|are|was|were|that|my|your|his|her|its|our|their|new|mr"
    r"|mrs|ms|dr|st|as|but|if)|[,;—–-])\s*\Z",
    re.IGNORECASE,
)
SHORT_LINE = 50
"""Characters of a line that may end a sentence by itself; a longer one was probably broken to fit a page."""
_FINAL = ".!?:;,—…"


def strip_markup(source: TrackedText) -> None:
    """Rewrite to prose in lines, each of which ends a sentence."""
    _inline(source)
    text = source.text
    if "\n" in text or _HEAD.match(text):
        source.edit(list(_line_edits(text)))
    source.sub(_EMPHASIS, "")
    for sign, pattern in _PAIRED:
        if sign in source.text:
            source.edit(
                [
                    edit
                    for found in pattern.finditer(source.text)
                    for edit in (Edit(found.start(), found.start() + 1, ""), Edit(found.end() - 1, found.end(), ""))
                ]
            )


_HEAD = re.compile(r"\s*[#>|*+\d`~\[A-Ha-h·-]")


def unescape(source: TrackedText) -> None:
    """Entities, terminal codes and written-out line ends to what they stand for; comes before the folding."""
    text = source.text
    if "&" in text:
        source.sub(_ENTITY, lambda found: html.unescape(found[0]).replace("\xa0", " "))
    if not text.isascii():
        source.sub(_FACE, " ")
    if "[" in text:
        source.sub(_ANSI, "")
    if "\\n" in text:
        source.sub(_LITERAL_BREAK, lambda found: _BREAK_MARK.sub("\n", found[0]))


def _inline(source: TrackedText) -> None:
    text = source.text
    if "<" in text:
        source.sub(_AUTOLINK, lambda found: f" {found[1]} ")
        source.sub(_COMMENT, " ")
        source.sub(_TAG, _tag)
        source.sub(_PLACEHOLDER, lambda found: f" {found[1] or found[2] or found[3]} ")
    if "[" in text:
        source.sub(_LINK, lambda found: found[1] or found[2] or "")
        source.sub(_REFERENCE, lambda found: found[1])
        source.sub(_CITATION, "")


def _tag(found: re.Match[str]) -> str:
    """A tag's effect: a line end, nothing, or the name of an element that the text only mentions."""
    closing, name, attributes, empty = found.groups()
    lower = name.lower()
    if lower == "br":
        return "\n"
    if lower in _BLOCK_TAGS and name == lower:
        return "\n\n"
    if closing or empty or attributes or lower in _INLINE_TAGS:
        return " "
    return f" {name} "


def _line_edits(text: str) -> Iterator[Edit]:
    """Line by line: prefixes removed, and each line end made a space or a sentence's end."""
    lines = text.split("\n")
    start, letters = 0, ""
    reading = _read_lines(lines)
    for index, line in enumerate(reading):
        end = start + len(lines[index])
        if line.letter and not (line.letter.upper() == "A" or line.letter == letters):
            line.keep_letter()
        letters = chr(ord(line.letter) + 1) if line.letter else ("" if line.content else letters)
        if line.prefix or line.replacement:
            yield Edit(start, start + line.prefix, line.replacement)
        if line.tail:
            yield Edit(end - line.tail, end, "")
        if index + 1 < len(lines):
            after = next((other for other in reading[index + 1 : index + 3] if other.content), None)
            between = reading[index + 1] if index + 1 < len(reading) else None
            blank = between is not None and not between.content
            ends = line.ends or blank or after is None or after.starts or _ends_sentence(line.content, after.content)
            if not ends:
                yield Edit(end, end + 1, " ")
        start = end + 1


def _read_lines(lines: Sequence[str]) -> list[_Line]:
    """Read each line; equal ones once, where nothing in them depends on their neighbours."""
    known: dict[str, _Line] = {}
    reading = []
    for line in lines:
        kind = known.get(line)
        if kind is None:
            kind = _Line(line)
            if not kind.letter:
                known[line] = kind
        reading.append(kind)
    return reading


def _ends_sentence(line: str, following: str) -> bool:
    """Return whether a line end without a mark separates two sentences: a short line, and a sentence's beginning after it."""
    return len(line) < SHORT_LINE and _STARTS_SENTENCE.match(following) is not None and not _OPEN_END.search(line)


class _Line:
    """Kind of a line, from its beginning."""

    def __init__(self, line: str) -> None:
        self.prefix = self.tail = 0
        self.replacement, self.letter = "", ""
        self.starts = self.ends = False
        stripped = line.strip()
        if (
            not stripped
            or _FENCE.match(line)
            or (len(stripped) > 1 and _RULE.fullmatch(line))
            or (stripped[0] == "[" and _DEFINITION.match(line) and not _NOTE_DEFINITION.match(line))
        ):
            self.prefix, self.content, self.starts, self.ends = len(line), "", True, True
            return
        self._read(line, stripped)
        self.content = line[self.prefix : len(line) - self.tail]

    def _read(self, line: str, stripped: str) -> None:
        if quoted := _QUOTE.match(line):
            self.prefix = quoted.end()
        if heading := _HEADING.match(line, self.prefix):
            self.prefix, self.tail = heading.end(), len(line) - len(line.rstrip(" #"))
            self.starts = self.ends = True
        elif bullet := _BULLET.match(line, self.prefix):
            self.prefix, self.starts = bullet.end(), True
            self.letter = bullet[2] or ""
            label = bullet[1] or self.letter
            self.replacement = f"{label}, " if label else ""
        elif note := _NOTE_DEFINITION.match(line):
            self.prefix, self.starts = note.end(), True
        elif stripped.startswith("|"):
            self.prefix = line.index("|") + 1
            self.tail = len(line) - len(line.rstrip(" |")) if stripped != "|" else 0
            self.starts = self.ends = True

    def keep_letter(self) -> None:
        """Take a single letter for the beginning of the line, not for the number of a list item."""
        self.prefix, self.replacement, self.letter, self.starts = 0, "", "", False
