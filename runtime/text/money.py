"""Amounts of money, with the currency's sign or code on either side."""

from __future__ import annotations

import re
from typing import NamedTuple

from runtime.text.numbers import amount, cardinal


class _Currency(NamedTuple):
    one: str
    many: str
    cent: str = ""
    cents: str = ""


_DOLLAR = _Currency("dollar", "dollars", "cent", "cents")
_EURO = _Currency("euro", "euros", "cent", "cents")
_POUND = _Currency("pound", "pounds", "penny", "pence")
_YEN = _Currency("yen", "yen")
_RUPEE = _Currency("rupee", "rupees", "paisa", "paise")
_CENT = _Currency("cent", "cents")
_BITCOIN = _Currency("bitcoin", "bitcoins")
_BY_SIGN = {
    "$": _DOLLAR, "US$": _DOLLAR, "€": _EURO, "£": _POUND, "¥": _YEN, "₹": _RUPEE, "₩": _Currency("won", "won"),
    "₽": _Currency("ruble", "rubles"), "¢": _CENT, "₿": _BITCOIN,
    "A$": _Currency("australian dollar", "australian dollars", "cent", "cents"),
    "C$": _Currency("canadian dollar", "canadian dollars", "cent", "cents"),
}
_BY_CODE = {
    "USD": _Currency("u s dollar", "u s dollars", "cent", "cents"), "EUR": _EURO, "GBP": _POUND, "JPY": _YEN,
    "INR": _RUPEE, "CHF": _Currency("swiss franc", "swiss francs"), "CNY": _Currency("yuan", "yuan"),
    "BTC": _BITCOIN, "CAD": _BY_SIGN["C$"], "AUD": _BY_SIGN["A$"],
}
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "bn": "billion", "b": "billion", "t": "trillion"}

_NUMBER = r"(?:(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)|\d{1,18})(?:\.\d+)?|\.\d+)"
_SCALE = r"(?: ?(?P<scale>hundred|thousand|million|billion|trillion)\b|(?P<short>bn|mn|[kKmMbBtT])(?![\w]))?"
_BEFORE = re.compile(rf"(?<!\w)(?P<sign>US\$|A\$|C\$|[$€£¥₹₩₽₿]) ?(?P<number>{_NUMBER})"
                     rf"(?: ?- ?[$€£¥₹]?(?P<upper>{_NUMBER}))?{_SCALE}")
_CODE_BEFORE = re.compile(rf"\b(?P<sign>USD|EUR|GBP|JPY|CHF|INR|CNY|CAD|AUD|BTC) ?(?P<number>{_NUMBER})"
                          rf"(?P<upper>(?!)x)?{_SCALE}")
_AFTER = re.compile(rf"(?<![\w.,])(?P<number>{_NUMBER})(?:-(?P<upper>{_NUMBER}))?{_SCALE}"
                    r" ?(?P<sign>[€£¢₹¥₽]|(?:USD|EUR|GBP|JPY|CHF|INR|CNY|CAD|AUD|BTC)(?!\w))")
_DOLLAR_AFTER = re.compile(rf"(?<![\w.,])(?P<number>{_NUMBER})(?P<upper>(?!)x)?{_SCALE}(?P<sign>\$)(?!\w)")
_PROMPT = re.compile(r"(?<!\S)\$ (?=[a-z./])")
_LOOSE = re.compile(r"[$€£¥₹₩₽¢₿]")


def expand_money(text: str) -> str:
    """"$3.50" to "three dollars and fifty cents"; a sign without an amount to its name."""
    if any(digit in text for digit in "0123456789"):
        for pattern in (_BEFORE, _CODE_BEFORE, _AFTER, _DOLLAR_AFTER):
            text = pattern.sub(_spoken, text)
    return _LOOSE.sub(lambda found: f" {_BY_SIGN[found[0]].one} ", _PROMPT.sub("", text))


def _spoken(found: re.Match[str]) -> str:
    currency = _BY_SIGN.get(found["sign"]) or _BY_CODE[found["sign"]]
    number, upper = found["number"].replace(",", ""), found["upper"]
    scale = found["scale"] or _SCALES.get((found["short"] or "").lower(), "")
    if scale or upper:
        return f" {amount(number)}{' to ' + amount(upper) if upper else ''} {scale} {currency.many} "
    whole, _, cents = number.partition(".")
    if len(cents) == 2 and currency.cent:
        return f" {_with_cents(currency, int(whole or 0), int(cents))} "
    return f" {amount(number)} {currency.one if number == '1' else currency.many} "


def _with_cents(currency: _Currency, whole: int, cents: int) -> str:
    parts = []
    if whole or not cents:
        parts.append(f"{cardinal(whole)} {currency.one if whole == 1 else currency.many}")
    if cents:
        parts.append(f"{cardinal(cents)} {currency.cent if cents == 1 else currency.cents}")
    return " and ".join(parts)
