"""Language of a text, as far as it decides which reading rules apply: by script, then by function words."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "de", "es", "fr", "it", "pt", "zh", "ja", "ko", "other"]

_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS: tuple[tuple[Language, re.Pattern[str]], ...] = (
    ("ja", re.compile(r"[\u3040-\u30ff]")), ("ko", re.compile(r"[\uac00-\ud7af]")), ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("other", re.compile(r"[\u0370-\u1cff\u2c00-\u2fdf\ua000-\uabff]")))
_FREQUENT: dict[Language, str] = {
    "en": "the a an and is are was were of to in that it for on with as at by this be have has not you i he she we they your "
          "my his her from or if will would can do does what there which all their one please",
    "de": "der die das und ist sind war nicht ein eine einen einem einer ich du er wir ihr mit auf für von zu im am den dem "
          "des auch es bitte nach wie haben habe hat noch bei aus oder wird kann um uhr über sie",
    "es": "el los las y es son fue no un una uno yo tú nosotros con por para de del en al se lo su sus como más pero está que "
          "hay muy también tiene tengo hola usted gracias a la mi",
    "fr": "le la les et est sont était ne pas un une des je j ai tu il elle nous vous avec pour sur du au aux dans ce cette "
          "ces mais où que qui très bonjour merci y a mon ma sa son à",
    "it": "il lo gli e è sono era non un uno una io noi voi con per di del della che nel alla ma più anche come questo ho ciao "
          "grazie molto",
    "pt": "o os as e é são não um uma eu você nós com por para do da dos em no na que mas mais muito tenho "
          "obrigado olá também está",
}
_FUNCTION_WORDS = {language: frozenset(words.split()) for language, words in _FREQUENT.items()}
_LETTERS: dict[Language, re.Pattern[str]] = {
    "de": re.compile("[äöüßÄÖÜ]"), "es": re.compile("[ñ¿¡Ñ]"), "fr": re.compile("[èêçœùûîïëÈÊÇŒ]"), "pt": re.compile("[ãõÃÕ]")}
LETTER_WEIGHT = 1.5
"""Function words that one letter of a language alone counts for: English has few such words, and names."""


def language_of(text: str) -> Language:
    """Return the language of a text; English where nothing tells.

    A Latin text is of the language whose function words are most frequent in it. It must have more of them than English has, as
    names and short commands have none.
    """
    for language, script in _SCRIPTS:
        if script.search(text):
            return language
    words = [word.lower() for word in _WORD.findall(text)]
    scores: dict[Language, float] = {
        language: sum(word in known for word in words) + LETTER_WEIGHT * _has_letters(language, text)
        for language, known in _FUNCTION_WORDS.items()}
    best = max(scores, key=lambda language: (scores[language], language == "en"))
    return best if scores[best] > scores["en"] else "en"


def _has_letters(language: Language, text: str) -> bool:
    letters = _LETTERS.get(language)
    return letters is not None and letters.search(text) is not None
