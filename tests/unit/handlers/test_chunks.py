"""Chunks fit the model, lose nothing and keep their anchors; hostile text takes no longer to split."""

import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from handlers.ingestion.chunks import (
    CHUNK_TOKENS,
    MAX_CHARACTERS_PER_TOKEN,
    MAX_RUN_CHARACTERS,
    Splitter,
    _counter,
    embedded_text,
)
from handlers.models.minilm import MAX_TOKENS, weights_folder
from handlers.readers.section import Section, clean

MODEL_TOKENS = MAX_TOKENS - 2
TOKENIZER = weights_folder() / "tokenizer.json"
WORDS = ("Boat", "Kähne", "aaa_b", "x" * 150, "3.50 €", "http://a.b/c?d=e", "каноэ", "เรือ", "e\u0301", "ﷺ", "—")


@pytest.fixture(scope="module")
def splitter():
    return Splitter(TOKENIZER)


@pytest.fixture(scope="module")
def counter():
    return _counter(Tokenizer.from_file(str(TOKENIZER)))


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


@settings(deadline=None)
@given(st.lists(st.one_of(st.text(), st.sampled_from([*WORDS, "日本", " ", ". "]))).map("".join).map(clean))
def test_the_count_is_the_models(counter, text):
    counted = len(counter(text))

    assert counted == max(sizes([Section(text)])[0], -(-len(text) // MAX_CHARACTERS_PER_TOKEN))


def test_a_long_word_is_cut_only_where_it_is_too_long(splitter):
    text = "see https://example.com/a/list/of/boats, " * 40 + "x1" * 500 + " and the canoe costs nine euros, " * 40

    pieces = [piece.text for piece in splitter.split([Section(text)])]

    words = {word for piece in pieces for word in piece.split() if "x1" not in word}
    assert words == {"see", "https://example.com/a/list/of/boats,", "and", "the", "canoe", "costs", "nine", "euros,"}
    assert max(sizes([Section(piece) for piece in pieces])) <= CHUNK_TOKENS


def test_no_sentence_is_cut_at_a_dot_inside_it(splitter):
    sentence = "Dr. Okafor at Canal St. 14 takes 110.50 euros from 8 a.m. to 5.30 p.m. on the 24. of each month. "

    pieces = list(splitter.split([Section(sentence * 60)]))

    assert len(pieces) > 3
    assert all(piece.text.startswith("Dr. Okafor") and piece.text.endswith("each month.") for piece in pieces)


def test_a_clause_of_an_endless_sentence_keeps_its_numbers(splitter):
    pieces = list(splitter.split([Section("the canoe costs 1,250.50 euros and a paddle 9.75, " * 60)]))

    assert len(pieces) > 3
    assert all(piece.text.startswith("the canoe") and piece.text.endswith("9.75,") for piece in pieces)


def test_rows_are_never_cut_inside(splitter):
    rows = [f"Boat: Canoe {n}; Per hour: {n}.50 €; Note: Two seats. No dogs." for n in range(200)]

    pieces = list(splitter.split([Section("\n".join(rows) + "\n")]))

    assert {line for piece in pieces for line in piece.text.splitlines()} == set(rows)


def test_the_rest_of_a_long_list_begins_with_its_announcement(splitter):
    items = [f"- thing number {n} that you may not bring on board" for n in range(60)]
    text = "Welcome on board.\nYou may not bring:\n\n" + "\n".join(items) + "\n\nParking is free."

    pieces = list(splitter.split([Section(text)]))

    assert max(sizes(pieces)) <= CHUNK_TOKENS
    with_items = [piece.text for piece in pieces if "- thing" in piece.text]
    assert len(with_items) > 3
    assert all("You may not bring:\n- thing" in text for text in with_items)
    assert all(item in "\n".join(with_items) for item in items)


def test_a_piece_and_its_heading_fit_the_model(splitter):
    heading = "Everything about boats and their crew > " * 3 + "Prices in the high season from June to August"
    text = " ".join(f"Sentence number {n} says something about topic {n % 7}." for n in range(100))

    pieces = list(splitter.split([Section(text, heading=heading), Section(text, heading="Boats and crew > " * 500)]))

    assert max(sizes([Section(embedded_text(piece)) for piece in pieces])) <= MODEL_TOKENS
    assert pieces[0].heading == heading


def test_the_stock_tokenisers_are_never_imported(splitter):
    """They read data files from packages, or download them when they are missing."""
    list(splitter.split([Section("One. Two.")]))

    assert "tiktoken" not in sys.modules
    assert "nltk" not in sys.modules
