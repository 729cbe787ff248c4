"""Sentences over pages, and pages that are longer than a section."""

import pytest

from handlers.readers.formats.pdf import _pieces
from tests.support.pdf_writer import lines, pdf, text
from tests.unit.handlers.readers.pdf_reading import read


@pytest.mark.parametrize(
    ("last", "first", "before", "after"),
    [
        ("A stay is free to cancel, but later we keep", "60 percent of the price. Towels are there.",
         "later we keep 60 percent of the price.", "Towels are there."),
        ("The castle was built for many years by the architect of the", "Duke of Baden. It has 40 rooms.",
         "architect of the Duke of Baden.", "It has 40 rooms."),
        ("Please call the workshop on 0800-555-", "0142 on Mondays. Bring the bicycle.",
         "0800-555-0142 on Mondays.", "Bring the bicycle."),
        ("The castle is open.", "the tower is not.", "The castle is open.", "the tower is not."),
        ("Opening hours", "The castle opens at nine.", "Opening hours", "The castle opens at nine."),
    ],
)  # fmt: skip
def test_a_sentence_belongs_to_the_page_where_it_begins(tmp_path, last, first, before, after):
    sections = read(tmp_path, pdf(text(72, 84, last), text(72, 770, first)))

    assert [section.page for section in sections] == [1, 2]
    assert sections[0].text.endswith(before)
    assert sections[1].text == after


def test_a_footnote_does_not_end_the_sentence_of_its_page(tmp_path):
    first = lines(72, 130, "The castle costs nine euros for each visitor and it", "is every year")
    second = text(72, 770, "closed in May. It has 40 rooms.")

    found = read(tmp_path, pdf(first + text(72, 60, "1 In the yard.", 8), second))

    assert "it is every year closed in May.\n\n1 In the yard." in found[0].text


def test_a_long_page_comes_in_sections_that_end_with_a_line():
    text_of_page = "The boat on the lake is for hire.\n" * 20_000

    pieces = list(_pieces(text_of_page))

    assert "".join(pieces) == text_of_page
    assert all(piece.endswith(".\n") and len(piece) <= 200_000 for piece in pieces)
