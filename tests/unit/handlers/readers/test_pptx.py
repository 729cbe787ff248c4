"""Slides as they show, with their notes."""

import pytest

from tests.unit.handlers.readers.office_files import deck, shape
from tests.unit.handlers.readers.reading import CASES, read

TABLE = (
    '<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tblPr firstRow="1"/>{}</a:tbl></a:graphicData></a:graphic>'
    "</p:graphicFrame>"
)


def row(*cells):
    return (
        "<a:tr>"
        + "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{c}</a:t></a:r></a:p></a:txBody></a:tc>" for c in cells)
        + "</a:tr>"
    )


def test_a_slide_has_its_number_its_title_and_its_notes(tmp_path):
    first = shape("Prices", kind="title") + shape("Canoe 9 €\nRaft 12 €", kind="body") + shape("2026", kind="dt")
    sections, warnings = read(deck(tmp_path / "a.pptx", first, shape("Only text"), notes={1: "Say hello."}))

    assert [(one.page, one.heading, one.text) for one in sections] == [
        (1, "Prices", "Canoe 9 €\nRaft 12 €\n\nSay hello.\n"),
        (2, None, "Only text\n"),
    ]
    assert warnings == []


def test_hidden_slides_are_left_out_and_reported(tmp_path):
    sections, warnings = read(deck(tmp_path / "a.pptx", shape("One"), "hidden" + shape("Two"), shape("Three")))

    assert [(one.page, one.text) for one in sections] == [(1, "One\n"), (3, "Three\n")]
    assert warnings == ["Hidden slides were left out: 2."]


def test_a_hidden_shape_is_not_read(tmp_path):
    slide = shape("seen") + shape("unseen").replace('name="x"', 'name="x" hidden="1"')

    assert read(deck(tmp_path / "a.pptx", slide))[0][0].text == "seen\n"


def test_shapes_are_read_from_top_to_bottom(tmp_path):
    slide = shape("third", y=9_000_000) + shape("second", x=5_000_000, y=10_000) + shape("first", y=0)
    group = f"<p:grpSp><p:grpSpPr/>{shape('in a group', y=0)}</p:grpSp>"

    assert read(deck(tmp_path / "a.pptx", slide))[0][0].text == "first\n\nsecond\n\nthird\n"
    assert read(deck(tmp_path / "b.pptx", group))[0][0].text == "in a group\n"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((row("Boat", "Day", "Week"), row("Canoe", "9", "50")), "Boat: Canoe; Day: 9; Week: 50\n"),
        ((row("Phone", "123"), row("Fax", "456")), "Phone | 123\nFax | 456\n"),
    ],
)
def test_rows_of_tables_say_what_their_cells_mean(tmp_path, rows, expected):
    assert read(deck(tmp_path / "a.pptx", TABLE.format("".join(rows))))[0][0].text == expected


@pytest.mark.shared_data
def test_the_case_that_people_reported():
    sections, warnings = read(CASES / "50-smartart.pptx")

    assert "The courier leaves at 16:20" in sections[0].text
    assert "20 kilograms" in sections[0].text
    assert [section.page for section in sections] == [1]
    assert warnings
