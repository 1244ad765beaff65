"""Digit strings that are names, not quantities: telephone numbers, addresses on a network, versions, hashes."""

from __future__ import annotations

import re

from runtime.text.acronyms import spell
from runtime.text.numbers import cardinal, digits, version

_PHONE = re.compile(
    r"(?<![\w.,/-])(?:\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}"
    r"|(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}|\d{3}-\d{4}|\d{3}-\d{2}-\d{4})(?![\w/]|[.,-]\d)")
_GROUPS = re.compile(r"(?<![\w.,-])\d{4}(?:([ -])\d{4})(?:\1\d{4}){1,3}(?![\w]|[.,-]\d)")
_EMERGENCY = re.compile(r"\b([Cc]all|[Dd]ial|[Pp]hone) (\d{3})\b")
_NETWORK = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}))?(?:/(\d{1,2}))?(?![\w]|\.\d)")
_NAMED_VERSION = re.compile(r"(?<![\w.])(?:[vV](?:er)?\.? ?(?=\d)|[vV]ersion (?=\d+\.))(\d+(?:\.\d+)*)"
                            r"(?:[-+.]?(alpha|beta|rc|dev|post|pre|a|b)[-.]?(\d{0,4}))?(?!\w)")
_BARE_VERSION = re.compile(r"(?<![\w.])(\d+(?:\.\d+){2,})(?:[-+.]?(alpha|beta|rc|dev|post|pre)[-.]?(\d{0,4}))?(?!\w)")
_PRODUCT_VERSION = re.compile(
    r"\b([Pp]ython|Ubuntu|Debian|CUDA|Java|Node|Linux|Android|[Kk]ernel|[Rr]elease) (\d+\.\d{2})(?![\w]|\.\d)")
_DOTTED_THOUSANDS = re.compile(r"(?<![\w.,])[1-9]\d{0,2}(?:\.\d{3}){2,5}(?![\w]|[.,]\d)")
_HEX = re.compile(r"\b0x([0-9A-Fa-f]{1,16})\b")
_HASH = re.compile(r"(?<![\w-])(?=[0-9a-fA-F-]{8,})(?=[a-fA-F-]*\d[0-9-]*[a-fA-F])"
                   r"[0-9a-fA-F]{4,}(?:-[0-9a-fA-F]{4,})*(?![\w-])")
_MAC = re.compile(r"(?<![\w:])[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}(?![\w:])")
_CHANNELS = {"alpha": "alpha", "beta": "beta", "rc": "r c", "dev": "dev", "post": "post", "pre": "pre", "a": "alpha",
             "b": "beta"}
_LETTER_OR_DIGIT = re.compile(r"[0-9A-Za-z]")


def expand_codes(text: str) -> str:
    """Everything that is read out sign by sign or part by part."""
    if not any(digit in text for digit in "0123456789"):
        return text
    text = _MAC.sub(lambda found: f" {characters(found[0])} ", text)
    text = _NETWORK.sub(_network, text)
    text = _PHONE.sub(_grouped, text)
    text = _GROUPS.sub(_grouped, text)
    text = _EMERGENCY.sub(lambda found: f"{found[1]} {digits(found[2])}", text)
    text = _DOTTED_THOUSANDS.sub(lambda found: found[0].replace(".", ","), text)
    text = _NAMED_VERSION.sub(lambda found: f" version {_release(found)} ", text)
    text = _BARE_VERSION.sub(lambda found: f" {_release(found)} ", text)
    text = _PRODUCT_VERSION.sub(lambda found: f"{found[1]} {version(found[2])} ", text)
    text = _HEX.sub(lambda found: f" zero x {characters(found[1])} ", text)
    return _HASH.sub(lambda found: f" {characters(found[0])} ", text)


def characters(text: str) -> str:
    """"a1f" to "ae one f"."""
    return " ".join(digits(sign) if sign.isdigit() else spell(sign) for sign in _LETTER_OR_DIGIT.findall(text))


def _grouped(found: re.Match[str]) -> str:
    groups = re.findall(r"\d+", found[0])
    plus = "plus " if found[0].startswith("+") else ""
    return f" {plus}{', '.join(digits(group) for group in groups)} "


def _network(found: re.Match[str]) -> str:
    host = " dot ".join(digits(part) for part in found[1].split("."))
    port = f" colon {digits(found[2])}" if found[2] else ""
    return f" {host}{port}{' slash ' + cardinal(int(found[3])) if found[3] else ''} "


def _release(found: re.Match[str]) -> str:
    words = version(found[1])
    if found[2]:
        words += f" {_CHANNELS[found[2]]} {cardinal(int(found[3])) if found[3] else ''}"
    return words
