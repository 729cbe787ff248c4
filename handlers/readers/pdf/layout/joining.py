"""How the end of a line meets the beginning of the next one: hyphens, scripts without spaces, unfinished sentences."""

import re

from handlers.readers.pdf.layout.fragments import ENDS_UNSPACED, STARTS_UNSPACED, UNSPACED

FINISHED = re.compile(r"[.!?…:;。！？：；۔؟।][\"'”’»)\]」』）]*$")
HOLDS_A_SENTENCE = re.compile(r"[.!?][\"'”’»)\]]*\s|[。！？]")
MARKER = re.compile(
    r"(?:[•▪‣●○■□◦➢✓✔❑–—*·-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\(?[ivxIVX]{1,4}[.)]|\d+(?:\.\d+)+\.?|§\s?\d+)(?=\s|$)"
)
GOES_ON = re.compile(
    r"(?:[,(/&+]|\b(?:the|an?|of|to|in|on|at|by|for|with|from|and|or|is|are|was|were|be|that|than|within|per|as|its?|"
    r"their|your|our|will|must|may|can|not|de[rsnm]|die|das|eine?[rnms]?|und|oder|von|zu[rm]?|mit|für|im|am|bei|ist|"
    r"sind|auf|le|la|les|du|et|ou|à|en|une?|est|sont|dans|pour|par|sur|el|los|las|y|con|para|del|di|il|che))$",
    re.IGNORECASE,
)
HYPHEN = re.compile(r"(\S*?)([-\u2010\u00ad])$")
LINK = re.compile(r"(?:https?://|www\.|\S+@)\S*$")
FIRST_WORD = re.compile(r"\S+")
COORDINATES = frozenset({"und", "oder", "bzw.", "and", "or", "to", "bis", "en", "of", "och", "og", "eller"})
DIGIT_DASH = re.compile(r"\d[–-]$")
JOINED_DIGIT = re.compile(rf"[{UNSPACED}]$")


def begins_item(text: str, before: str = "") -> bool:
    """Whether a line begins with a bullet or a number of its own; a decimal number may be a part of the sentence."""
    found = MARKER.match(text)
    if not found or before.endswith("-") or GOES_ON.search(before):
        return False
    is_decimal = found[0][0].isdigit() and "." in found[0].rstrip(".")
    return not is_decimal or ((not before or is_finished(before)) and text[found.end() :].lstrip()[:1].isupper())


def joined(before: str, after: str) -> str:
    """Two parts of one paragraph as one text."""
    if not before or not after:
        return before or after
    if found := HYPHEN.search(before):
        return _over_hyphen(before, after, found[1], found[2])
    if DIGIT_DASH.search(before) and after[0].isdigit():
        return before + after
    if _is_unspaced(before, after):
        return before + after
    if LINK.search(before) and before[-1] in "/=&?_%." and not after[:1].isupper():
        return before + after
    return f"{before} {after}"


def is_finished(text: str) -> bool:
    """Whether the text ends as a sentence or an announcement does."""
    return bool(FINISHED.search(text))


def _is_unspaced(before: str, after: str) -> bool:
    ends, starts = ENDS_UNSPACED.search(before), STARTS_UNSPACED.match(after)
    if ends and starts:
        return True
    return bool((ends and after[0].isdigit()) or (starts and before[-1].isdigit()))


def _over_hyphen(before: str, after: str, token: str, hyphen: str) -> str:
    following = FIRST_WORD.match(after)
    word = following[0] if following else after
    if hyphen == "\u00ad":
        return before[:-1] + after
    if not token or not token[-1].isalnum():
        return f"{before} {after}"
    if word.lower() in COORDINATES:
        return f"{before} {after}"
    is_soft = (
        token[-1].islower()
        and word[0].islower()
        and len(token) > 1
        and not re.search(r"[-@/\d]|\w\.\w", token)
        and not re.match(r"[^\W\d_]+-\w", word)
    )
    return (before[:-1] if is_soft else before) + after
