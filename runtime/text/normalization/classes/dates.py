"""Dates: named and numeric, with ranges; weekdays, decades and years that their context gives away."""

from __future__ import annotations

import re

from ..number_words import ordinal, year
from ..scanner import Scanner, rule
from .years import (
    CENTURY_YEAR,
    DATE_WORDS,
    DECADE,
    YEAR_SPAN,
    YEAR_WORD,
    century_year,
    decade_words,
    full_year,
    year_span,
    year_word,
)

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)

_NUMBER_OF = {name[:3]: index for index, name in enumerate(MONTHS, 1)}

_WEEKDAYS = {
    "mon": "monday", "tue": "tuesday", "wed": "wednesday", "thu": "thursday", "fri": "friday", "sat": "saturday",
    "sun": "sunday",
}

MONTH_NAMES = (
    r"(?:[Jj]an(?:uary)?|[Ff]eb(?:ruary)?|[Mm]ar(?:ch)?|[Aa]pr(?:il)?|[Mm]ay|[Jj]une?|[Jj]uly?|[Aa]ug(?:ust)?"
    r"|[Ss]ept(?:ember)?|[Ss]ep|[Oo]ct(?:ober)?|[Nn]ov(?:ember)?|[Dd]ec(?:ember)?"
    r"|JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?|SEPT(?:EMBER)?|SEP|OCT(?:OBER)?"
    r"|NOV(?:EMBER)?|DEC(?:EMBER)?)"
)

_MONTH = rf"(?P<month>{MONTH_NAMES})\.?"

_WEEKDAY_NAME = (
    r"(?:Mon(?:day)?|Tue(?:s(?:day)?)?|Wed(?:nesday)?|Thu(?:rs?(?:day)?)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?"
    r"|MON(?:DAY)?|TUE(?:S(?:DAY)?)?|WED(?:NESDAY)?|THU(?:RS?(?:DAY)?)?|FRI(?:DAY)?|SAT(?:URDAY)?|SUN(?:DAY)?)"
)

_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|ST|ND|RD|TH)?"

_LAST_DAY = r"(?:(?P<joint> ?[-–/] ?| to | and | or | & )(?P<last>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?)?"

_YEAR = r"(?P<year>[12]\d{3})"

_END = r"(?![\w:%°]|[.,]\d|[-–/]\d| ?[ap]\.?m\b)"

_ISO = (
    r"(?<![\w.-])(?P<year>\d{4})([-/.])(?P<month>0?[1-9]|1[0-2])\2(?P<day>0?[1-9]|[12]\d|3[01])"
    r"(?:(?=[T ]\d\d:)T?|(?![\w/-]|\.\d))"
)

_NUMERIC = r"(?<![\w./-])(?P<first>\d{1,2})(?P<sign>[-/.])(?P<second>\d{1,2})(?P=sign)(?P<year>[12]\d{3}|\d{2})(?![\w/-]|\.\d)"

_SHORT = r"(?<![\w./-])(?P<first>\d{1,2})/(?P<second>\d{1,2})(?![\w/%°]|[.,]\d| ?[=+*-]| [A-Za-z]*(?:inch|cup|mile|of)\b)"

_MONTH_FIRST = rf"(?<![\w.]){_MONTH}[ -](?:the )?{_DAY}{_LAST_DAY}(?:(?:, ?| ?, ?of | of |[ -]){_YEAR})?{_END}"

_DAY_FIRST = (
    rf"(?<![\w.,/$€£#-]){_DAY}{_LAST_DAY}(?P<dot>\.?)(?P<gap>[ -]|)(?P<of>of )?{_MONTH}(?:(?:, ?| of |[ -]|){_YEAR})?"
    r"(?![\w]|[-]\w|\.\w)"
)

_MONTH_YEAR = rf"(?<![\w.]){_MONTH}(?:,? |-|/|'|, of )(?P<year>[12]\d{{3}}){_END}"

_MONTH_SHORT_YEAR = rf"(?<![\w.]){_MONTH}(?: '|-)(?P<year>\d\d){_END}"

_MONTH_ALONE = rf"(?<![\w.])(?P<month>{MONTH_NAMES})\.(?!\w)"

_MONTH_WORD = (
    r"(?<![\w.])(?P<month>Jan|Feb|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)(?![\w'.]|-[a-z])"
    r"|(?<![\w.])(?P<range>Mar|May|Jan|Feb|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)(?= ?[-–] ?(?:Jan|Feb|Mar|Apr|May|"
    r"Jun|Jul|Aug|Sep"
    r"|Oct|Nov|Dec)\b)|(?<=[-–])Mar(?!\w)"
)

