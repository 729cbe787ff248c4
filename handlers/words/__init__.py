"""The words of a text, folded so that they can be compared."""

import re
import unicodedata

WORD = re.compile(r"[^\W_]+")
UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]{2,}")
# Words that point back at an earlier message.
REFERENCE_WORDS = frozenset(
    WORD.findall("it its they them their theirs he him his she her this these those there one ones same former latter")
)
STOP_WORDS = REFERENCE_WORDS | frozenset(
    WORD.findall(
        "a an the that and or but if of in on at by for from to with about into over under as is are was were be "
        "been being am do does did done can could should would will shall may might must have has had i you we me "
        "my your our us who whom whose which what when where why how not no yes so than then too very just please "
        "tell give get here any some s t d ll re ve m don isn aren doesn didn"
    )
)


def words_of(text: str) -> list[str]:
    """Folded words in order, accents and case away; Chinese and Japanese, which have no spaces, in pairs of letters."""
    if text.isascii():
        return WORD.findall(text.lower())
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return WORD.findall(UNSPACED.sub(_pairs, plain))


def _pairs(run: re.Match[str]) -> str:
    text = run[0]
    return " ".join(["", *(text[at : at + 2] for at in range(len(text) - 1)), ""])
