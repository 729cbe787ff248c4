"""Chunks fit the model, lose nothing and keep their anchors; hostile text takes no longer to split."""

import sys
import time

import pytest
from tokenizers import Tokenizer

from handlers.ingestion.chunks import CHUNK_TOKENS, MAX_RUN_CHARACTERS, Splitter
from handlers.models.minilm import weights_folder
from handlers.readers.section import Section

TOKENIZER = weights_folder() / "tokenizer.json"


@pytest.fixture(scope="module")
def splitter():
    return Splitter(TOKENIZER)


def sizes(pieces):
    tokenizer = Tokenizer.from_file(str(TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return [len(tokenizer.encode(piece.text, add_special_tokens=False).ids) for piece in pieces]


def test_pieces_fit_and_keep_page_and_heading(splitter):
    text = " ".join(f"Sentence number {n} says something about topic {n % 7}." for n in range(300))

    pieces = list(splitter.split([Section(text, page=3, heading="A > B"), Section("Short.", page=4)]))

    assert max(sizes(pieces)) <= CHUNK_TOKENS
    assert {(piece.page, piece.heading) for piece in pieces[:-1]} == {(3, "A > B")}
    assert pieces[-1] == Section("Short.", page=4)
    assert all(f"number {n} says" in " ".join(piece.text for piece in pieces) for n in range(300))


def test_neighbours_overlap(splitter):
    text = " ".join(f"Sentence number {n} is here." for n in range(200))

    first, second, *_ = splitter.split([Section(text)])

    assert second.text.split(".")[0] in first.text


@pytest.mark.parametrize(
    "text",
    [
        "日本語の文章には空白がない" * 4_000,
        "QUJD" * 20_000,
        "word " * 30_000,
        "\n" * 50_000,
        "한국어" * 10_000,
        f"{'x' * 150} " * 500,
    ],
    ids=["unspaced", "base64", "no punctuation", "blank", "hangul", "long words"],
)
def test_text_without_sentences_is_split_in_time_and_in_size(splitter, text):
    began = time.monotonic()

    pieces = list(splitter.split([Section(text)]))

    assert time.monotonic() - began < 15
    assert max(sizes(pieces), default=0) <= CHUNK_TOKENS
    assert max((len(piece.text) for piece in pieces), default=0) <= MAX_RUN_CHARACTERS
    assert bool(pieces) == bool(text.strip())


def test_the_stock_tokenisers_are_never_imported(splitter):
    """They read data files from packages, or download them when they are missing."""
    list(splitter.split([Section("One. Two.")]))

    assert "tiktoken" not in sys.modules
    assert "nltk" not in sys.modules
