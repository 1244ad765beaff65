r"""LaTeX formulas to the signs of plain text: `$\frac{a}{b} \leq x^2$` to `a over b ≤ x^2`."""

from __future__ import annotations

import re
from functools import lru_cache

from .number_words import cardinal
from .tracked_text import TrackedText

_COMMANDS = (
    {
        "leq": "≤",
        "le": "≤",
        "geq": "≥",
        "ge": "≥",
        "neq": "!=",
        "ne": "!=",
        "approx": "≈",
        "sim": "~",
        "times": "×",
        "cdot": "×",
        "div": "÷",
        "pm": "±",
        "infty": "∞",
        "to": "→",
        "rightarrow": "→",
        "Rightarrow": " implies ",
        "implies": " implies ",
        "in": " in ",
        "sum": " sum of ",
        "prod": " product of ",
        "int": " integral of ",
        "partial": " partial ",
        "nabla": " nabla ",
        "degree": "°",
        "circ": "°",
        "ldots": "…",
        "dots": "…",
        "cdots": "…",
        "quad": " ",
        "left": "",
        "right": "",
        "text": "",
        "mathrm": "",
        "mathbf": "",
        "mathit": "",
        "operatorname": "",
        "lim": " limit of ",
        "log": " log ",
        "ln": " l n ",
        "sin": " sine ",
        "cos": " cosine ",
        "tan": " tangent ",
        "exp": " exp ",
        "max": " max ",
        "min": " min ",
        "forall": " for all ",
        "exists": " there exists ",
        "cup": " union ",
        "cap": " intersection ",
        "subset": " subset of ",
        "equiv": " is equivalent to ",
        "propto": " is proportional to ",
        "lt": "<",
        "gt": ">",
        "percent": "%",
        "displaystyle": "",
        "limits": "",
        "angle": " angle ",
        "perp": " perpendicular to ",
        "parallel": " parallel to ",
        "therefore": " therefore ",
    }
    | {
        name: f" {name.lower()} "
        for name in [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "pi",
            "rho",
            "sigma",
            "tau",
            "upsilon",
            "phi",
            "chi",
            "psi",
            "omega",
            "Gamma",
            "Delta",
            "Theta",
            "Lambda",
            "Xi",
            "Pi",
            "Sigma",
            "Phi",
            "Psi",
            "Omega",
        ]
    }
    | {"varepsilon": " epsilon ", "vartheta": " theta ", "varphi": " phi "}
)
_COMMAND = re.compile(r"\\(" + "|".join(sorted(_COMMANDS, key=len, reverse=True)) + r")(?![A-Za-z])")
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]{1,100})\}\{([^{}]{1,100})\}")
_ROOT = re.compile(r"\\sqrt(?:\[(\d{1,2})\])?\{([^{}]{1,100})\}")
_ESCAPED = re.compile(r"\\([%$&#_{}])")
_MATH = re.compile(r"\$\$?([^$\n]{1,300})\$\$?(?![\d])")
_DELIMITED = re.compile(r"\\\(([^\n]{1,300}?)\\\)|\\\[([^\n]{1,300}?)\\\]")
_MATHEMATICAL = re.compile(
    r"\\[a-zA-Z]|[\^_=<>]|^\s*[A-Za-z]\s*$|[A-Za-z\d)]\s?[+*/-]\s?[A-Za-z(]|^[a-zA-Z]\([a-z]\)$|^-?\d*[a-z]$"
)
_SUBSCRIPT = re.compile(r"(?<=[A-Za-z}])_(?:\{([A-Za-z\d]{1,6})\}|([A-Za-z\d]))(?!\w)")
_SUPERSCRIPT = re.compile(r"\^\{(-?\w{1,6})\}")
_BRACED = re.compile(r"\{([^{}]{0,60})\}")
_COEFFICIENT = re.compile(r"(?<=\d)(?=[A-Za-z])")
_PRODUCT = re.compile(r"(?<![A-Za-z\\{])(?!ln|km|cm|mm|kg|ft|hr|dm|nm|lb|yd)([b-df-hj-np-tv-z]{2,3})(?![A-Za-z({])")
"""Variables side by side: "mc"."""
_POWERED_PRODUCT = re.compile(_PRODUCT.pattern + r"(?=\^\d|[²³])")
_SPACED = re.compile(r"\\[,;:! ]")
_ROOTS = {None: "square root of", "2": "square root of", "3": "cube root of"}


def read_formulas(source: TrackedText) -> None:
    """Rewrite formulas between dollar signs, and LaTeX commands anywhere."""
    text = source.text
    if "$" in text:
        source.sub(
            _MATH,
            lambda found: (
                f" {_formula(found[1])} " if _MATHEMATICAL.search(found[1]) and not found[1][:1].isspace() else found[0]
            ),
        )
    if "^" in text or "²" in text or "³" in text:
        source.sub(_POWERED_PRODUCT, lambda found: " ".join(found[0]))
    if "\\" in text:
        source.sub(_DELIMITED, lambda found: f" {_formula(found[1] or found[2])} ")
        source.sub(_FRACTION, lambda found: _formula(found[0]))
        source.sub(_ROOT, lambda found: _formula(found[0]))
        source.sub(_COMMAND, lambda found: _command(found[1]))


def _command(name: str) -> str:
    sign = _COMMANDS[name]
    return f" {sign} " if len(sign) == 1 else sign


@lru_cache(256)
def _formula(text: str) -> str:
    text = _PRODUCT.sub(lambda found: " ".join(found[0]), text)
    for _ in range(3):
        text = _FRACTION.sub(r" \1 over \2 ", text)
        text = _ROOT.sub(lambda found: f" {_ROOTS.get(found[1], f'root {found[1]} of')} {found[2]} ", text)
    text = _SPACED.sub(" ", _ESCAPED.sub(r"\1", text))
    text = _COMMAND.sub(lambda found: _command(found[1]), text)
    text = _BRACED.sub(lambda found: found[0] if text[found.start() - 1 : found.start()] in ("^", "_") else found[1], text)
    text = _SUBSCRIPT.sub(_subscript, text)
    text = _SUPERSCRIPT.sub(r"^\1", text).replace("{", " ").replace("}", " ")
    return _COEFFICIENT.sub(" ", text)


def _subscript(found: re.Match[str]) -> str:
    name = found[1] or found[2]
    return f" {cardinal(int(name)) if name.isdigit() else name} "