_WEEKDAY = rf"(?<![\w.])(?P<weekday>{_WEEKDAY_NAME})(?P<dot>\.?)(?P<comma>,?)(?![\w'])"

_BEFORE_DATE = re.compile(rf"[ ]?(?:\d|{MONTH_NAMES}(?![a-z]))")

_WEEKDAY_DASH = re.compile(rf"\.?[ ]?[-–/][ ]?{_WEEKDAY_NAME}\b")

_AFTER_DASH = re.compile(rf"{_WEEKDAY_NAME}\.?[ ]?[-–/][ ]?\Z")

_SUFFIXED = re.compile(r"\d{1,2}(?:st|nd|rd|th|ST|ND|RD|TH)")

_NEW_SENTENCE = re.compile(
    r"\s*\Z|\s*\n|\s(?!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w*\b)"
    r"(?:[A-Z][a-z']|[IA]\b)"
)


def month_number(name: str) -> int:
    """Number of a month by its name or abbreviation, in any case."""
    return _NUMBER_OF[name[:3].lower()]


def spoken_date(
    month: int, day: str | int | None, year_text: str | None, scanner: Scanner, start: int, day_first: bool = False
) -> str:
    """Words of a date in the locale's order."""
    name = MONTHS[month - 1]
    if day is None:
        words = name
    elif day_first or scanner.locale == "en-GB":
        article = "" if scanner.word_before(start).lower() == "the" else "the "
        words = f"{article}{ordinal(int(day))} of {name}"
    else:
        words = f"{name} {ordinal(int(day))}"
    if not year_text:
        return words
    return words + (", " if day else " ") + year(full_year(year_text))


def _iso(found: re.Match[str], scanner: Scanner) -> str:
    return spoken_date(int(found["month"]), found["day"], found["year"], scanner, found.start()) + (
        ", " if scanner.text[found.end() - 1] == "T" or _CLOCK_AFTER.match(scanner.text, found.end()) else ""
    )


_CLOCK_AFTER = re.compile(r" \d\d:\d\d")


def _numeric(found: re.Match[str], scanner: Scanner) -> str | None:
    """Month first in en-US, unless the dots or the numbers say otherwise; a two-digit year only where it must be one."""
    month, day = int(found["first"]), int(found["second"])
    day_first = found["sign"] == "." or scanner.locale == "en-GB"
    if (day_first and day <= 12) or month > 12:
        month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if (
        len(found["year"]) == 2
        and found["sign"] != "/"
        and (day <= 12 and scanner.word_before(found.start()).lower() not in DATE_WORDS)
    ):
        return None
    return spoken_date(month, day, found["year"], scanner, found.start())


def _short(found: re.Match[str], scanner: Scanner) -> str | None:
    """ "12/25" as a date: after such words as "on", or where it cannot well be a fraction."""
    month, day = int(found["first"]), int(found["second"])
    if scanner.locale == "en-GB":
        month, day = day, month
    context = scanner.word_before(found.start()).lower()
    if found[0] in ("9/11", "24/7", "20/20") or not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    if context in DATE_WORDS and not (
        context in ("for", "from", "by", "on") and (int(found["first"]), int(found["second"])) in _COMMON_FRACTIONS
    ):
        return spoken_date(month, day, None, scanner, found.start())
    alone = not scanner.word_after(found.end()) and not context
    return spoken_date(month, day, None, scanner, found.start()) if alone and day > 20 and month >= 2 else None


