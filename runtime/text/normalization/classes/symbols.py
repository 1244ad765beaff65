"""Signs: their names where they are said, punctuation where they part, silence where they only decorate."""

from __future__ import annotations

import re

from ..scanner import Scanner, rule

_GREEK_LIST = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau "
    "upsilon phi chi psi omega"
)
_GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", _GREEK_LIST.split(), strict=True))
_LONE_GREEK = r"(?<![\u0391-\u03c9])[\u0391-\u03c9](?![\u0391-\u03c9])"
_NAMES = {
    "&": "and", "@": "at", "+": "plus", "=": "equals", "%": "percent", "°": "degrees", "§": "section", "©": "copyright",
    "×": "times", "÷": "divided by", "±": "plus or minus", "≈": "approximately", "≤": "less than or equal to",
    "≥": "greater than or equal to", "√": "square root of", "∞": "infinity", "µ": "micro", "→": "to", "‰": "per mille",
    "π": "pi", "Ω": "ohm",
}
_SEQUENCES = (
    (":=", "equals"),
    ("<=>", "equals"),
    ("<=", "less than or equal to"),
    (">=", "greater than or equal to"),
    ("!==", "not equal to"),
    ("!=", "not equal to"),
    ("===", "equals"),
    ("==", "equals"),
    ("->", "to"),
    ("=>", "to"),
    ("+/-", "plus or minus"),
    ("+-", "plus or minus"),
    ("||", "or"),
    ("&&", "and"),
    ("//", ""),
    ("<<", ""),
    (">>", ""),
    ("()", ""),
    ("[]", ""),
    ("=~", "equals"),
    ("...", "…"),
)
_SEQUENCE = "|".join(re.escape(sign) for sign, _ in sorted(_SEQUENCES, key=lambda pair: -len(pair[0])))
_BY_SEQUENCE = dict(_SEQUENCES)
_EMOTICON = (
    r"(?<!\S)(?:[:;=8]['^-]?[)(DPpOo|/*3](?!\w)|<3(?!\w)|\^_?\^(?!\S)|[xX]D(?!\w)|>:\(|:'\(|¯?\\_\(.{1,3}\)_/¯?|[T"
    r"O]_[TO](?!\w)|-_-(?!\w))"
    r"|\((?:[^\w\s()]{1,2}[°oO^~.·ω_<>-]{1,6}[^\w\s()]{0,2}|[╯ノ]?[°^oO]□[°^oO])\)[^\w\s]{0,2}"
)
_FACE = r"(?<!\S)\([^\w()]{0,3}°[^\w()]{0,3}°[^\w()]{0,3}\)[^\w\s]{0,3}"
_MARK = r"[;:,.!?…]+"
_DASHES = r"(?:(?<=\s)|(?<=\A))[-–—]+(?=\s)|—|-{2,}|–"
_HYPHEN = r"-"
_BRACKETS = r"[()\[\]{}|]+"
_STAR = r"(?<=\w)\*(?= [a-z])|(?<=[a-z\d]) ?\* ?(?=[a-z\d(])"
_BETWEEN = r"(?<=[A-Za-z\d)\]])(?P<gap> ?)(?P<sign>[/<>^])(?= ?[A-Za-z\d(.-])"
_FLIGHT = {"/": "slash", "<": "less than", ">": "greater than", "^": "to the"}
_BEFORE_WORD = r"(?<!\S)(?P<sign>[~<>]) ?(?=[A-Za-z\d])"
_APOSTROPHE = r"'+"
_MISSING_SPACE = r"(?<=[A-Za-z)\"'\d])[.!?;:,](?=[A-Z][a-z])"
_DOT_INSIDE = r"(?<=[A-Za-z0-9_)\]])\.(?=[A-Za-z_])|(?<![^\s(\"'])\.(?=[A-Za-z]{2})"
_AND_OR = {"and": "and"}
_BACKSLASH = r"\\(?P<name>[A-Za-z]+)?"
_PLUS_PLUS = r"(?<=[A-Za-z])\+\+(?!\w)"
_SHARP = r"(?<=[CFAGcfag])#(?!\w)"
_PLURAL = r"\(s\)(?=[\s.,;:!?]|$)"
_SPLIT_DEGREES = r"° ?(?P<scale>[CF])(?!\w)"


def _mark(found: re.Match[str], scanner: Scanner) -> str | None:
    return found[0]


