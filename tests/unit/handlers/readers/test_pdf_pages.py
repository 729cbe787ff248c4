"""Sentences over pages, and pages that are longer than a section."""

import pytest

from handlers.readers.formats.pdf import _pieces
from handlers.readers.section import Section
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

    pieces = [piece.text for piece in _pieces(Section(text_of_page, page=1))]

    assert "".join(pieces) == text_of_page
    assert all(piece.endswith(".\n") and len(piece) <= 200_000 for piece in pieces)


def test_a_long_page_names_the_next_one_only_where_its_sentence_goes_on():
    text_of_page = "The boat on the lake is for hire.\n" * 10_000
    starts = ((0, 1), (len(text_of_page) - 10, 2))

    pieces = list(_pieces(Section(text_of_page, page=1, page_starts=starts)))

    assert [(piece.page, piece.page_end) for piece in pieces] == [(1, None), (1, 2)]


def test_a_sentence_over_three_pages_tells_where_each_begins_and_the_footnote_is_of_the_first(tmp_path):
    first = lines(72, 130, "The castle costs nine euros for each visitor and it", "is every year")
    second, third = text(72, 770, "from October until the"), text(72, 770, "end of May closed. It has 40 rooms.")

    begun, rest = read(tmp_path, pdf(first + text(72, 60, "1 In the yard.", 8), second, third))

    found = [(page, begun.text[start:][:12]) for start, page in begun.page_starts]
    assert found == [(1, "The castle c"), (2, "from October"), (3, "end of May c"), (1, "\n1 In the ya")]
    assert (begun.page, begun.page_end) == (1, 3)
    assert (rest.text, rest.page, rest.page_end) == ("It has 40 rooms.", 3, None)
