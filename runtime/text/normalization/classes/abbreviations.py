"""Abbreviations, titles, initials, streets and states; decides whether an abbreviation's dot also ends its sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..scanner import Scanner, rule
from ..tables.abbreviations import (
    ALWAYS,
    AMBIGUOUS_STATES,
    BEFORE_NAMES,
    CAPITAL_ONLY,
    DIRECTIONS,
    ENDING,
    FUNCTION_WORDS,
    LETTER_NOUNS,
    LOWER_ANYWHERE,
    NUMBERED,
    NUMBERED_WITHOUT_DOT,
    PLACES_WITHOUT_DOT,
    STARTERS,
    STATES,
    STREETS,
    TITLES,
    WITHOUT_DOT,
)
from ..tables.acronyms import spell


def _first(words: Iterable[str]) -> list[str]:
    return [word.lower().partition(".")[0].partition(" ")[0] for word in words]


def _either(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_TITLE = rf"(?<!\w)(?P<word>{_either(TITLES)})\.(?=\s|[A-Z])"
_BEFORE_NAME = rf"(?<![\w.])(?P<word>{_either(BEFORE_NAMES)})\.(?=[ ]?[A-Z][\w'.])"
_PLACE = rf"(?<![\w.])(?P<word>{_either(PLACES_WITHOUT_DOT)})(?= [A-Z][a-z])"
_NUMBER = re.compile(rf"(?<![\w.'])(?P<word>{_either(NUMBERED)})\. ?(?=[(#]?\d|(?-i:[IVX]+\b|[A-Z]\d))", re.IGNORECASE)
_REVISION = r"(?<![\w.'])(?P<word>Rev|rev|Ver|ver)\. (?=[A-Z](?![\w']))"
_NUMBER_BARE = rf"(?<![\w.'])(?P<word>{_either(NUMBERED_WITHOUT_DOT)})(?= #?\d|  ?[A-Z]?\d)"
_DOTTED = re.compile(rf"(?<![\w.'/-])(?P<word>{_either(ALWAYS)})\.(?!\w|\.\w)", re.IGNORECASE)
_JOINED_DOTTED = r"(?<![\w.'/-])(?P<word>e\.g|i\.e)\.(?=[a-z])"
_MAYBE_LAST = re.compile(rf"(?<![\w.'/-])(?P<word>{_either(ENDING)})\.(?!\w)", re.IGNORECASE)
_LOWER = (
    rf"(?<![\w.'/-])(?P<word>{_either(LOWER_ANYWHERE)})\.(?= (?:was|is|were|of|in|at|and|range|sensor|control|rose|"
    rf"fell|reading|setting)\b|, )"
)
_BARE = r"(?<![\w.'/-])(?P<word>Mrs?|Dr|Prof|e\.g|i\.e)(?![\w'/.-])"
_STREET_OR_SAINT = r"(?<!\w)(?P<word>St|Dr)\.(?!\w)"
_STREET = rf"(?<![\w.'])(?P<word>{_either(STREETS)})(?![\w'.]|-\w)"
_STREET_IN = re.compile(r"(?:[A-Z][a-z']+|\d(?:st|nd|rd|th)) \Z")
_DIRECTION = rf"(?<![\w.'&/-])(?P<word>{_either(DIRECTIONS)})(?P<dot>\.?)(?![\w'&/-])"
_DIRECTION_AFTER = re.compile(
    r"\.? (?:\d{1,3}(?:st|nd|rd|th)\b|(?:[A-Z][a-z']+ ){1,3}(?:St|Street|Ave|Avenue|Rd|Road|Blvd|Boulevard|Ln|Lane"
    r"|Dr|Drive|Ct|Court"
    r"|Pl|Place|Pkwy|Hwy|Way)\b)"
)
_STREET_BEFORE = re.compile(r"\b(?:St|Street|Ave|Avenue|Rd|Road|Blvd|Ln|Lane|Dr|Drive|Ct|Pl|Hwy|Highway|Way)\.?,? \Z")
_ROUTE_BEFORE = re.compile(r"\b(?:[IU]-?|US|Route|Highway|Hwy|Interstate|Exit)[ -]?\d{1,3} \Z")
_STATE = rf"(?<=, )(?P<word>{_either(STATES)})(?![\w'&/-])(?=\s*(?:\d{{5}}|[.,;!?]|$|\n| [a-z]| USA| US))"
_STATE_ZIP = rf"(?<=[a-z] )(?P<word>{_either(STATES)})(?= \d{{5}}(?!\d))"
_CITY_BEFORE = re.compile(r"[A-Z][a-z'.]+,? \Z")
_VERSUS = r"(?<=[A-Za-z)] )(?P<word>v)\.?(?= [A-Z])"
_CIRCA = r"(?<![\w.'])c\. ?(?=1\d{3}|20\d\d|[5-9]\d\d\b)"
_INITIALISM = r"(?<![\w.'])(?P<letters>(?:[A-Za-z]\.){2,10})(?P<last>[A-Za-z](?![\w.']))?(?P<owner>'s\b)?"
_INITIAL = r"(?<![\w.'])(?P<letter>[A-Z])\.(?= ?[A-Z][\w.'])"
_LAST_WORD = re.compile(r"([\w']+)(\W*)\Z")


def _stop(found: re.Match[str], before_capital: bool) -> str:
    """The full stop that an abbreviation's dot also was: at the end of the text, or before an obvious new sentence."""
    text, end = found.string, found.end()
    rest = text[end : end + 24].split(maxsplit=1)
    if not rest or text[end : end + 1] == "\n":
        return "."
    if rest[0][0] in ".,;:!?)":
        return ""
    starts = rest[0].strip(",'\"") in STARTERS or (before_capital and rest[0][0].isupper())
    return "." if starts and text[end] == " " else ""


