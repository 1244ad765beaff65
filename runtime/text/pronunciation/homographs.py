"""Choice between the pronunciations of one spelling, from the words on both sides.

Rules, not a model: small words before and after decide between noun and verb; words that go with one sense decide between
pairs such as "lead" and "tear". Everything works on normalised words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .homograph_table import HOMOGRAPHS, VERB_BY_DEFAULT


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


DETERMINERS = _set("""
    a an the this that these those my your his her its our their some any no every each another which whose what both
    all several many few most
    one two three four five six seven eight nine ten first second third last next other same such new old good bad own
    """)
_STRICT_DETERMINERS = _set("a an the my your his her its our their every each another no this some any these those whose")
PREPOSITIONS = _set("""
    of in on at by for with from into about over under after before during through between against without within per
    as like via near beside
    behind beyond across along around despite except since until upon toward towards
    """)
BEFORE_VERBS = _set("""
    to will would can could may might must shall should do does did don't doesn't didn't won't can't cannot couldn't
    shouldn't wouldn't mustn't
    let's please i'll you'll he'll she'll it'll we'll they'll i'd you'd he'd she'd we'd they'd let help not never
    """)
_NEGATIONS = _set(
    "not never always often usually also just only really still already even now simply quickly ever then soon "
    "carefully automatically"
)
SUBJECTS = _set("i you we they who people robots users children")
THIRD = _set("he she it who that which everyone somebody someone nobody")
OBJECTS = _set("me him them us it her you this that these those itself everything something")
BE = _set("""
    is am are was were be been being isn't aren't wasn't weren't i'm you're he's she's it's we're they're that's
    there's what's who's
    feel feels felt seem seems seemed look looks looked become becomes became remain remains got get gets getting
    """)
HAVE = _set("have has had haven't hasn't hadn't i've you've we've they've having")
AFTER_NOUNS = _set("is are was were has have had will would can could may might must should of does did isn't wasn't")
_MARKS = frozenset(";:,.!?—…")


class Context:
    """One word of a sentence and its neighbours; marks count as ends."""

    def __init__(self, pieces: Sequence[str], index: int) -> None:
        self.word = pieces[index]
        self._pieces, self._index = pieces, index

    def at(self, offset: int) -> str:
        """The word `offset` places away; a mark or "" at the end of the text."""
        place = self._index + offset
        return self._pieces[place] if 0 <= place < len(self._pieces) else ""

    @property
    def before(self) -> str:
        """The word before, adverbs that stand between a verb and what governs it passed over."""
        offset = -1
        while self.at(offset) in _NEGATIONS or (self.at(offset).endswith("ly") and len(self.at(offset)) > 4):
            offset -= 1
        return self.at(offset)

    @property
    def after(self) -> str:
        """The word after."""
        return self.at(1)

    @property
    def starts(self) -> bool:
        """Return whether the word begins a sentence or a clause."""
        return self.before == "" or self.before in _MARKS

    @property
    def ends(self) -> bool:
        """Return whether the word ends a sentence or a clause."""
        return self.after == "" or self.after in _MARKS

    def sentence(self) -> list[str]:
        """All words of the sentence."""
        first = last = self._index
        while first > 0 and self._pieces[first - 1] not in (".", "!", "?", "…"):
            first -= 1
        while last < len(self._pieces) and self._pieces[last] not in (".", "!", "?", "…"):
            last += 1
        return list(self._pieces[first:last])

    def has(self, words: frozenset[str]) -> bool:
        """Return whether one of `words` is in the sentence."""
        return not words.isdisjoint(self.sentence())


def pronunciation(pieces: Sequence[str], index: int) -> str | None:
    """Phonemes of the form that fits at `index`; None for a word that has one pronunciation."""
    forms = HOMOGRAPHS.get(pieces[index])
    if forms is None:
        return None
    context = Context(pieces, index)
    choose = _SENSES.get(pieces[index])
    return forms[choose(context)] if choose is not None else forms["verb" if is_verb(context) else "noun"]


def is_verb(context: Context) -> bool:
    """Return whether the word is a verb rather than a noun or an adjective."""
    for evidence in (_verb_by_before, _verb_by_after):
        found = evidence(context)
        if found is not None:
            return found
    return context.word in VERB_BY_DEFAULT and (context.starts or not context.ends)


def _verb_by_before(context: Context) -> bool | None:
    """Return what the word before indicates."""
    word, before, after = context.word, context.before, context.after
    plural = word.endswith("s") and not word.endswith("ss")
    if before == "to":
        return not (
            plural
            or after == "of"
            or (context.at(-2) in ("due", "thanks", "according", "compared", "used") and after in AFTER_NOUNS)
        )
    if before in BEFORE_VERBS:
        return not plural
    if before in ("that", "which", "who") and plural:
        return after in DETERMINERS | OBJECTS | PREPOSITIONS or context.ends
    if before in _STRICT_DETERMINERS or before in DETERMINERS:
        return before in ("her", "this", "that", "these", "those") and after in _STRICT_DETERMINERS
    if before in BE or before in HAVE:
        return False
    if before in SUBJECTS:
        return True if not plural else None
    if before in THIRD:
        return plural or word in VERB_BY_DEFAULT
    if before in OBJECTS and context.at(-2) in _CAUSING:
        return not plural
    if before in PREPOSITIONS:
        return False
    return None


_CAUSING = _set("let make makes made help helps helped see saw hear heard watch watched have lets")


def _verb_by_after(context: Context) -> bool | None:
    """Return what the word after, and the place in the sentence, indicate."""
    word, after, before = context.word, context.after, context.before
    plural = word.endswith("s") and not word.endswith("ss")
    joined = before in ("and", "or", "then", "but", "please", "now", "first", "next", "finally")
    if context.at(-2) in _STRICT_DETERMINERS and not context.starts and not joined and before not in PREPOSITIONS:
        if plural and (after in _STRICT_DETERMINERS or after in OBJECTS):
            return True
        return is_plural(before) and after not in AFTER_NOUNS and not plural
    if after in _STRICT_DETERMINERS or after in OBJECTS:
        return True
    if after in AFTER_NOUNS:
        return False
    if context.starts and not plural:
        if context.ends:
            return word in VERB_BY_DEFAULT or None
        return after not in PREPOSITIONS and (after.endswith("s") or after in DETERMINERS or after in _ADVERBS or None)
    if joined and not plural:
        return True if context.ends and _imperative(context) else None
    if is_plural(before) and not plural:
        return True
    return None


def is_plural(word: str) -> bool:
    """Return whether a word looks like a plural noun, as a subject has it."""
    return len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "'s", "us", "is")) and word not in _SINGULAR


_SINGULAR = _set(
    "sales sports news always perhaps sometimes across operations arms goods does various this has was yes thanks besides"
)


_ADVERBS = _set("now again here there immediately quickly slowly up down all everything data")


def _imperative(context: Context) -> bool:
    """Return whether the word that "and" joins this one with begins the sentence: "Pause and resume."."""
    return context.at(-3) in _MARKS or context.at(-3) == ""


def _adjective_or_noun(context: Context) -> str:
    """ "content": the adjective is said as the verb is."""
    if context.before in BE | _set("very quite so too perfectly not") and (
        context.ends or context.after in ("with", "to", "in", "and", "that")
    ):
        return "verb"
    return "verb" if is_verb(context) else "noun"


def _invalid(context: Context) -> str:
    return "noun" if context.before in ("an", "the") and (context.ends or context.after in AFTER_NOUNS) else "verb"


_CLOSE_BY = _set(
    "to by together enough behind friend friends call range relative look contact attention up proximity second "
    "family ally tie ties "
    "relationship quarters combat match race game inspection shave eye fit"
)


def _close(context: Context) -> str:
    before, after = context.before, context.after
    if after in _CLOSE_BY:
        governed = before in BEFORE_VERBS
        if after == "up" and governed:
            return "shut"
        if after in ("to", "by", "enough", "up", "together") or not governed:
            return "near"
    if before in _set(
        "stay stays stayed come comes came coming get gets got too very so how as keep keeps kept stand stands stood "
        "hold quite pretty really "
        "extremely draw drew dangerously follow sit sits sat lives live is are was were be been being i'm you're "
        "we're they're it's that's that "
        "remain not move moved this far fairly relatively sufficiently uncomfortably"
    ):
        return "near" if before != "that" or context.ends else "shut"
    if before in ("a", "an") and not context.ends and after not in PREPOSITIONS:
        return "near"
    if before == "the" and context.ends:
        return "shut"
    return "shut"


def _live(context: Context) -> str:
    before, after = context.before, context.after
    governed = before in BEFORE_VERBS or before in SUBJECTS or before in _set("who where how that still and used")
    if governed and after not in _LIVE_NOUNS:
        return "verb"
    if before in _STRICT_DETERMINERS or before in _set(
        "go goes went going gone is are was were be been being it's we're they're i'm broadcast streamed performed "
        "streaming performing playing recorded watch watched"
    ):
        return "adjective"
    if after in _LIVE_NOUNS:
        return "adjective"
    if before in _set("play plays played perform performs sing sings sang stream appear appears report reporting shown seen"):
        return "adjective"
    if after in PREPOSITIONS or after in _set("here there alone together long longer forever happily abroad nearby next"):
        return "adjective" if before in _set("broadcast performance concert show video stream") else "verb"
    if context.ends and not context.starts:
        return "adjective" if before not in _set("they people we you i who") else "verb"
    return "adjective" if context.starts else "verb"


_LIVE_NOUNS = _set("""
    video music stream streams streaming show shows performance broadcast feed view data event events audience wire
    wires demo demonstration concert chat
    coverage map camera preview update updates report session animals animal ammunition bait captions transcription
    score scores tv television traffic
    sports recording recordings version server mode audio translation band album online
    """)


def _lives(context: Context) -> str:
    before, after = context.before, context.after
    if (
        before in DETERMINERS
        or before in PREPOSITIONS
        or before
        in _set(
            "save saves saved saving lost human private whole daily past changed change changing "
            "risk risked people's living young their"
        )
    ):
        return "noun" if before not in ("that", "which") else "verb"
    if after in AFTER_NOUNS | _set("matter depend are were together"):
        return "noun"
    return (
        "verb"
        if after in PREPOSITIONS | _set("here there alone next nearby happily up close abroad") or before in THIRD
        else "noun"
    )


_PAST_WORDS = _set("yesterday ago earlier previously once")
_PAST_NOUNS = _set(
    "night week month year summer winter spring autumn monday tuesday wednesday thursday friday saturday sunday time"
)
_HABIT_WORDS = _set("every always usually often daily weekly monthly sometimes regularly today now tomorrow tonight")


def _read(context: Context) -> str:
    before = context.before
    words = context.sentence()
    if before in BEFORE_VERBS:
        return "now"
    if (
        context.at(-1) in HAVE
        or before in HAVE
        or (context.at(-2) in HAVE and before in SUBJECTS | THIRD)
        or context.at(-2) in HAVE
    ):
        return "past"
    if before in _set("is are was were be been being it's well widely is isn't wasn't get got gets"):
        return "past"
    if before in _set("had has i've"):
        return "past"
    if before in _set("he she it nobody everyone someone somebody") and context.at(-2) not in BEFORE_VERBS | _set(
        "did does make let help hear see"
    ):
        return "past"
    if context.has(_PAST_WORDS) or any(words[i] == "last" and words[i + 1] in _PAST_NOUNS for i in range(len(words) - 1)):
        return "past" if before in SUBJECTS or not context.starts else "now"
    place = words.index(context.word) if context.word in words else 0
    earlier = words[:place]
    if (
        any((word.endswith("ed") and len(word) > 4) or word in _PAST_VERBS for word in earlier)
        and not context.has(_HABIT_WORDS)
        and before in ("and", "then", *SUBJECTS, "who", "that")
        and not any(word in ("to", "will", "can") for word in earlier[-3:])
    ):
        return "past"
    if (
        before not in SUBJECTS
        and before.isalpha()
        and not before.endswith("s")
        and before not in _set("and or then now please first next also who")
        and (context.at(-2) in _STRICT_DETERMINERS)
    ):
        return "past"  # "the teacher read the story"
    return "now"


_PAST_VERBS = _set(
    "was were went came took got sat said saw found had did gave told made bought left knew thought wrote began stood brought"
)
_METAL_AFTER = _set(
    "pipe pipes paint pencil pencils poisoning weight weights acid battery batteries bullet bullets shield "
    "shielding free levels solder ore "
    "glass roof contamination crystal dust exposure based content mine shot sinker"
)
_METAL = _set("metal metals toxic copper iron zinc tin poison mercury dense heavy pipes melted alloy steel solder silver")


def _lead(context: Context) -> str:
    before, after = context.before, context.after
    if after in _METAL_AFTER and not (after in ("free", "levels", "content", "shot", "weight") and before in BEFORE_VERBS):
        return "metal"
    closes = context.ends or after in ("and", "or", "in", "is")
    if before in ("of", "contains", "contain", "containing", "melted", "molten", "like") and closes and context.at(-2) != "in":
        return "metal"
    if before in ("with", "from", "and", "as", "is") and closes and context.has(_METAL):
        return "metal"
    return "metal" if context.has(_METAL) and not is_verb_before(context) and before not in _STRICT_DETERMINERS else "guide"


def is_verb_before(context: Context) -> bool:
    """Return whether the word before calls for a verb."""
    return context.before in BEFORE_VERBS or context.before in SUBJECTS or context.starts


_CRYING = _set(
    "eye eyes cheek cheeks face cry crying cried sad shed wept rolled wiped joy gas laughter sorrow fell drop "
    "ran weeping emotion happy"
)
_CLOTH = _set("fabric paper shirt jacket cloth page sheet bag seam hole muscle ligament sail net dress wear coat pants sleeve")


def _tear(context: Context) -> str:
    before, after = context.before, context.after
    if after in ("gas", "duct", "ducts", "drop", "drops", "stained"):
        return "eye"
    if (
        after in ("down", "apart", "up", "off", "open", "away", "it", "them", "out", "along", "here")
        or before in BEFORE_VERBS
        or before in SUBJECTS
        or (context.starts and after in _STRICT_DETERMINERS)
    ):
        return "rip"
    if context.word == "tears":
        if before in THIRD or (after in _STRICT_DETERMINERS and before not in PREPOSITIONS):
            return "rip"
        return "rip" if context.has(_CLOTH) and not context.has(_CRYING) else "eye"
    words = context.sentence()
    place = next((i for i, word in enumerate(words) if word is context.word), 0)
    following = words[place + 1 : place + 6]
    if before == "and" and context.at(-2) == "wear":
        return "rip"
    if any(word in _CLOTH or word == "tear" for word in following):
        return "rip" if any(word in _CLOTH for word in following) else "eye"
    return "eye" if context.has(_CRYING) else "rip"


def _wind(context: Context) -> str:
    before, after = context.before, context.after
    turning = _set("up down around it through back your the along itself")
    if context.word == "winds":
        return (
            "turn"
            if (before in THIRD or not (before in _STRICT_DETERMINERS or before.endswith("e")))
            and after in turning - {"the", "your"}
            and (after != "down")
            else ("turn" if before in _set("road path river trail stream") else "air")
        )
    if before in BEFORE_VERBS or before in _set("i you we they"):
        return "turn"
    return "turn" if (context.starts or before in ("and", "or", "then")) and after in turning else "air"


def _wound(context: Context) -> str:
    before, after = context.before, context.after
    if before in _STRICT_DETERMINERS and after not in ("up",):
        return "injury"
    if after in _set("up down around through its tightly tight his her onto back along") or before in _set(
        "tightly he she we they i"
    ):
        return "turned" if before not in BEFORE_VERBS else "injury"
    return "injury"


def _bow(context: Context) -> str:
    before, after = context.before, context.after
    if (
        before in BEFORE_VERBS
        or before in SUBJECTS
        or is_plural(before)
        or after in ("down", "before", "out")
        or context.at(-2) in _set("take took takes taking")
        or context.has(_set("ship boat ship's vessel stern sailor deck hull"))
    ):
        return "bend"
    if context.word == "bows" and (
        before in THIRD or (before not in DETERMINERS and before not in PREPOSITIONS and after in ("to", "down", "before"))
    ):
        return "bend"
    return "bend" if context.starts and (context.ends or after in ("to", "your")) else "weapon"


def _row(context: Context) -> str:
    return (
        "quarrel"
        if (
            context.before in ("a", "the")
            and (
                context.after in ("with", "about", "over", "broke", "between")
                and context.at(-2) in _set("had have has having started after")
            )
        )
        or context.after == "broke"
        else "line"
    )


def _bass(context: Context) -> str:
    fishy = _set("fish fishing sea lake caught catch river largemouth striped grilled pond hooked boat")
    return (
        "fish"
        if context.has(fishy) and not context.has(_set("guitar drum sound music clef speaker volume treble"))
        else "music"
    )


def _sow(context: Context) -> str:
    return (
        "pig"
        if context.before in ("a", "the", "her", "our") and context.has(_set("pig pigs piglets piglet farm barn pen litter"))
        else "seed"
    )


def _dove(context: Context) -> str:
    diving = _set("into in down off under for head deep right straight underwater through")
    return "dive" if context.after in diving and context.before not in _set("a the white this that every turtle") else "bird"


def _minute(context: Context) -> str:
    tiny = _set(
        "amount amounts detail details particles particle quantity quantities traces trace differences difference "
        "crack cracks changes fraction fractions "
        "doses crystals hole holes adjustments"
    )
    if context.after in tiny or context.before in _set("very extremely so incredibly too such"):
        return "tiny"
    return "tiny" if context.before in _set("is are was were") and context.ends else "time"


def _polish(context: Context) -> str:
    people = _set(
        "language people food government border citizen citizens man woman men women sausage army president football "
        "history culture restaurant accent "
        "composer author speaker speakers team immigrants girl boy company city national nationality parliament "
        "prime zloty border film poet queen king"
    )
    if context.after in people or context.before in _set(
        "speak speaks speaking spoke in into from learn learning translate is are was he's she's i'm english german russian"
    ):
        return "nation"
    return "shine"


def _used(context: Context) -> str:
    """ "used to rule" and "am used to it", but "is used to cut"."""
    if context.after != "to":
        return "employed"
    if context.before in BE or context.at(-1) in BE:
        following = context.at(2)
        animate = context.before in _set("i'm am we're you're they're he's she's get gets got getting become became feel")
        if (
            following in DETERMINERS | OBJECTS
            or following.endswith("ing")
            or (animate and not following.endswith("e"))
            or context.before in _set("get gets got getting become became")
        ):
            return "accustomed"
        return "employed"
    return "accustomed"


def _participle(context: Context) -> str:
    if context.word == "learned":
        return (
            "adjective"
            if context.before in ("a", "the")
            and context.after in _set("man men scholar professor society judge friend people woman")
            else "verb"
        )
    return (
        "adjective"
        if context.before in ("the", "an", "my", "her", "his")
        and context.after in _set("man woman mother father parents relatives aunt uncle and in person people")
        else "verb"
    )


_SENSES: dict[str, Callable[[Context], str]] = {
    "close": _close,
    "live": _live,
    "lives": _lives,
    "read": _read,
    "reread": _read,
    "misread": _read,
    "lead": _lead,
    "tear": _tear,
    "tears": _tear,
    "wind": _wind,
    "winds": _wind,
    "wound": _wound,
    "bow": _bow,
    "bows": _bow,
    "row": _row,
    "bass": _bass,
    "sow": _sow,
    "dove": _dove,
    "minute": _minute,
    "polish": _polish,
    "used": _used,
    "learned": _participle,
    "aged": _participle,
    "content": _adjective_or_noun,
    "invalid": _invalid,
}
