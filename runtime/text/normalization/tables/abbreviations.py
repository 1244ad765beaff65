"""Abbreviations: what each stands for, by the context that it needs."""

from __future__ import annotations

TITLES = {
    "Mr": "mister", "Mrs": "missus", "Ms": "ms", "Messrs": "messers", "Prof": "professor", "Mme": "madame",
    "Mlle": "mademoiselle", "Mx": "mix", "Esq": "esquire",
}
"""Before a name, with a dot or without."""
BEFORE_NAMES = {
    "Gen": "general", "Col": "colonel", "Sgt": "sergeant", "Capt": "captain", "Lt": "lieutenant", "Cpl": "corporal",
    "Pvt": "private", "Cmdr": "commander", "Gov": "governor", "Sen": "senator", "Rep": "representative", "Rev": "reverend",
    "Hon": "honorable", "Pres": "president", "Mt": "mount", "Ft": "fort", "Maj": "major", "Adm": "admiral", "Fr": "father",
    "Sr": "sister", "Br": "brother", "Supt": "superintendent", "Insp": "inspector", "Det": "detective",
    "Amb": "ambassador", "Atty": "attorney", "Dir": "director", "Pt": "point", "Msgr": "monsignor", "Sec": "secretary",
    "Brig": "brigadier", "Ens": "ensign", "Ald": "alderman",
}
"""Before a capitalised name, with a dot."""
PLACES_WITHOUT_DOT = {"Ft": "fort", "Mt": "mount", "St": "saint"}
"""Before a capitalised name even without a dot."""
NUMBERED = {
    "no": "number", "nos": "numbers", "fig": "figure", "figs": "figures", "eq": "equation", "eqs": "equations",
    "ch": "chapter", "chs": "chapters", "sec": "section", "vol": "volume", "vols": "volumes", "ex": "example",
    "pp": "pages", "p": "page", "pg": "page", "pgs": "pages", "ca": "circa", "c": "circa", "ver": "version",
    "art": "article", "ext": "extension", "tab": "table", "apt": "apartment", "ste": "suite", "max": "maximum",
    "min": "minimum", "para": "paragraph", "paras": "paragraphs", "rte": "route", "rt": "route", "est": "established",
    "temp": "temperature", "ref": "reference", "refs": "references", "app": "appendix", "cl": "clause", "q": "question",
    "qty": "quantity", "ed": "edition", "ser": "series", "iss": "issue", "rm": "room", "fl": "floor", "bldg": "building",
    "lot": "lot", "ln": "line", "col": "column", "st": "saint", "rev": "revision", "mk": "mark", "tel": "telephone",
    "ph": "phone", "op": "opus", "lat": "latitude", "lon": "longitude", "alt": "altitude", "dim": "dimension",
    "wt": "weight", "ht": "height", "vs": "versus", "approx": "approximately", "hwy": "highway", "b": "born", "d": "died",
    "r": "reigned",
}
"""Before a number, with a dot."""
NUMBERED_WITHOUT_DOT = {
    "Apt": "apartment", "Ste": "suite", "Vol": "volume", "Fig": "figure", "Rte": "route", "Hwy": "highway",
    "Bldg": "building", "Rm": "room", "Ext": "extension", "Ch": "chapter", "Qty": "quantity", "Temp": "temperature",
    "Mk": "mark", "Para": "paragraph", "Sec": "section", "Eq": "equation", "Pg": "page", "Ph": "phone", "Tel": "telephone",
}
"""Before a number or a code even without a dot."""
ALWAYS = {
    "e.g": "for example", "eg": "for example", "i.e": "that is", "ie": "that is", "vs": "versus", "cf": "compare",
    "viz": "namely", "approx": "approximately", "dept": "department", "depts": "departments", "govt": "government",
    "resp": "respectively", "incl": "including", "excl": "excluding", "misc": "miscellaneous", "attn": "attention",
    "a.k.a": "also known as", "avg": "average", "appt": "appointment", "assn": "association", "univ": "university",
    "intl": "international", "natl": "national", "mfg": "manufacturing", "mgmt": "management", "mgr": "manager",
    "asst": "assistant", "esp": "especially", "prev": "previous", "sq": "square", "abbr": "abbreviation",
    "w.r.t": "with respect to", "n.b": "nota bene", "p.s": "p s",
}
"""Anywhere, with a dot, which rarely ends a sentence."""
ENDING = {
    "etc": "et cetera", "inc": "incorporated", "ltd": "limited", "corp": "corporation", "bros": "brothers", "jr": "junior",
    "sr": "senior", "ave": "avenue", "av": "avenue", "blvd": "boulevard", "rd": "road", "ln": "lane", "hwy": "highway",
    "pkwy": "parkway", "ph.d": "p h d", "co": "company", "et al": "and others", "ct": "court", "pl": "place",
    "sq": "square", "ter": "terrace", "cir": "circle", "expy": "expressway", "trl": "trail", "rte": "route",
    "apt": "apartment", "bldg": "building", "mtn": "mountain", "mt": "mountain", "jct": "junction", "est": "established",
    "llc": "l l c", "plc": "p l c", "esq": "esquire",
}
"""With a dot that may also end the sentence."""
_CAPITAL_ONLY_LIST = """
    co ave av rd ln inc sr jr corp ct pl sq ter cir trl rte apt bldg mt est llc plc esq jct mtn
    """