def _maybe_last(found: re.Match[str], scanner: Scanner) -> str | None:
    word = found["word"].lower()
    if word in CAPITAL_ONLY and found["word"][0].islower():
        return None
    if word == "mt" and scanner.text[found.end() : found.end() + 2].strip()[:1].isupper():
        return None
    return ENDING[word] + _stop(found, word in ("etc", "et al"))


def _word_before(found: re.Match[str]) -> str:
    """The word right before, if only spaces are between."""
    last = _LAST_WORD.search(found.string[max(0, found.start() - 30) : found.start()])
    return last[1] if last and not last[2].strip() else ""


def _place_or_person(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "Main St." is a street and "St. John" a saint; likewise "Mulholland Dr." and "Dr. Smith"."""
    place, person = ("street", "saint") if found["word"] == "St" else ("drive", "doctor")
    before, after = _word_before(found), found.string[found.end() : found.end() + 2].strip()
    named = (before[:1].isupper() or re.fullmatch(r"\d+(?:st|nd|rd|th)", before)) and before not in FUNCTION_WORDS
    if named and not (found["word"] == "Dr" and after.isupper()):
        return place + _stop(found, False)
    return person if after[:1].isupper() else place + _stop(found, False)


def _place(found: re.Match[str], scanner: Scanner) -> str | None:
    """"Ft Worth", "St Andrews"; but "5 Main St Springfield"."""
    if found["word"] == "St" and _STREET_IN.search(scanner.text[max(0, found.start() - 24) : found.start()]):
        return None
    return PLACES_WITHOUT_DOT[found["word"]]


def _street(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "Oak Ave" without a dot."""
    text, word = scanner.text, found["word"]
    if not _STREET_IN.search(text[max(0, found.start() - 24) : found.start()]) or _word_before(found) in FUNCTION_WORDS:
        return None
    following = text[found.end() : found.end() + 3]
    if word in ("Dr", "St") and re.match(r" [A-Z][a-z]", following):
        return (
            "saint"
            if word == "St" and not re.search(r"\d", text[max(0, found.start() - 30) : found.start()])
            else (None if word == "Dr" else "street")
        )
    if word in ("Pl", "Ter", "Cir", "Sq", "Ct") and not re.search(r"\d", text[max(0, found.start() - 30) : found.start()]):
        return None
    return STREETS[word]


def _direction(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "708 N 1st St", "E. 42nd St.", "I-95 S"."""
    text, end = scanner.text, found.end("word")
    before = text[max(0, found.start() - 24) : found.start()]
    in_address = _DIRECTION_AFTER.match(text, end) is not None and (
        (
            len(found["word"]) == 1
            and (
                bool(re.search(r"\d[A-D]? \Z|\A\Z|\b(?:at|on|to|near|of|from|and|is)\b,? \Z", before))
                or bool(re.match(r"\.? \d{1,3}(?:st|nd|rd|th)", text[end : end + 8]))
            )
        )
        or len(found["word"]) == 2
    )
    after_street = (_STREET_BEFORE.search(before) and not found["dot"]) or _ROUTE_BEFORE.search(before)
    return DIRECTIONS[found["word"]] if in_address or after_street else None


def _state(found: re.Match[str], scanner: Scanner) -> str | None:
    word, text = found["word"], scanner.text
    zipped = re.match(r"\s*\d{5}", text[found.end() : found.end() + 7])
    if not _CITY_BEFORE.search(text[max(0, found.start() - 24) : found.start()]) or (word in AMBIGUOUS_STATES and not zipped):
        return None
    return STATES[word]


def _spelled(found: re.Match[str], scanner: Scanner) -> str | None:
    if found["owner"]:
        return spell(found[0].removesuffix("'s")) + "'s"
    letters = spell(found[0])
    return letters + _stop(found, False) if found[0].endswith(".") else letters


def _initial(found: re.Match[str], scanner: Scanner) -> str | None:
    """The initial of a name, unless a small word before it says that it ends a sentence ("vitamin C. The")."""
    before = _word_before(found)
    following = found.string[found.end() : found.end() + 12].split(maxsplit=1)
    if before[:1].islower() and following and (following[0] in STARTERS or before in LETTER_NOUNS):
        return None
    return spell(found["letter"])


def _numbered(found: re.Match[str], scanner: Scanner) -> str | None:
    word = found["word"].lower()
    roman = (
        not scanner.text[found.end() : found.end() + 1].isdigit() and scanner.text[found.end() : found.end() + 1] not in "(#"
    )
    if len(word) == 1 and word not in ("p", "c", "q", "b", "d", "r"):
        return None
    if word in ("b", "d", "r") and (
        not re.match(r"1\d{3}|20\d\d", scanner.text[found.end() : found.end() + 4])
        or "(" not in scanner.text[max(0, found.start() - 12) : found.start()]
    ):
        return None
    if found["word"].isupper() and len(word) == 1:
        return None
    if word in ("q", "c") and not (word == "c" and re.match(r"\d{3,4}", scanner.text[found.end() : found.end() + 4])):
        return None
    if (
        word == "st"
        or (word == "col" and found["word"][0].isupper())
        or (roman and word in ("d", "c", "min", "max", "temp", "no", "ex", "est", "app"))
    ):
        return None if word != "no" else NUMBERED[word] if not roman else None
    if word in ("sec", "min", "ft", "alt") and scanner.previous_numeric(found.start()):
        return None
    if (
        word == "rev"
        and found["word"] == "Rev"
        and roman
        and not re.match(r"[A-Z]\d", scanner.text[found.end() : found.end() + 2])
    ):
        return None
    return NUMBERED[word]


def _lower(found: re.Match[str], scanner: Scanner) -> str | None:
    return LOWER_ANYWHERE[found["word"]] if scanner.cased else None


def _versus(found: re.Match[str], scanner: Scanner) -> str | None:
    return "versus" if re.search(r"[A-Z][\w'.]* \Z", scanner.text[max(0, found.start() - 24) : found.start()]) else None


def is_abbreviation(word: str) -> bool:
    """Return whether the dot of a word such as "Dr.", "e.g.", "J." or the "3." of a list need not end a sentence."""
    stem = word[:-1]
    if not word.endswith(".") or len(stem) <= 1 or stem.isdigit() or "." in stem:
        return word.endswith(".")
    if stem in TITLES or stem in BEFORE_NAMES or stem in ("St", "Dr"):
        return True
    return stem.lower() in NUMBERED.keys() | ALWAYS.keys() | ENDING.keys()


LETTER = (
    rule("abbreviation", ".", _TITLE, lambda found, scanner: TITLES[found["word"]], words=_first(TITLES)),
    rule(
        "abbreviation",
        ".",
        _REVISION,
        lambda found, scanner: "revision" if found["word"].lower() == "rev" else "version",
        words=("rev", "ver"),
    ),
    rule("abbreviation", ".", _DIRECTION, _direction, words=_first(DIRECTIONS)),
    rule("abbreviation", "", _DIRECTION, _direction, words=_first(DIRECTIONS)),
    rule("abbreviation", ".", _NUMBER, _numbered, words=_first(NUMBERED)),
    rule("abbreviation", ".", _BEFORE_NAME, lambda found, scanner: BEFORE_NAMES[found["word"]], words=_first(BEFORE_NAMES)),
    rule("abbreviation", ".", _STREET_OR_SAINT, _place_or_person, words=("st", "dr")),
    rule("abbreviation", ".", _MAYBE_LAST, _maybe_last, words=_first(ENDING)),
    rule("abbreviation", ".", _LOWER, _lower, words=_first(LOWER_ANYWHERE)),
    rule(
        "abbreviation",
        ".",
        _DOTTED,
        lambda found, scanner: ALWAYS[found["word"].lower()] + _stop(found, False),
        words=_first(ALWAYS),
    ),
    rule("abbreviation", ".", _JOINED_DOTTED, lambda found, scanner: ALWAYS[found["word"]], words=("e", "i")),
    rule("abbreviation", "v", _VERSUS, _versus, words=("v",)),
    rule("abbreviation", ".", _CIRCA, lambda found, scanner: "circa", words=("c",)),
    rule("abbreviation", ".", _INITIALISM, _spelled),
    rule("abbreviation", ".", _INITIAL, _initial),
    rule(
        "abbreviation", "", _PLACE, _place, words=_first(PLACES_WITHOUT_DOT)
    ),
    rule(
        "abbreviation",
        "",
        _NUMBER_BARE,
        lambda found, scanner: NUMBERED_WITHOUT_DOT[found["word"]],
        words=_first(NUMBERED_WITHOUT_DOT),
    ),
    rule("abbreviation", "", _STATE, _state, words=_first(STATES)),
    rule("abbreviation", "", _STATE_ZIP, _state, words=_first(STATES)),
    rule("abbreviation", "", _STREET, _street, words=_first(STREETS)),
    rule("abbreviation", "", _BARE, lambda found, scanner: WITHOUT_DOT[found["word"]], words=_first(WITHOUT_DOT)),
)
