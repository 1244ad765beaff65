"""Amounts of money, with the currency's sign or code on either side."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..number_words import amount, cardinal
from ..scanner import Scanner, rule


class Currency(NamedTuple):
    """Names of a currency's unit and of its hundredth."""

    one: str
    many: str
    cent: str = ""
    cents: str = ""


def _dollar(country: str) -> Currency:
    return Currency(f"{country} dollar".strip(), f"{country} dollars".strip(), "cent", "cents")


_EURO = Currency("euro", "euros", "cent", "cents")
_POUND = Currency("pound", "pounds", "penny", "pence")
_YEN = Currency("yen", "yen")
_RUPEE = Currency("rupee", "rupees", "paisa", "paise")
_CENT = Currency("cent", "cents")
_BITCOIN = Currency("bitcoin", "bitcoins")
_FRANC = Currency("swiss franc", "swiss francs")
_BY_SIGN = {
    "$": _dollar(""),
    "US$": _dollar(""),
    "A$": _dollar("australian"),
    "AU$": _dollar("australian"),
    "C$": _dollar("canadian"),
    "CA$": _dollar("canadian"),
    "HK$": _dollar("hong kong"),
    "NZ$": _dollar("new zealand"),
    "S$": _dollar("singapore"),
    "SG$": _dollar("singapore"),
    "NT$": _dollar("new taiwan"),
    "R$": Currency("real", "reais"),
    "MX$": Currency("mexican peso", "mexican pesos"),
    "€": _EURO,
    "£": _POUND,
    "¥": _YEN,
    "₹": _RUPEE,
    "₩": Currency("won", "won"),
    "₽": Currency("ruble", "rubles"),
    "¢": _CENT,
    "₿": _BITCOIN,
    "Rs.": _RUPEE,
    "Rs": _RUPEE,
    "kr": Currency("krona", "kronor"),
    "zł": Currency("zloty", "zlotys"),
}
_BY_CODE = {
    "USD": Currency("u s dollar", "u s dollars", "cent", "cents"),
    "EUR": _EURO,
    "GBP": _POUND,
    "JPY": _YEN,
    "INR": _RUPEE,
    "CHF": _FRANC,
    "CNY": Currency("yuan", "yuan"),
    "RMB": Currency("yuan", "yuan"),
    "BTC": _BITCOIN,
    "CAD": _BY_SIGN["C$"],
    "AUD": _BY_SIGN["A$"],
    "HKD": _BY_SIGN["HK$"],
    "NZD": _BY_SIGN["NZ$"],
    "SGD": _BY_SIGN["S$"],
    "SEK": Currency("swedish krona", "swedish kronor"),
    "NOK": Currency("norwegian krone", "norwegian kroner"),
    "DKK": Currency("danish krone", "danish kroner"),
    "KRW": _BY_SIGN["₩"],
    "MXN": _BY_SIGN["MX$"],
    "BRL": _BY_SIGN["R$"],
    "RUB": _BY_SIGN["₽"],
    "PLN": _BY_SIGN["zł"],
    "ZAR": Currency("rand", "rand"),
    "TRY": Currency("turkish lira", "turkish lira"),
    "THB": Currency("baht", "baht"),
}
_SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "mm": "million", "bn": "billion", "b": "billion", "t": "trillion",
    "tn": "trillion",
}
_NUMBER = (
    r"(?:\d{1,3}(?:\.\d{3})+,\d{2}(?!\d)|(?:\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)|\d{1,3}(?: \d{3})+(?![\d])|\d{1,18})("
    r"?:\.\d+|,\d{2}(?![\d,]))?|\.\d+)"
)
_SCALE = r"(?:[ -]?(?P<scale>hundred|thousand|million|billion|trillion)\b| ?(?P<short>bn|mn|tn|mm|[kKmMbBtT])(?![\w]))?"
_SIGNS = r"(?:US|AU|CA|HK|NZ|SG|NT|MX|[ACSR])?\$|[€£¥₹₩₽₿]"
_UPPER = rf"(?: ?[-–~] ?(?:{_SIGNS})?(?P<upper>{_NUMBER})(?![-–]|[\d,]*\.\d*-))?"
_BEFORE = rf"(?<![A-Za-z0-9])(?P<sign>{_SIGNS}) ?(?P<minus>[-–]?)(?P<number>{_NUMBER}){_UPPER}{_SCALE}"
_RUPEES = rf"(?<!\w)(?P<sign>Rs\.?) ?(?P<minus>)(?P<number>{_NUMBER}){_UPPER}{_SCALE}"
_CODES = "|".join(_BY_CODE)
_CODE_BEFORE = rf"(?<!\w)(?P<sign>{_CODES}) ?(?P<minus>[-–]?)(?P<number>{_NUMBER}){_UPPER}{_SCALE}"
_AFTER = (
    rf"(?<![\w.,])(?P<minus>)(?P<number>{_NUMBER})(?:[-–](?P<upper>{_NUMBER}))?{_SCALE}"
    rf" ?(?P<sign>[€£¢₹¥₽₩]|(?:{_CODES}|zł|kr)(?!\w))"
)
_DOLLAR_AFTER = rf"(?<![\w.,])(?P<minus>)(?P<number>{_NUMBER})(?P<upper>(?!)x)?{_SCALE}(?P<sign>\$)(?!\w)"
_PROMPT = r"(?<!\S)\$ (?=[a-z./])"
_VARIABLE = r"\$(?=[A-Za-z_]\w)"
_LOOSE = r"[$€£¥₹₩₽¢₿]"
_NOUN_AFTER = re.compile(r" ([a-z]{3,})")
_HYPHEN_NOUN = re.compile(r"[-–][A-Za-z]")
_NO_NOUNS_LIST = """
    and are but for from has have had her his how its not off one our out own per she than that the their then there they
    this was were what when where which while who will with you your each every extra more less now today yesterday
    tomorrow plus minus into onto over under before after during until since because away back only just too very again
    worth total cash down apiece annually monthly weekly daily can may must should would could did does lost won here left
    earned saved spent ago later through between within without about cheaper richer poorer short upfront online again
    altogether yearly hourly goes went come came make makes paid pays
    """