CAPITAL_ONLY = frozenset(_CAPITAL_ONLY_LIST.split())
"""Words that only are abbreviations when they begin with a capital."""
LOWER_ANYWHERE = {"temp": "temperature"}
"""Before a verb or a preposition, with a dot: "the avg. temp. was"."""
WITHOUT_DOT = {
    "Mr": "mister", "Mrs": "missus", "Dr": "doctor", "Prof": "professor", "e.g": "for example", "i.e": "that is",
    "vs": "versus",
}
STREETS = {
    "St": "street", "Ave": "avenue", "Av": "avenue", "Rd": "road", "Blvd": "boulevard", "Ln": "lane", "Dr": "drive",
    "Ct": "court", "Pl": "place", "Pkwy": "parkway", "Hwy": "highway", "Expy": "expressway", "Ter": "terrace",
    "Cir": "circle", "Sq": "square", "Trl": "trail", "Fwy": "freeway", "Tpke": "turnpike", "Cres": "crescent",
}
"""After a capitalised name."""
DIRECTIONS = {
    "N": "north", "S": "south", "E": "east", "W": "west", "NE": "northeast", "NW": "northwest", "SE": "southeast",
    "SW": "southwest",
}
"""In an address."""
STATES = {
    "AL": "alabama", "AK": "alaska", "AZ": "arizona", "AR": "arkansas", "CA": "california", "CO": "colorado",
    "CT": "connecticut", "DE": "delaware", "FL": "florida", "GA": "georgia", "HI": "hawaii", "ID": "idaho",
    "IL": "illinois", "IN": "indiana", "IA": "iowa", "KS": "kansas", "KY": "kentucky", "LA": "louisiana", "ME": "maine",
    "MD": "maryland", "MA": "massachusetts", "MI": "michigan", "MN": "minnesota", "MS": "mississippi", "MO": "missouri",
    "MT": "montana", "NE": "nebraska", "NV": "nevada", "NH": "new hampshire", "NJ": "new jersey", "NM": "new mexico",
    "NY": "new york", "NC": "north carolina", "ND": "north dakota", "OH": "ohio", "OK": "oklahoma", "OR": "oregon",
    "PA": "pennsylvania", "RI": "rhode island", "SC": "south carolina", "SD": "south dakota", "TN": "tennessee",
    "TX": "texas", "UT": "utah", "VT": "vermont", "VA": "virginia", "WA": "washington", "WV": "west virginia",
    "WI": "wisconsin", "WY": "wyoming", "DC": "d c",
}
"""After a city and a comma."""
AMBIGUOUS_STATES = frozenset(("HI", "OK", "IN", "OR", "ME", "ID", "PA", "MA", "LA", "AL", "DE", "CO", "OH", "MS", "MD", "ND"))
"""Words or initialisms that need a ZIP code after them to be a state."""
_STARTERS_LIST = """
    The It He She We They This That These Those In On At But And So If When While There Here I You A An As For His Her Its
    Our Your Their What Why How Who Where After Before However Then Now No Yes Please Can Could Do Does Did Is Are Was Were
    Will Would Let My Not Nothing Some Every
    """
STARTERS = frozenset(_STARTERS_LIST.split())
"""Words that, with a capital, begin a sentence rather than being a name."""
LETTER_NOUNS = frozenset(
    ["a", "an", "plan", "vitamin", "option", "type", "grade", "class", "point", "section", "team", "letter"]
)
_FUNCTION_WORDS_LIST = """
    In At To From Near The On By Of And Visit For With Is Was Are Meet Ask Call See Dear Hi Hello Thanks Our My
    """
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS_LIST.split())
