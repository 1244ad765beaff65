"""Times of day and durations."""

from __future__ import annotations

import re

from ..number_words import amount, cardinal
from ..scanner import Scanner, rule
from ..tables.acronyms import spell
from .dates import stop_after

_MERIDIEM = r"(?P<meridiem> ?[apAP](?:\.[ ]?[mM]\.?|[mM](?![A-Za-z])))"
_CLOCK = (
    rf"(?:(?<![\w:.,])|(?<=\dT))(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?(?:("
    rf"?P<zulu>Z(?!\w))|{_MERIDIEM})?"
    r"(?![\d:])"
)
_DOTTED_CLOCK = rf"(?<![\w:.,$€£])(?P<hour>1[0-2]|0?[1-9])\.(?P<minute>[0-5]\d)(?P<second>(?!))?(?P<zulu>(?!))?{_MERIDIEM}"
_HOUR = rf"(?<![\w:.,$€£])(?P<hour>1[0-2]|0?[1-9]){_MERIDIEM}"
_HOUR_RANGE = r"(?<![\d:.,/$€£-])(?P<hour>\d{1,2})(?= ?[-–] ?\d{1,2}(?:[:.]\d\d)? ?[apAP]\.?[mM](?![A-Za-z]))"
_FOUR_DIGITS = r"(?<![\w.,$€£/-])(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d) ?(?P<word>hours|hrs|h)(?!\w)"
_COMPOUND = re.compile(
    r"(?<![\w.,:/$€£-])(?:(?P<days>\d{1,3})d ?(?:and )?(?=\d))?(?:(?P<hours>\d{1,4}) ?h(?:rs?)?,? ?(?:and )?(?=\d))?"
    r"(?:(?P<minutes>\d{1,3}) ?(?:mins?|m(?!\w)|m(?= ?\d{1,2} ?s))?,? ?)?"
    r"(?:(?P<seconds>(?<=[a-z ])\d{1,2}(?:\.\d+)?) ?(?:s|secs?)(?!\w))?(?![\w^]|\.\d|[%°])"
)
_DAYS_HOURS = r"(?<![\w.,:/$€£-])(?P<days>\d{1,3})d ?(?P<hours>\d{1,2})h(?!\w)"
_MINUTES = r"(?<![\w.,:/$€£-])(?P<number>\d{1,4}) ?m(?![\w^/²³'-]|\.\w)"
_MINUTE_AFTER = frozenset(
    ["remaining", "left", "ago", "later", "elapsed", "timeout", "timer", "delay", "break", "video", "read"]
)
_MINUTE_BEFORE_LIST = """
    wait waited took takes lasted lasts elapsed eta duration timeout timer uptime snooze sleep sleeps every runtime
    remaining pause paused delay
    """
_MINUTE_BEFORE = frozenset(_MINUTE_BEFORE_LIST.split())


def _clock(found: re.Match[str], scanner: Scanner) -> str | None:
    hour, minute, meridiem = int(found["hour"]), int(found["minute"]), found["meridiem"]
    zero_led = found["hour"][0] == "0" and len(found["hour"]) > 1
    words = cardinal(hour)
    if minute:
        words += f" oh {cardinal(minute)}" if minute < 10 else f" {cardinal(minute)}"
    elif not meridiem and not found["second"]:
        if hour == 0:
            words = "zero hundred" if found["zulu"] else "midnight"
        else:
            words += " o'clock" if hour <= 12 and not (zero_led and found["zulu"]) else " hundred"
    if int(found["second"] or 0):
        words += f" and {cardinal(int(found['second']))} second{'' if int(found['second']) == 1 else 's'}"
    return words + (" u t c" if found["zulu"] else "") + half_of_day(found, scanner)


def _hour(found: re.Match[str], scanner: Scanner) -> str | None:
    return cardinal(int(found["hour"])) + half_of_day(found, scanner)


def half_of_day(found: re.Match[str], scanner: Scanner) -> str:
    """ "p m", and the full stop that was both the abbreviation's and the sentence's."""
    if not found["meridiem"]:
        return ""
    return f" {spell(found['meridiem'])}" + stop_after(found.end(), scanner)


def _hour_range(found: re.Match[str], scanner: Scanner) -> str | None:
    return cardinal(int(found["hour"])) if int(found["hour"]) <= 12 else None


def _four_digits(found: re.Match[str], scanner: Scanner) -> str | None:
    hour, minute = int(found["hour"]), int(found["minute"])
    words = (
        f"{'zero ' if hour < 10 else ''}{cardinal(hour)} "
        f"{'hundred' if not minute else ('zero ' if minute < 10 else '') + cardinal(minute)}"
    )
    return words + " hours"


def _count(text: str, unit: str) -> str:
    return f"{amount(text)} {unit}{'' if float(text) == 1 else 's'}"


def _compound(found: re.Match[str], scanner: Scanner) -> str | None:
    """Two parts or more: "1h30m", "2h 15m", "3m 20s"; "1h20" has no unit of its own for the minutes."""
    parts = [(name, found[name]) for name in ("days", "hours", "minutes", "seconds") if found[name]]
    if len(parts) < 2:
        return None
    bare = found["minutes"] and scanner.text[found.end("minutes") : found.end("minutes") + 2].strip()[:1] != "m"
    if bare:
        if len(found["minutes"]) != 2 or " " in found[0] or parts[-1][0] != "minutes":
            return None
        return f"{_count(parts[0][1], 'hour')} {cardinal(int(parts[-1][1]))}"
    return " ".join(_count(text, name[:-1]) for name, text in parts)


def _days_hours(found: re.Match[str], scanner: Scanner) -> str | None:
    return f"{_count(found['days'], 'day')} {_count(found['hours'], 'hour')}"


def _minutes(found: re.Match[str], scanner: Scanner) -> str | None:
    after, before = scanner.word_after(found.end()).lower(), scanner.word_before(found.start()).lower()
    return _count(found["number"], "minute") if after in _MINUTE_AFTER or before in _MINUTE_BEFORE else None


DIGIT = (
    rule("time", ":", _CLOCK, _clock, after=":"),
    rule("time", ".", _DOTTED_CLOCK, _clock, after="."),
    rule("time", "", _HOUR, _hour, after="Aa"),
    rule("time", "", _HOUR_RANGE, _hour_range, after="-– "),
    rule("time", "", _FOUR_DIGITS, _four_digits, after="Aa"),
    rule("duration", "dhm", _COMPOUND, _compound, after="Aa"),
    rule("duration", "d", _DAYS_HOURS, _days_hours, after="A"),
    rule("duration", "", _MINUTES, _minutes, after="Aa"),
)