_NO_NOUNS = frozenset(_NO_NOUNS_LIST.split())
_ARTICLES = frozenset(["a", "an", "the", "this", "that", "another", "each", "every", "any", "one", "no", "single"])


def _spoken(found: re.Match[str], scanner: Scanner) -> str | None:
    currency = _BY_SIGN.get(found["sign"]) or _BY_CODE[found["sign"]]
    number = _plain_number(found["number"])
    upper = _plain_number(found["upper"]) if found["upper"] else None
    scale = found["scale"] or _SCALES.get((found["short"] or "").lower(), "")
    minus = "minus " if found["minus"] else ""
    if upper:
        return minus + _range(currency, number, upper, scale)
    whole, _, cents = number.partition(".")
    if not scale and currency.cent and _in_cents(cents):
        return minus + _with_cents(currency, int(whole or 0), int(cents.ljust(2, "0")[:2]))
    one = (number == "1" and not scale) or _is_attribute(found, scanner)
    return f"{minus}{amount(number)} {scale + ' ' if scale else ''}{currency.one if one else currency.many}"


def _in_cents(cents: str) -> bool:
    return len(cents) in (1, 2) or (len(cents) == 3 and cents[2] == "0")


def _range(currency: Currency, low: str, high: str, scale: str) -> str:
    if "." in low and "." in high and not scale and currency.cent:
        parts = [text.partition(".") for text in (low, high)]
        if all(_in_cents(cents) for _, _, cents in parts):
            return " to ".join(
                _with_cents(currency, int(whole or 0), int(cents.ljust(2, "0")[:2])) for whole, _, cents in parts
            )
    return f"{amount(low)} to {amount(high)} {scale + ' ' if scale else ''}{currency.many}"


def _is_attribute(found: re.Match[str], scanner: Scanner) -> bool:
    """Return whether the amount stands before its noun: "a $20-a-month plan", "a £10 note"."""
    if _HYPHEN_NOUN.match(scanner.text, found.end()):
        return True
    noun = _NOUN_AFTER.match(scanner.text, found.end())
    return (
        noun is not None
        and noun[1] not in _NO_NOUNS
        and not noun[1].endswith(("ly", "ing"))
        and scanner.word_before(found.start()).lower() in _ARTICLES
    )


def _plain_number(text: str) -> str:
    """ "1.234,56", "1 234" and "29,99" with a decimal point and no groups."""
    text = text.replace(" ", "")
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+,\d{2}|\d+,\d{2}", text):
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "")


def _with_cents(currency: Currency, whole: int, cents: int) -> str:
    parts = []
    if whole or not cents:
        parts.append(f"{cardinal(whole)} {currency.one if whole == 1 else currency.many}")
    if cents:
        parts.append(f"{cardinal(cents)} {currency.cent if cents == 1 else currency.cents}")
    return " and ".join(parts)


DIGIT = (
    rule("money", "", _AFTER, _spoken, after="Aa9.,-– €£¢₹¥₽₩"),
    rule("money", "$", _DOLLAR_AFTER, _spoken),
)
LETTER = (
    rule("money", "$", _BEFORE, _spoken),
    rule("money", "", _CODE_BEFORE, _spoken, words=[code.lower() for code in _BY_CODE]),
    rule("money", "", _RUPEES, _spoken, words=("rs",)),
)
SIGN = (
    rule("money", "$€£¥₹₩₽₿", _BEFORE, _spoken),
    rule("symbol", "$", _PROMPT, lambda found, scanner: ""),
    rule("symbol", "$", _VARIABLE, lambda found, scanner: "dollar"),
    rule("money", "$€£¥₹₩₽¢₿", _LOOSE, lambda found, scanner: _BY_SIGN[found[0]].one),
)
