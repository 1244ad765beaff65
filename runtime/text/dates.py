"""Dates and times of day."""

from __future__ import annotations

import re

from runtime.text.acronyms import spell
from runtime.text.numbers import cardinal, decade, ordinal, year

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")
_SHORT = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10,
          "nov": 11, "dec": 12}
_NUMBER_OF = {**_SHORT, **{name: index for index, name in enumerate(_MONTHS, 1)}}
_WEEKDAYS = {"Mon": "monday", "Tue": "tuesday", "Tues": "tuesday", "Wed": "wednesday", "Thu": "thursday",
             "Thur": "thursday", "Thurs": "thursday", "Fri": "friday", "Sat": "saturday", "Sun": "sunday"}

_NAME = (r"(?P<month>(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?|(?i:january|february|april|june|july|august"
         r"|september|october|november|december)|March|May)")
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[12]\d{3})"
_END = r"(?![\w:%°]|[.,]\d|-\d)"
_ISO = re.compile(r"(?<![\w.-])(?P<year>\d{4})([-/.])(?P<month>0?[1-9]|1[0-2])\2(?P<day>0?[1-9]|[12]\d|3[01])"
                  r"(?:(?=[T ]\d\d:)T?|(?![\w/-]|\.\d))")
_NUMERIC = re.compile(rf"(?<![\w./-])(?P<first>\d{{1,2}})([-/.])(?P<second>\d{{1,2}})\2{_YEAR}(?![\w/-]|\.\d)")
_MONTH_FIRST = re.compile(rf"\b{_NAME} (?:the )?{_DAY}(?:,? {_YEAR})?{_END}")
_DAY_FIRST = re.compile(rf"\b{_DAY} (?:of )?{_NAME}(?:,? {_YEAR})?(?!\w|\.\w)")
_MONTH_YEAR = re.compile(rf"\b{_NAME},? {_YEAR}{_END}")
_DOTTED_MONTH = re.compile(r"\b(Jan|Feb|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.(?!\w)")
_WEEKDAY = re.compile(r"\b(Mon|Tues?|Wed|Thu(?:rs?)?|Fri)\.(?!\w)|\b(Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)\b\.?,? ?"
                      r"(?=\d|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))")
_NEW_SENTENCE = re.compile(r"\s*\Z|\s(?!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
                           r"\w*\b)(?:[A-Z][a-z']|[IA]\b)")
_LONG_NAMES = {name[:3].capitalize(): name for name in (*_MONTHS, *_WEEKDAYS.values())}
_NAMED_RANGE = re.compile(rf"\b({'|'.join(_LONG_NAMES)})\.?-({'|'.join(_LONG_NAMES)})\b")
_MERIDIEM = r"(?P<meridiem> ?[apAP](?:\.[mM]\.?|[mM])(?![A-Za-z]))"
_CLOCK = re.compile(rf"(?<![\w:.,])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.\d+)?)?"
                    rf"(?P<zulu>Z(?!\w))?{_MERIDIEM}?(?![\d:])")
_TIME_RANGE = re.compile(r"(\d:\d\d(?: ?[apAP]\.?[mM]\.?)?|\d ?[apAP]\.?[mM]\.?) ?- ?(?=\d)"
                         r"|(?<![\d:.,/-])(\d{1,2}) ?- ?(?=\d{1,2}(?::\d\d)? ?[apAP]\.?[mM](?![A-Za-z]))")
_HOUR = re.compile(rf"(?<![\w:.,$€£])(?P<hour>1[0-2]|0?[1-9]){_MERIDIEM}")
_DECADE = re.compile(r"(?<!\w)'?((?:1[1-9]|20)\d0|[2-9]0)'?s\b")
_CONTEXT_YEAR = re.compile(r"\b((?:[Ii]n|[Ss]ince|[Uu]ntil|[Cc]irca|[Yy]ear|©) )(1[0-7]\d\d)"
                           r"(?=[\s.,;:!?)]|$)(?![.,]\d)")


def expand_dates(text: str) -> str:
    """Dates, then times, then decades and years that only their context gives away."""
    text = _NAMED_RANGE.sub(lambda found: f"{_LONG_NAMES[found[1]]} to {_LONG_NAMES[found[2]]}", text)
    if not any(digit in text for digit in "0123456789"):
        return _WEEKDAY.sub(_weekday, _DOTTED_MONTH.sub(_month_only, text))
    text = _WEEKDAY.sub(_weekday, text)
    text = _ISO.sub(_iso, text)
    text = _NUMERIC.sub(_numeric, text)
    text = _DAY_FIRST.sub(_named, text)
    text = _MONTH_FIRST.sub(_named, text)
    text = _MONTH_YEAR.sub(_named, text)
    text = _DOTTED_MONTH.sub(_month_only, text)
    text = _TIME_RANGE.sub(lambda found: f"{found[1] or found[2]} to ", text)
    text = _CLOCK.sub(_clock, text)
    text = _HOUR.sub(_hour, text)
    text = _DECADE.sub(lambda found: decade(found[1]), text)
    return _CONTEXT_YEAR.sub(lambda found: found[1] + year(int(found[2])), text)


def _date(month: int, day: int | None, year_text: str | None) -> str:
    words = [_MONTHS[month - 1]] + ([ordinal(day)] if day else [])
    if not year_text:
        return " ".join(words)
    return " ".join(words) + (", " if day else " ") + year(int(year_text))


def _iso(found: re.Match[str]) -> str:
    return _date(int(found["month"]), int(found["day"]), found["year"]) + (", " if found[0].endswith("T") else " ")


def _numeric(found: re.Match[str]) -> str:
    """Month first, as in the United States, unless the dots or the numbers say otherwise."""
    month, day = int(found["first"]), int(found["second"])
    if found[2] == "." or month > 12:
        month, day = day, month
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found[0]
    return _date(month, day, found["year"])


def _named(found: re.Match[str]) -> str:
    groups = found.groupdict()
    month = _NUMBER_OF[found["month"].rstrip(".").lower()]
    return _date(month, int(groups["day"]) if groups.get("day") else None, found["year"])


def _month_only(found: re.Match[str]) -> str:
    return _MONTHS[_SHORT[found[1].lower()] - 1] + _stop(found)


def _weekday(found: re.Match[str]) -> str:
    if found[1]:
        return _WEEKDAYS[found[1]] + _stop(found)
    return _WEEKDAYS[found[2]] + ", "


def _stop(found: re.Match[str]) -> str:
    """The full stop of a sentence that ends with a shortened month or weekday, or with "p.m."."""
    return "." if _NEW_SENTENCE.match(found.string, found.end()) else ""


def _clock(found: re.Match[str]) -> str:
    hour, minute, meridiem = int(found["hour"]), int(found["minute"]), found["meridiem"]
    words = cardinal(hour)
    if minute:
        words += f" oh {cardinal(minute)}" if minute < 10 else f" {cardinal(minute)}"
    elif not meridiem and not found["second"]:
        words += " o'clock" if 1 <= hour <= 12 and found["hour"][0] != "0" else " hundred"
    if int(found["second"] or 0):
        words += f" and {cardinal(int(found['second']))} seconds"
    return words + (" u t c" if found["zulu"] else "") + _half_of_day(found)


def _hour(found: re.Match[str]) -> str:
    return cardinal(int(found["hour"])) + _half_of_day(found)


def _half_of_day(found: re.Match[str]) -> str:
    """"p m", and the full stop that was both the abbreviation's and the sentence's."""
    if not found["meridiem"]:
        return ""
    return f" {spell(found['meridiem'])}" + (_stop(found) if found["meridiem"].endswith(".") else "")