_COMMON_FRACTIONS = frozenset(((1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (1, 5), (1, 8), (1, 10)))


def _month_first(found: re.Match[str], scanner: Scanner) -> str | None:
    name = found["month"]
    if name in ("may", "mar", "march") and not found["year"] and scanner.text[found.end() - 1].isdigit():
        return None
    month = month_number(name)
    if found["last"]:
        joint = _joint(found["joint"])
        words = f"{MONTHS[month - 1]} {ordinal(int(found['day']))} {joint} {ordinal(int(found['last']))}"
        return words + (f", {year(int(found['year']))}" if found["year"] else "")
    return spoken_date(month, found["day"], found["year"], scanner, found.start())


def _joint(sign: str) -> str:
    word = sign.strip()
    return {"-": "to", "–": "to", "/": "or", "&": "and"}.get(word, word)


def _day_first(found: re.Match[str], scanner: Scanner) -> str | None:
    name, text = found["month"], scanner.text
    suffixed = _SUFFIXED.match(text, found.start()) is not None
    if name.islower() and name in ("may", "mar", "march", "sep", "dec") and not (found["year"] or found["of"] or suffixed):
        return None
    if found["dot"] and (suffixed or found["gap"] != " " or name == "May"):
        return None
    if not found["gap"] and not (found["year"] or name[0].isupper()):
        return None
    month = month_number(name)
    end = "." if text[found.end() - 1] == "." and _NEW_SENTENCE.match(text, found.end()) else ""
    if found["last"]:
        words = f"{ordinal(int(found['day']))} {_joint(found['joint'])} {ordinal(int(found['last']))} of {MONTHS[month - 1]}"
        return words + (f", {year(int(found['year']))}" if found["year"] else "") + end
    day_first = bool(found["of"]) or scanner.word_before(found.start()).lower() == "the"
    return spoken_date(month, found["day"], found["year"], scanner, found.start(), day_first) + end


def _month_year(found: re.Match[str], scanner: Scanner) -> str | None:
    if found["month"] in ("may", "mar", "march") and scanner.text[found.end("month")] == " ":
        return None
    return spoken_date(month_number(found["month"]), None, str(full_year(found["year"])), scanner, found.start())


def _month_alone(found: re.Match[str], scanner: Scanner) -> str | None:
    if found["month"].lower() in ("may", "march", "june", "july", "mar") and (
        len(found["month"]) > 3 or found["month"].lower() == "may"
    ):
        return None
    if found["month"].islower():
        return None
    return MONTHS[month_number(found["month"]) - 1] + stop_after(found.end(), scanner)


def _month_word(found: re.Match[str], scanner: Scanner) -> str | None:
    return MONTHS[month_number(found[0]) - 1]


def _weekday(found: re.Match[str], scanner: Scanner) -> str | None:
    """A weekday cut short where a dot, a date or another weekday shows that it is one."""
    name, text = found["weekday"], scanner.text
    full = _WEEKDAYS[name[:3].lower()]
    end = found.end()
    long = name.lower() == full
    in_range = _WEEKDAY_DASH.match(text, end) or _AFTER_DASH.search(text, max(0, found.start() - 14), found.start())
    if _BEFORE_DATE.match(text, end):
        if long and not found["comma"]:
            return full
        return full + ", "
    if in_range:
        return full + ("," if found["comma"] else "")
    if long:
        return full + (stop_after(end, scanner) or ("." if found["dot"] else "")) + found["comma"]
    if name.lower() in ("sat", "sun") or (name.isupper() and not found["dot"]):
        return None
    if found["dot"]:
        return full + stop_after(end, scanner) + found["comma"]
    return (
        full + found["comma"]
        if name.lower() not in ("wed", "mon", "fri", "tue", "thu") or _between_days(found, scanner)
        else None
    )


def _between_days(found: re.Match[str], scanner: Scanner) -> bool:
    before = scanner.word_before(found.start()).lower()
    return before in ("on", "every", "next", "last", "this", "until", "by", "since", "from", "to", "and", "or", "through")


def stop_after(end: int, scanner: Scanner) -> str:
    """The full stop of a sentence that ends with a shortened month or weekday, or with "p.m."."""
    return "." if scanner.text[end - 1] == "." and _NEW_SENTENCE.match(scanner.text, end) else ""


_MONTH_WORDS = frozenset(_NUMBER_OF) | frozenset(MONTHS) | {"sept"}

_WEEKDAY_WORDS = frozenset(_WEEKDAYS) | frozenset(_WEEKDAYS.values()) | {"tues", "thur", "thurs"}

DIGIT = (
    rule("date", "-/.", _ISO, _iso, after="-/."),
    rule("date", "-/.", _NUMERIC, _numeric, after="-/."),
    rule("date", "", _DAY_FIRST, _day_first, after="Aa-–/. "),
    rule("date", "/", _SHORT, _short, after="/"),
    rule("year", "s", DECADE, decade_words),
    rule("year", "", CENTURY_YEAR, century_year, after="a"),
    rule("year", "-–/", YEAR_SPAN, year_span, after="-–/ "),
    rule("year", "", YEAR_WORD, year_word),
)

LETTER = (
    rule("date", "", _MONTH_FIRST, _month_first, words=_MONTH_WORDS),
    rule("date", "", _MONTH_YEAR, _month_year, words=_MONTH_WORDS),
    rule("date", "'-", _MONTH_SHORT_YEAR, _month_year, words=_MONTH_WORDS),
    rule("date", ".", _MONTH_ALONE, _month_alone, words=_MONTH_WORDS),
    rule("date", "", _MONTH_WORD, _month_word, words=_MONTH_WORDS),
    rule("date", "", _WEEKDAY, _weekday, words=_WEEKDAY_WORDS),
)

SIGN = (rule("year", "'", DECADE, decade_words),)
