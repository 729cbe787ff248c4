"""A passage names the pages that its own text lies on, and no other."""

import pytest

from handlers.ingestion.chunks import Splitter
from handlers.models.minilm import weights_folder
from handlers.readers.section import Section, load_sections
from tests.support.pdf_writer import lines, pdf
from tests.unit.handlers.readers.pdf_reading import read

BOATS = [f"Boat number {n} lies at the {n}th pier of the old harbour." for n in range(60)]
CROSSING = "The ferry leaves each morning from the"


@pytest.fixture(scope="module")
def splitter():
    return Splitter(weights_folder() / "tokenizer.json")


def pages_of(pieces):
    return [(piece.page, piece.page_end) for piece in pieces]


def test_passages_before_over_and_after_a_page_break(splitter, tmp_path):
    first = lines(72, 800, *BOATS[:40], CROSSING)
    second = lines(72, 800, "great pier of the customs house.", *BOATS[40:])

    passages = list(splitter.split(read(tmp_path, pdf(first, second))))

    (over,) = [at for at, one in enumerate(passages) if f"{CROSSING} great pier" in one.text]
    assert 0 < over < len(passages) - 1
    assert pages_of(passages) == [(1, None)] * over + [(1, 2)] + [(2, None)] * (len(passages) - over - 1)


def test_a_passage_wholly_behind_the_break_of_its_section_is_of_the_later_page(splitter):
    text = " ".join(BOATS)
    at = text.index(BOATS[30])

    passages = list(splitter.split([Section(text, page=2, page_starts=((0, 2), (at, 3)))]))

    expected = []
    for passage in passages:
        start = text.index(passage.text)
        end = start + len(passage.text)
        expected.append((2, None) if end <= at else (3, None) if start >= at else (2, 3))
    assert pages_of(passages) == expected
    assert {(2, None), (3, None)} < set(expected)


def test_a_blank_line_that_is_left_out_moves_no_page(splitter):
    announced = "Please bring:" + " " * 30 + "\n" + " " * 300 + "\n"
    text = announced + "".join(f"- {boat}\n" for boat in BOATS)
    at = text.index(BOATS[30])

    passages = list(splitter.split([Section(text, page=2, page_starts=((0, 2), (at, 3)))]))

    for passage in passages:
        held = [n for n, boat in enumerate(BOATS) if boat in passage.text]
        first, last = 2 if held[0] < 30 else 3, 3 if held[-1] >= 30 else 2
        assert (passage.page, passage.page_end) == (first, last if last > first else None)


def test_a_section_keeps_its_pages_on_the_way_from_the_child_process(tmp_path):
    section = Section("One two.", page=2, page_end=3, page_starts=((0, 2), (4, 3)))
    (tmp_path / "sections").write_text(section.to_json() + "\n", encoding="utf-8")

    (loaded,) = load_sections(tmp_path / "sections")

    assert pages_of([loaded, loaded.part(0, 3), loaded.part(4, 8)]) == [(2, 3), (2, None), (3, None)]
