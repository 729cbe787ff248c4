"""Whether the text of a page is text: fonts without a true table of characters give letters that nobody wrote."""

import math
import re
from collections import Counter

MIN_CHARACTERS = 12
MAX_PRIVATE_SHARE = 0.3
MIN_LETTER_SHARE = 0.45
MIN_NOISE_CHARACTERS = 60
MIN_TOKENS = 8
MAX_TORN_SHARE = 0.3
MIN_LETTERS = 60
MAX_LETTER_SHARE = 0.4
MIN_COMMON_SHARE = 0.42
MIN_SHIFT_GAIN = 0.35
MAX_FOREIGN_SHARE = 0.1
UNKNOWN = re.compile("[\ue000-\uf8ff\ufffd\U000f0000-\U0010ffff]")
# Shorter ones are names of variables and units.
LETTER = re.compile(r"[^\W_]")
FOREIGN = re.compile(r"[^\W\d_\x00-\x7f]")
WORD = re.compile(r"[a-z]{3,}")
LEADERS = re.compile(r"[.·_\-–—…\s]")
TORN = re.compile(r"[A-Za-z][{|}~^`\\#$%&!\"<>@\[\]=+*;?][A-Za-z{|}~$!#%&\"]")
ODD = re.compile(r"[{|}~^`\\](?=[A-Za-z])|(?<=[A-Za-z])[{|}~^`\\]|(?<![A-Za-z])_(?=[a-z])")
# How often each letter stands in English, a to z, in percent; other European languages are nearer to it than to any
# shifted alphabet.
FREQUENCIES = (8.2, 1.5, 2.8, 4.3, 12.7, 2.2, 2.0, 6.1, 7.0, 0.2, 0.8, 4.0, 2.4, 6.7, 7.5, 1.9, 0.1, 6.0, 6.3, 9.1, 2.8,
               1.0, 2.4, 0.2, 2.0, 0.1)  # fmt: skip
WEIGHTS = tuple(math.log(share / 100) for share in FREQUENCIES)
COMMON = frozenset("eaionsrt")
READABLE_PRIVATE = str.maketrans(
    dict.fromkeys(
        "\uf0b7\uf0a7\uf0a8\uf076\uf0d8\uf0fc\uf06c\uf06e\uf0b0\uf0d2\uf02d\uf06f\uf071\uf072\uf0a0\uf020", "•"
    )
    | {"\uf001": "fi", "\uf002": "fl"}
)


def without_private(text: str) -> str:
    """The text without letters that mean something in one font only; bullets and ligatures as they look."""
    return UNKNOWN.sub("", text.translate(READABLE_PRIVATE))


def is_legible(text: str) -> bool:
    """False for private letters, noise, and letters that were exchanged for others."""
    characters = LEADERS.sub("", text.translate(READABLE_PRIVATE))
    if len(characters) < MIN_CHARACTERS:
        return True
    if len(UNKNOWN.findall(characters)) > MAX_PRIVATE_SHARE * len(characters):
        return False
    known = len(LETTER.findall(characters))
    if len(characters) >= MIN_NOISE_CHARACTERS and known < MIN_LETTER_SHARE * len(characters):
        return False
    tokens = [token for token in text.split() if len(token) > 2]
    torn = sum(bool(TORN.search(token) or ODD.search(token)) for token in tokens)
    if len(tokens) >= MIN_TOKENS and torn > MAX_TORN_SHARE * len(tokens):
        return False
    return not _is_exchanged(text)


def _is_exchanged(text: str) -> bool:
    words = WORD.findall(text.lower())
    all_letters = Counter("".join(words))
    if all_letters.total() >= MIN_LETTERS and max(all_letters.values()) > MAX_LETTER_SHARE * all_letters.total():
        return True
    # Each word once: a text that repeats a few words says nothing about a language.
    counts = Counter("".join(set(words)))
    total = counts.total()
    if total < MIN_LETTERS or len(FOREIGN.findall(text)) > MAX_FOREIGN_SHARE * all_letters.total():
        return False
    if sum(counts[letter] for letter in COMMON) < MIN_COMMON_SHARE * total:
        return True
    scores = [
        sum(times * WEIGHTS[(ord(letter) - 97 + shift) % 26] for letter, times in counts.items()) / total
        for shift in range(26)
    ]
    return max(scores) - scores[0] > MIN_SHIFT_GAIN
