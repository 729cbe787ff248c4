"""Where sentences end, by sentencex: a boundary counts when every language of the script accepts it.

A document may change its language in each line, and a boundary too few only makes a longer sentence. Chinese and
Japanese are cut here: sentencex takes quadratic time for text beyond ASCII, so it also gets short windows only.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

import sentencex  # type: ignore[import-untyped]

# Italian takes ten times as long, and adds little: its titles are below.
LATIN = ("en", "de", "fr", "pt", "pl", "sv")
CYRILLIC = ("en", "ru")
WINDOW_CHARACTERS = 2_000
MAX_CHARACTERS = 1_000
# Thai, Lao, Khmer and Burmese put spaces between phrases, and mostly no mark between sentences.
MAX_UNMARKED_CHARACTERS = 300
# Without a space to cut at; as many tokens at most, so that a chunk takes it whole.
UNSPACED_CHARACTERS = 200

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# A row of a table, as the readers write it: "Boat: Canoe; Per hour: 9 €" or "Canoe | 9 €".
_ROW = re.compile(r"[^:;|\n]{1,80}: [^;\n]*; [^:;\n]{1,80}: |[^|\n]+ \| ")
_INNER_END = re.compile(r"[.!?。！？｡؟۔।॥…‼⁇⁈⁉።၊။։](?=.*\S)")
_CLOSING = "\"'”’»›)\\]}）］｝」』】》〉〕"
# In Japanese a quotation goes on with と, って or という.
_CJK = re.compile(rf"(?:[^。！？｡]|[。！？｡][{_CLOSING}]+(?=と|って))*[。！？｡]+[{_CLOSING}]*\s*|[^。！？｡]+")
# The abbreviations of these two are English words, such as "it." and "in."
_ONLY_IN = {
    "es": re.compile(r"[ñ¿¡]|\b(?:los|las|una|que|del|por)\b", re.IGNORECASE),
    "nl": re.compile(r"\b(?:het|een|niet|voor|wordt|zijn)\b", re.IGNORECASE),
}
_CYRILLIC_LETTER = re.compile("[\u0400-\u052f]")
_UNMARKED_LETTER = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_GOES_ON = re.compile(
    # The mark of a list; an ordinal of German after its article; abbreviations that sentencex does not know.
    r"(?:^\s*(?:[-*•]\s*)?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,4})\."
    r"|\b(?i:der|die|das|dem|den|des|am|im|vom|zum|zur|beim|bis|ab|seit)\s\d{1,2}\."
    r"|\b(?:[Ii]nkl|[Ii]ncl|[Ee]xkl|[Ee]xcl|[Zz]zgl|[Bb]zgl|[Ss]ig|[Dd]ott|[Tt]el|[Ff]ax|[Mm]wSt|[Aa]ppt|[Aa]prox)\."
    r")\s*$"
)
_CLOSING_MARKS = frozenset(_CLOSING.replace("\\", "")) | frozenset(",;:")
_CLAUSE_END = re.compile(r"[,;:，；：、،؛]\s|[，；：、]|\s")


def sentences_of(text: str) -> list[str]:
    """Sentences with the white space after them, so that they join to the text; the end of a line ends one too, and a
    row of a table is one.

    None has more than 1,000 characters.
    """
    return [part for line in _LINE.findall(text) for whole in _of_line(line) for part in _short_parts(whole)]


def _of_line(line: str) -> list[str]:
    if not _INNER_END.search(line) or (len(line) <= MAX_CHARACTERS and _ROW.match(line)):
        return [line]
    return [sentence for part in _CJK.findall(line) for sentence in _windows(part)]


def _windows(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        is_last = start + WINDOW_CHARACTERS >= len(text)
        found = _rejoined(_cut(text[start : start + WINDOW_CHARACTERS]))
        # The last one of a window may go on behind it.
        complete = found if is_last or len(found) == 1 else found[:-1]
        yield from complete
        start += sum(map(len, complete))


def _cut(text: str) -> list[str]:
    if not _INNER_END.search(text):
        return [text]
    ends: set[int] | None = None
    for language in _languages(text):
        at = 0
        found = {at := at + len(sentence) for sentence in sentencex.segment(language, text)}
        ends = found if ends is None else ends & found
        if len(ends) == 1:
            break
    cuts = [0, *sorted(ends or {len(text)})]
    return [text[start:end] for start, end in pairwise(cuts)]


def _languages(text: str) -> tuple[str, ...]:
    if _CYRILLIC_LETTER.search(text):
        return CYRILLIC
    return (*LATIN, *(language for language, words in _ONLY_IN.items() if words.search(text)))


def _rejoined(sentences: list[str]) -> list[str]:
    """Without the boundaries that are none in any language: before a small letter or a closing mark, …"""
    joined: list[str] = []
    for sentence in sentences:
        before = joined[-1] if joined else ""
        # No space: a name with a dot, as README.MD and stock.Bergen.
        is_open = before.rstrip().endswith(".") and (sentence[0].islower() or before.endswith("."))
        if before and (is_open or sentence[0] in _CLOSING_MARKS or _GOES_ON.search(before[-40:])):
            joined[-1] += sentence
        else:
            joined.append(sentence)
    return joined


def _short_parts(sentence: str) -> Iterator[str]:
    if len(sentence) > MAX_UNMARKED_CHARACTERS:
        limit = MAX_UNMARKED_CHARACTERS if _UNMARKED_LETTER.search(sentence) else MAX_CHARACTERS
        while len(sentence) > limit:
            ends = [found.end() for found in _CLAUSE_END.finditer(sentence, limit // 2, limit)]
            end = ends[-1] if ends else UNSPACED_CHARACTERS
            yield sentence[:end]
            sentence = sentence[end:]
    if sentence:
        yield sentence
