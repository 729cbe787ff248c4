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
# Where a sentence that is too long is cut: not inside 110.50 or 1,250.
CLAUSE = r"(?:[^,;:，；：、،؛]|[,;:،؛](?!\s))+(?:[,;:，；：、،؛]\s*)?|[,;:，；：、،؛]\s*"
LONG_RUN = re.compile(rf"\S{{{MAX_RUN_CHARACTERS}}}")
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
                yield from self._pieces(_without_gaps(window))

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

    # The splitter counts the same sentence several times, and uses only the length of the result.
    @lru_cache(maxsize=4096)
    def tokens(text: str) -> range:
        counted = len(tokenizer.encode(text, add_special_tokens=False).ids)
        return range(max(counted, -(-len(text) // MAX_CHARACTERS_PER_TOKEN)))

    return tokens


def _without_gaps(window: Section) -> Section:
    starts = tuple((len(without_gaps(window.text[:at])), page) for at, page in window.page_starts)
    return replace(window, text=without_gaps(window.text), page_starts=starts)


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
        yield window.part(start, run.end())
        start = run.end()
    if start < len(window.text):
        yield window.part(start, len(window.text))
