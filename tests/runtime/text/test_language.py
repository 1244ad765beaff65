"""The language of short texts, by which reading rules apply or not."""

from __future__ import annotations

import pytest

from runtime.text.normalization.language import Language, language_of

TEXTS: dict[Language, tuple[str, ...]] = {
    "en": ("Turn left.", "It's 5 o'clock.", "The meeting is at 9 am on May 5.", "Go 20 m.", "Call Dr. Smith at 555-1234.",
           "OK.", "Version 2.1 of Müller's app is out.", "He said no.", "Battery at 20%.", "Café closes at 6.",
           "I'm at the Peña café in San José.", "12"),
    "de": ("Ich habe 3 Hunde.", "Der Zug fährt um 9 Uhr.", "Bitte nach links drehen.", "Das kostet 20 Euro.", "Nicht jetzt.",
           "Wir treffen uns am 5. Mai.", "Guten Tag, wie geht es Ihnen?", "Die Batterie ist bei 20 %.",
           "Es sind 5 km bis Berlin.", "Schöne Grüße aus München."),
    "es": ("Tengo 3 perros.", "El tren sale a las 9.", "Hola, ¿cómo está usted?", "Son 20 euros.", "Muchas gracias.",
           "Nos vemos el 5 de mayo.", "Gire a la izquierda, por favor.", "Hay 5 km hasta Madrid.", "No hay problema."),
    "fr": ("J'ai 3 chiens.", "Le train part à 9 heures.", "Bonjour, comment allez-vous ?", "Rendez-vous le 5 mai.",
           "La batterie est à 20 %.", "Tournez à gauche, s'il vous plaît.", "Il y a 5 km jusqu'à Paris.",
           "Pas de problème."),
    "zh": ("我有3只狗。",), "ja": ("犬が3匹います。",),
    "ko": ("개가 3마리 있어요.",), "other": ("У меня 3.",),
}


@pytest.mark.parametrize("language", TEXTS)
def test_short_texts(language: Language) -> None:
    assert {text: language_of(text) for text in TEXTS[language]} == dict.fromkeys(TEXTS[language], language)
