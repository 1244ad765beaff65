"""Words whose accent changes how they are said: their reading as plain letters that the phonemizer knows or can guess.

Words whose plain form the dictionary says rightly ("cafe", "naive") are not here: they only lose their accent.
"""

from __future__ import annotations

import re

RESPELLED = {
    "à": "ah", "appliqué": "aplikay", "atatürk": "atatoork", "auf": "auf", "beyoncé": "beyonsay", "blasé": "blazay",
    "brontë": "bronty", "brûlée": "brulay", "brulée": "brulay", "café": "cafe", "cafés": "cafes", "chloë": "chloe",
    "chloé": "chloe", "cliché": "cliche", "clichés": "cliches", "clichéd": "cliched", "communiqué": "communique",
    "crème": "krem", "crêpe": "crepe", "crêpes": "crepes", "dé": "day", "décor": "decor", "déjà": "dayzha",
    "détente": "detente", "divorcée": "divorsay", "entrée": "entree", "entrées": "entrees", "exposé": "expozay",
    "exposés": "expozays", "fiancé": "fiance", "fiancée": "fiansay", "fiancés": "fiances", "fiancées": "fiansays",
    "glacé": "glassay", "habañero": "habanyero", "lamé": "lamay", "maté": "mahtay", "mêlée": "melee", "moiré": "mwaray",
    "naïve": "naive", "naïveté": "naivete", "née": "nay", "né": "nay", "noël": "noel", "outré": "ootray",
    "passé": "passay", "pâté": "patay", "pâtés": "patays", "piqué": "peekay", "plié": "pleeay", "pokémon": "pokaymon",
    "protégé": "protege", "protégés": "proteges", "protégée": "protege", "purée": "puree", "renée": "renay",
    "résumé": "resumay", "résumés": "resumays", "resumé": "resumay", "retroussé": "retroosay", "risqué": "riskay",
    "rosé": "rosay", "rosés": "rosays", "roué": "rooay", "sauté": "saute", "sautéed": "sauteed", "señor": "senyor",
    "señora": "senyora", "señorita": "senyorita", "soirée": "soiree", "soupçon": "soupson", "touché": "tooshay",
    "vis-à-vis": "veezavee", "zoë": "zoe", "voilà": "vwala", "garçon": "garson", "français": "fronsay", "façade": "facade",
    "façades": "facades", "curaçao": "curasow", "são": "sow", "jalapeño": "halapenyo", "jalapeños": "halapenyos",
    "niño": "neenyo", "niña": "neenya", "piñata": "pinyata", "piñatas": "pinyatas", "piña": "peenya", "mañana": "manyana",
    "cañon": "canyon", "año": "anyo", "españa": "espanya", "español": "espanyol", "josé": "jose", "andré": "andre",
    "attaché": "attache", "soufflé": "souffle", "macramé": "macrame", "matinée": "matinee", "canapé": "canapay",
    "canapés": "canapays", "consommé": "consomay", "flambé": "flombay", "négligée": "negligee", "negligée": "negligee",
    "émigré": "emigray", "élan": "aylon", "éclair": "eclair", "éclairs": "eclairs", "über": "oober",
    "doppelgänger": "doppelganger", "führer": "fuhrer", "müsli": "muesli", "gruyère": "grooyair", "première": "premiere",
    "derrière": "derriere", "château": "chateau", "fête": "fet", "tête": "tet", "coup": "coup",
    "papier-mâché": "paper mashay", "mâché": "mashay", "über-": "oober", "pâtisserie": "patisserie", "hôtel": "hotel",
    "crouton": "crouton", "croûton": "crouton", "coöperate": "cooperate", "reëlect": "reelect", "façon": "fasson",
    "ça": "sa", "el niño": "el neenyo", "pelé": "pelay", "bogotá": "bogota", "panamá": "panama", "málaga": "malaga",
    "córdoba": "cordoba",
}
"""Lower-case word to letters."""
_PLAIN_ACUTE_LIST = """
    cafe cliche fiance saute entree puree soiree attache souffle andre jose toupee protege melee matinee macrame
    """
_PLAIN_ACUTE = frozenset(_PLAIN_ACUTE_LIST.split())
_FINAL_E = re.compile(r"([a-z]{2,}?)(c?)é(e?)(s?)")
_ENYE = re.compile(r"ñ(?=[aeiouáéíóú])")


def respell_accents(run: str) -> str:
    """A word with its accents as letters: `"rosé"` to `"rosay"`, `"mañana"` to `"manyana"`; any other text unchanged."""
    lower = run.lower()
    reading = RESPELLED.get(lower)
    if reading is None and _FINAL_E.fullmatch(lower):
        reading = _FINAL_E.sub(lambda found: f"{found[1]}{'s' if found[2] else ''}ay{found[4]}", lower)
    if reading is None and "ñ" in lower:
        reading = _ENYE.sub("ny", lower)
    if reading is None:
        return run
    return reading.capitalize() if run[:1].isupper() else reading
