"""From a visitor's message to a search query, and how much of it a passage covers."""

import re
from collections.abc import Sequence
from functools import lru_cache

from handlers.words import REFERENCE_WORDS, STOP_WORDS, words_of
from schemas.passages import Passage

MAX_SHORT_WORDS = 3
MAX_REFERENCE_WORDS = 6
TOP_PASSAGES = 3
MIN_STEM_CHARACTERS = 4
REMEMBERED_TEXTS = 1_024
THAT_REFERENCE = re.compile(
    r"(^|\b(is|was|does|do|did|has|of|about|with|like|for|than|after|before)\s)that\b", re.IGNORECASE
)
CONNECTIVES = re.compile(
    r"^\s*(and|or|but|so|then|also|what about|how about|what if|why not|why|how so|really|which one|und|aber|et|y|e)\b",
    re.IGNORECASE,
)
SUFFIXES = ("ingly", "edly", "ing", "ies", "ied", "ed", "es", "ly", "s", "e", "y")


def is_follow_up(message: str) -> bool:
    """Whether the message needs the one before it: very short, opens with a connective, or points back."""
    words = words_of(message)
    content = [word for word in words if word not in STOP_WORDS]
    if CONNECTIVES.match(message) or not content or len(words) <= MAX_SHORT_WORDS:
        return True
    has_reference = not REFERENCE_WORDS.isdisjoint(words) or THAT_REFERENCE.search(message)
    return bool(has_reference) and len(content) <= MAX_REFERENCE_WORDS


def covered_share(query: str, passages: Sequence[Passage]) -> float:
    """Share (0–1) of the query's content words that one of the top three passages holds; 0 without any."""
    asked = {_stem(word) for word in words_of(query) if word not in STOP_WORDS}
    if not asked:
        return 0.0
    held = [_stems(f"{passage.heading or ''} {passage.text}") for passage in passages[:TOP_PASSAGES]]
    return len(asked.intersection(frozenset().union(*held))) / len(asked)


@lru_cache(REMEMBERED_TEXTS)
def _stems(text: str) -> frozenset[str]:
    # The same passages come often, and splitting one into words takes longer than finding it.
    return frozenset(map(_stem, words_of(text)))


def _stem(word: str) -> str:
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= MIN_STEM_CHARACTERS:
            return word[: -len(suffix)]
    return word