def _missing_space(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "thanks.And what" is the end of a sentence; "Node.Js" and "3.V" are not."""
    start = found.start()
    before = scanner.text[max(0, start - 2) : start]
    if found[0] == "." and before[-1:].isdigit() and not (len(before) == 2 or scanner.tokens):
        return None
    if found[0] == "." and len(before.strip()) == 1 and before.strip().isalpha():
        return None
    return found[0]


def _dot_inside(found: re.Match[str], scanner: Scanner) -> str | None:
    """The dot of a name, "main.cpp"; a long word after a long word is a sentence that lacks its space."""
    text, start = scanner.text, found.start()
    if text[found.end() : found.end() + 1].isupper() and text[start - 1 : start].islower():
        return "."
    last = scanner.last()
    if last is not None and last.kind in ("time", "abbreviation") and last.end == start:
        return ""
    return "dot"


def _dashes(found: re.Match[str], scanner: Scanner) -> str | None:
    return "—"


def _quote(found: re.Match[str], scanner: Scanner) -> str | None:
    scanner.quoting ^= len(found[0]) % 2 == 1
    return ""


def _bracket(found: re.Match[str], scanner: Scanner) -> str | None:
    return ","


def _between(found: re.Match[str], scanner: Scanner) -> str | None:
    sign, text, start, end = found["sign"], scanner.text, found.start(), found.end()
    if sign == "/" and text[start - 1 : start].isupper() and text[end : end + 1].isupper():
        return ""
    if sign == "/" and re.search(r"\band ?\Z", text[max(0, start - 5) : end - 1]) and re.match(r" ?or\b", text[end : end + 4]):
        return ""
    if (
        sign in "<>"
        and found["gap"] == ""
        and text[end : end + 1] != " "
        and text[end : end + 1].isalpha()
        and text[start - 1 : start].isalpha()
    ):
        return ""
    return _FLIGHT[sign]


def _star(found: re.Match[str], scanner: Scanner) -> str | None:
    if re.match(r"\*", found[0]) and " " not in found[0]:
        follows = scanner.text[found.end() : found.end() + 2]
        return "star" if follows.startswith(" ") and scanner.text[found.start() - 1].isupper() else "times"
    before = scanner.word_before(found.start())
    if before.isupper() and len(before) > 2:
        return "star"
    return "times"


def _degrees(found: re.Match[str], scanner: Scanner) -> str | None:
    return f"degrees {'celsius' if found['scale'] == 'C' else 'fahrenheit'}"


def _name(found: re.Match[str], scanner: Scanner) -> str | None:
    return _NAMES[found[0]]


def _sequence(found: re.Match[str], scanner: Scanner) -> str | None:
    return _BY_SEQUENCE[found[0]]


LETTER = (
    rule(
        "symbol",
        "αβγδεζηθικλμνξοπρστυφχψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ",
        _LONE_GREEK,
        lambda found, scanner: _GREEK.get(found[0].lower(), ""),
    ),
)
SIGN_EARLY = (
    rule("mark", '"', r"\"+", _quote),
    rule("silent", "([{", r"(?:\(\)|\[\]|\{\}){2,}", lambda found, scanner: ""),
    rule("silent", "$#%&@^+=~/\\<>°£€¥|_*", r"([$#%&@^+=~/\\<>°£€¥|_*])\1{3,}", lambda found, scanner: ""),
    rule("silent", ":;=<^>-(\\¯'", _EMOTICON, lambda found, scanner: ""),
    rule("silent", "°", _FACE, lambda found, scanner: ""),
)
SIGN = (
    rule("mark", ".!?;:,", _MISSING_SPACE, _missing_space),
    rule("symbol", ".", _DOT_INSIDE, _dot_inside),
    rule("mark", ".", r"\.{3,}", lambda found, scanner: "..."),
    rule("symbol", ":<>!=-+|&/()[].", _SEQUENCE, _sequence),
    rule("mark", ";:,.!?…", _MARK, _mark),
    rule("mark", "-–—", _DASHES, _dashes),
    rule("silent", "-", r"-+", lambda found, scanner: ""),
    rule("silent", "(", _PLURAL, lambda found, scanner: ""),
    rule("mark", "()[]{}|", _BRACKETS, _bracket),
    rule("silent", "'", _APOSTROPHE, lambda found, scanner: ""),
    rule("symbol", "+", _PLUS_PLUS, lambda found, scanner: "plus plus"),
    rule("symbol", "#", _SHARP, lambda found, scanner: "sharp"),
    rule("symbol", "*", _STAR, _star),
    rule("symbol", "/<>^", _BETWEEN, _between),
    rule(
        "symbol",
        "~<>",
        _BEFORE_WORD,
        lambda found, scanner: {"~": "about", "<": "less than", ">": "greater than"}[found["sign"]],
    ),
    rule("symbol", "°", _SPLIT_DEGREES, _degrees),
    rule("symbol", "".join(_NAMES), "[" + re.escape("".join(_NAMES)) + "]", _name),
    rule("symbol", "$", r"\$(?=\w)", lambda found, scanner: "dollar"),
)
