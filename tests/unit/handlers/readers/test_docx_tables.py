"""Tables of Word."""

import pytest

from tests.unit.handlers.readers.office_files import paragraph, table, word
from tests.unit.handlers.readers.reading import read, text_of

STYLES = """
<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="Mine"><w:basedOn w:val="berschrift1"/></w:style>
<w:style w:styleId="Apart"><w:tblStylePr w:type="firstRow"/></w:style>
"""


def text(tmp_path, body, **parts):
    return text_of(word(tmp_path / "a.docx", body, **parts))


@pytest.mark.parametrize("properties", ["<w:trPr><w:del w:id='1'/></w:trPr>", "<w:trPr><w:hidden/></w:trPr>"])
def test_rows_that_are_deleted_or_hidden_are_left_out(tmp_path, properties):
    gone = f"<w:tr>{properties}<w:tc>{paragraph('gone')}</w:tc><w:tc>{paragraph('x')}</w:tc></w:tr>"

    assert text(tmp_path, table(("a", "b")).replace("<w:tbl>", f"<w:tbl>{gone}")) == "a | b\n"


def test_a_deleted_cell_is_left_out(tmp_path):
    assert text(tmp_path, table(("a", "b", '<w:tcPr><w:cellDel w:id="1"/></w:tcPr>gone'))) == "a | b\n"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((("Boat", "Day", "Week"), ("Canoe", "9", "50")), "Boat: Canoe; Day: 9; Week: 50\n"),
        ((("Item", "Price"), ("Tent", "20")), "Item: Tent; Price: 20\n"),
        ((("Phone", "a"), ("Fax", "b")), "Phone | a\nFax | b\n"),
        ((("", "Adult", "Child"), ("Day", "9", "5")), "Day; Adult: 9; Child: 5\n"),
        ((('<w:tcPr><w:gridSpan w:val="3"/></w:tcPr>Prices',), ("Boat", "Day", "Week"), ("Canoe", "9", "50")),
         "Prices\nBoat: Canoe; Day: 9; Week: 50\n"),
        ((("", '<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>Adult', "Child"), ("Boat", "Day", "Week", "Day"),
          ("Canoe", "9", "50", "4")), "Boat: Canoe; Adult Day: 9; Adult Week: 50; Child Day: 4\n"),
        ((("Boat", "Day", "Week"), ('<w:tcPr><w:gridSpan w:val="3"/></w:tcPr>Weekend',), ("Canoe", "9", "50")),
         "Weekend\nBoat: Canoe; Day: 9; Week: 50\n"),
        ((("<w:r><w:rPr><w:b/></w:rPr><w:t>Day</w:t></w:r>", "<w:r><w:rPr><w:b/></w:rPr><w:t>Open</w:t></w:r>"),
          ("Sunday", "never")), "Day: Sunday; Open: never\n"),
        ((("Day", "At", "Who"), ('<w:tcPr><w:vMerge w:val="restart"/></w:tcPr>Sun', "9", "A"),
          ("<w:tcPr><w:vMerge/></w:tcPr>", "10", "B")), "Day: Sun; At: 9; Who: A\nDay: Sun; At: 10; Who: B\n"),
    ],
)  # fmt: skip
def test_rows_of_tables_say_what_their_cells_mean(tmp_path, rows, expected):
    assert text(tmp_path, table(*rows)) == expected


def test_a_row_that_its_style_sets_apart_names_the_columns(tmp_path):
    look = '<w:tblPr><w:tblStyle w:val="Apart"/><w:tblLook w:val="04A0"/></w:tblPr>'
    body = table(("Day", "Open"), ("Sunday", "never"))

    assert text(tmp_path, body.replace("<w:tbl>", f"<w:tbl>{look}"), styles=STYLES) == "Day: Sunday; Open: never\n"
    assert text(tmp_path, body, styles=STYLES) == "Day | Open\nSunday | never\n"


def test_cells_stand_under_their_name_after_columns_that_a_row_leaves_out(tmp_path):
    row = f"<w:tr><w:trPr><w:gridBefore w:val='1'/></w:trPr><w:tc>{paragraph('9')}</w:tc></w:tr>"
    body = table(("Boat", "Day", "Week"), ("Canoe", "8", "50")).replace("</w:tbl>", f"{row}</w:tbl>")

    assert text(tmp_path, body).endswith("Week: 50\nDay: 9\n")


def test_a_table_that_frames_a_part_of_the_page_is_no_table(tmp_path):
    inside = paragraph("Top", properties='<w:pStyle w:val="Mine"/>') + paragraph("One.") + paragraph("Two.")
    [section] = read(word(tmp_path / "a.docx", f"<w:tbl><w:tr><w:tc>{inside}</w:tc></w:tr></w:tbl>", styles=STYLES))[0]

    assert (section.heading, section.text) == ("Top", "One.\n\nTwo.\n")


def test_a_table_in_a_cell_has_its_own_names(tmp_path):
    inner = table(("Boat", "Day", "Week"), ("Canoe", "9", "50"))
    body = f"<w:tbl><w:tr><w:tc>{paragraph('out')}{inner}</w:tc><w:tc>{paragraph('x')}</w:tc></w:tr></w:tbl>"

    assert text(tmp_path, body) == "out Boat: Canoe; Day: 9; Week: 50 | x\n"


def test_a_table_in_a_cell_is_read(tmp_path):
    inner = table(("in", "side"))
    body = f"<w:tbl><w:tr><w:tc>{paragraph('out')}{inner}</w:tc><w:tc>{paragraph('x')}</w:tc></w:tr></w:tbl>"

    assert text(tmp_path, body) == "out in; side | x\n"
