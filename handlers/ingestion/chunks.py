"""Sections to pieces that fit the local model's 256 tokens, by LlamaIndex' `SentenceSplitter`.

The splitter always gets our tokenizer and sentence regex: its own ones load data files, time out on large text and
sometimes use the network.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from handlers.readers.section import Section

CHUNK_TOKENS = 220
OVERLAP_TOKENS = 32
WINDOW_CHARACTERS = 200_000
MAX_RUN_CHARACTERS = 2_000
# A word of 100 letters and more is one unknown token; without this floor a chunk of them could be megabytes long.
MAX_CHARACTERS_PER_TOKEN = 8
SENTENCE = re.compile(r"[^.!?。！？\n]*[.!?。！？\n]+\s*|[^.!?。！？\n]+")
LONG_RUN = re.compile(rf"\S{{{MAX_RUN_CHARACTERS}}}")
BREAKS = ("\n\n", "\n", ". ", " ")


class Splitter:
    """Splits text. The first one imports LlamaIndex (2.5 s): create it off the event loop."""

    def __init__(self, tokenizer: Path) -> None:
        from llama_index.core.node_parser import SentenceSplitter

        self._splitter = SentenceSplitter(
            chunk_size=CHUNK_TOKENS,
            chunk_overlap=OVERLAP_TOKENS,
            tokenizer=_counter(Tokenizer.from_file(str(tokenizer))),
            chunking_tokenizer_fn=SENTENCE.findall,
            paragraph_separator="\n\n",
        )

    def split(self, sections: Iterable[Section]) -> Iterator[Section]:
        """Pieces of at most 220 tokens, neighbours within a section overlapping by 32, each with its anchors."""
        for section in sections:
            for window in _windows(section.text):
                for text in self._splitter.split_text(window):
                    if text.strip():
                        yield Section(text.strip(), section.page, section.row, section.heading)


def _counter(tokenizer: Tokenizer) -> Callable[[str], range]:
    tokenizer.no_truncation()
    tokenizer.no_padding()

    # The splitter counts the same sentence several times, and uses only the length of the result.
    @lru_cache(maxsize=4096)
    def tokens(text: str) -> range:
        counted = len(tokenizer.encode(text, add_special_tokens=False).ids)
        return range(max(counted, -(-len(text) // MAX_CHARACTERS_PER_TOKEN)))

    return tokens


def _windows(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = min(len(text), start + WINDOW_CHARACTERS)
        if end < len(text):
            found = (text.rfind(gap, start + WINDOW_CHARACTERS // 2, end) + len(gap) for gap in BREAKS)
            end = next((at for at in found if at > start + WINDOW_CHARACTERS // 2), end)
        yield from _without_long_runs(text[start:end])
        start = end


def _without_long_runs(window: str) -> Iterator[str]:
    start = 0
    for run in LONG_RUN.finditer(window):
        yield window[start : run.end()]
        start = run.end()
    if start < len(window):
        yield window[start:]
