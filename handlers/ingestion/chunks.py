"""Sections to passages that fit the local model's 256 tokens, by LlamaIndex' `SentenceSplitter`.

The splitter always gets our tokenizer and sentences: its own ones load data files, time out on large text and
sometimes use the network.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from handlers.readers.section import Section
from handlers.words.lists import announced_lists, announcement_at, units_of, without_gaps

CHUNK_TOKENS = 220
OVERLAP_TOKENS = 32
# The model takes 256: two are its own, and a line feed stands between heading and text.
HEADED_TOKENS = 253
MIN_CHUNK_TOKENS = 100
SIZE_STEP_TOKENS = 20
MAX_HEADING_CHARACTERS = 400
LONG_LIST_CHARACTERS = 600
WINDOW_CHARACTERS = 200_000
MAX_RUN_CHARACTERS = 2_000
# A word of 100 letters and more is one unknown token; without this floor a chunk of them could be megabytes long.
MAX_CHARACTERS_PER_TOKEN = 8
# Where a sentence that is too long is cut: not inside 110.50 or 1,250; a word that is too long, anywhere.
_LONG_WORD = r"[^\s，；：、]{200}"
_INNER = rf"(?:(?<!\s)|(?!{_LONG_WORD}))(?:[^,;:，；：、،؛]|[,;:،؛](?!\s))"
CLAUSE = rf"{_LONG_WORD}|(?:{_INNER})+(?:[,;:，；：、،؛]\s*)?|[,;:，；：、،؛]\s*"
LONG_RUN = re.compile(rf"(?<!\S)\S{{{MAX_RUN_CHARACTERS},}}")
# Each is one token to the model.
IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
ASCII_RUN = re.compile("[a-z0-9]+")
CACHED_WORDS = 20_000
BREAKS = ("\n\n", "\n", ". ", " ")


class Splitter:
    """Splits text. The first one imports LlamaIndex (2.5 s): create it off the event loop."""

    def __init__(self, tokenizer: Path) -> None:
        self._tokens = _counter(Tokenizer.from_file(str(tokenizer)))
        self._of_size = lru_cache(maxsize=None)(self._splitter)
        self._of_size(CHUNK_TOKENS)

    def split(self, sections: Iterable[Section]) -> Iterator[Section]:
        """Pieces of at most 220 tokens, 253 with their heading; neighbours within a section overlap by 32.

        Each has the anchors of its section, and its own pages. The rest of a long list begins with the line that
        announces the list.
        """
        for section in sections:
            for window in _windows(section):
                yield from self._pieces(window.changed(without_gaps))

    def _pieces(self, window: Section) -> Iterator[Section]:
        lists = announced_lists(window.text)
        long = [one.line for one in lists if one.end - one.start > LONG_LIST_CHARACTERS]
        size = self._size(window.heading, max((len(self._tokens(line)) for line in long), default=0))
        start = 0
        for text in self._of_size(size).split_text(window.text):
            start = max(start, window.text.find(text, start))
            announcement = announcement_at(lists, start)
            whole = f"{announcement}\n{text}" if announcement else text
            fits = whole is text or len(self._tokens(whole)) <= CHUNK_TOKENS
            piece = window.part(start, start + len(text))
            yield replace(piece, text=whole if fits else text, page_starts=())

    def _size(self, heading: str | None, reserved_tokens: int) -> int:
        left = HEADED_TOKENS - len(self._tokens(shown_heading(heading))) if heading else CHUNK_TOKENS
        size = min(CHUNK_TOKENS, left) - reserved_tokens
        # In steps, because a splitter is made for each size.
        return max(MIN_CHUNK_TOKENS, size if size == CHUNK_TOKENS else size // SIZE_STEP_TOKENS * SIZE_STEP_TOKENS)

    def _splitter(self, size_tokens: int) -> Any:
        from llama_index.core.node_parser import SentenceSplitter

        return SentenceSplitter(
            chunk_size=size_tokens,
            chunk_overlap=OVERLAP_TOKENS,
            tokenizer=self._tokens,
            chunking_tokenizer_fn=units_of,
            secondary_chunking_regex=CLAUSE,
            paragraph_separator="\n\n",
        )


def embedded_text(piece: Section) -> str:
    """The text with its heading in front, which often holds the words that the question uses."""
    return f"{shown_heading(piece.heading)}\n{piece.text}" if piece.heading else piece.text


def shown_heading(heading: str) -> str:
    """The inner end of a path of headings that is too long for the model: it says most."""
    return heading[-MAX_HEADING_CHARACTERS:]


def _counter(tokenizer: Tokenizer) -> Callable[[str], range]:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    model = tokenizer.model

    # The splitter counts a text, its sentences and their clauses, but the model's tokens never cross a space.
    @lru_cache(maxsize=CACHED_WORDS)
    def of_word(word: str) -> int:
        if not word.isascii():
            return len(tokenizer.encode(word, add_special_tokens=False))
        # The model alone takes a fifth of the time; each mark between ASCII letters is one token.
        runs = [word.lower()] if word.isalnum() else ASCII_RUN.findall(word.lower())
        return len(word) + sum([len(model.tokenize(run)) - len(run) for run in runs])

    # Only the length is used, and of a text that no chunk can hold not even that.
    def tokens(text: str) -> range:
        least = -(-len(text) // MAX_CHARACTERS_PER_TOKEN)
        if least > CHUNK_TOKENS:
            return range(least)
        words, ideographs = IDEOGRAPH.subn(" ", text)
        return range(max(least, ideographs + sum(map(of_word, words.split()))))

    return tokens


def _windows(section: Section) -> Iterator[Section]:
    text, start = section.text, 0
    while start < len(text):
        end = min(len(text), start + WINDOW_CHARACTERS)
        if end < len(text):
            found = (text.rfind(gap, start + WINDOW_CHARACTERS // 2, end) + len(gap) for gap in BREAKS)
            end = next((at for at in found if at > start + WINDOW_CHARACTERS // 2), end)
        yield from _without_long_runs(section.part(start, end))
        start = end


def _without_long_runs(window: Section) -> Iterator[Section]:
    start = 0
    for run in LONG_RUN.finditer(window.text):
        for end in range(run.start() + MAX_RUN_CHARACTERS, run.end() + 1, MAX_RUN_CHARACTERS):
            yield window.part(start, end)
            start = end
    if start < len(window.text):
        yield window.part(start, len(window.text))
