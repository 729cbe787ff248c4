"""Workbooks as a person sees them."""

from datetime import UTC, date, datetime, time, timedelta
from zipfile import ZipFile

import pytest
from openpyxl import Workbook

from handlers.readers.section import UnreadableError
from handlers.readers.spreadsheet.number_formats import shown
from tests.unit.handlers.readers.reading import CASES, read, text_of


def save(tmp_path, fill):
    book = Workbook()
    fill(book, book.active)
    book.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        ("0.0375", "0.00%", "3.75%"),
        ("1250.5", '"£"#,##0.00', "£1,250.50"),
        ("1250.5", "[$£-809]#,##0.00", "£1,250.50"),
        ("1250.5", '#,##0.00 "€"', "1,250.50 €"),
        ("46113", "d mmmm yyyy", "2026-04-01"),
        ("46113.5", "dd/mm/yyyy hh:mm", "2026-04-01 12:00"),
        ("0.3541666666666667", "hh:mm", "08:30"),
        ("4051", "000000", "004051"),
        ("-5", "#,##0;(#,##0)", "(5)"),
        ("-5", "#,##0;[Red]-#,##0", "-5"),
        ("1.5", "[h]:mm", "36:00"),
        ("3.0", "General", "3"),
        ("0.30000000000000004", "General", "0.3"),
        ("5", '0 "kg"', "5 kg"),
        ("0", '0;-0;"none"', "none"),
        ("3.14159", "0.0##", "3.142"),
        ("46113", "mmm-yy", "2026-04"),
        ("5", "_-* #,##0.00_-", "5.00"),
        ("text", "0", "text"),
        ("1234567", "#,##0,", "1,235"),
        ("1e300", "yyyy", None),
    ],
)
def test_a_number_looks_as_in_its_cell(value, code, expected):
    found = shown(value, code, is_1904=False)

    assert found == expected or (expected is None and found.startswith("1000"))


def test_rows_stand_under_the_names_of_their_columns(tmp_path):
    def fill(book, sheet):
        sheet.title = "Boats"
        sheet.append(["Prices of 2026"])
        sheet.append([])
        sheet.append(["Boat", "Per hour", "From", "At"])
        sheet.append(["Canoe", 9, date(2026, 4, 1), time(8, 30)])
        sheet.append(
            ["Ferry", None, datetime(2026, 5, 2, 10, 15, tzinfo=UTC).replace(tzinfo=None), timedelta(hours=30)]
        )
        sheet.append([])
        sheet.append(["Harbour", "Town"])
        sheet.append(["North", "Bergen"])

    sections, warnings = read(save(tmp_path, fill))

    assert [section.heading for section in sections] == ["Boats"]
    assert sections[0].text.splitlines() == [
        "Prices of 2026",
        "Boat: Canoe; Per hour: 9; From: 2026-04-01; At: 08:30",
        "Boat: Ferry; From: 2026-05-02 10:15; At: 30:00",
        "Harbour: North; Town: Bergen",
    ]
    assert warnings == []


def test_what_is_hidden_is_left_out_and_reported(tmp_path):
    def fill(book, sheet):
        for row in (["Item", "Price", "Cost"], ["Tent", 20, 11], ["Secret", 1, 1], ["Tarp", 9, 4]):
            sheet.append(row)
        sheet.column_dimensions["C"].hidden = True
        sheet.row_dimensions[3].hidden = True
        book.create_sheet("Margins").sheet_state = "veryHidden"

    sections, warnings = read(save(tmp_path, fill))

    assert sections[0].text == "Item: Tent; Price: 20\nItem: Tarp; Price: 9\n"
    assert ["Margins" in warning for warning in warnings] == [True, False]
    assert "Hidden rows or columns" in warnings[1]


def test_a_merged_cell_means_all_that_it_covers(tmp_path):
    def fill(_, sheet):
        for row in (["Course", "Day", "Hour"], ["Pottery", "Monday", "18:00"], [None, "Thursday", "10:00"]):
            sheet.append(row)
        sheet.merge_cells("A2:A3")

    assert "Course: Pottery; Day: Thursday; Hour: 10:00" in text_of(save(tmp_path, fill))


def test_two_rows_of_names_are_one(tmp_path):
    def fill(_, sheet):
        for row in (
            ["Boat", "May", None, "June", None],
            [None, "Day", "Week", "Day", "Week"],
            ["Canoe", 9, 50, 11, 60],
        ):
            sheet.append(row)
        for cells in ("A1:A2", "B1:C1", "D1:E1"):
            sheet.merge_cells(cells)

    assert text_of(save(tmp_path, fill)) == "Boat: Canoe; May Day: 9; May Week: 50; June Day: 11; June Week: 60\n"


def test_a_formula_without_a_result_is_told(tmp_path):
    def fill(_, sheet):
        sheet.append(["Nights", "Total"])
        sheet.append([3, "=A2*80"])

    sections, warnings = read(save(tmp_path, fill))

    assert sections[0].text == "Nights: 3; Total: =A2*80 (not calculated)\n"
    assert "B2" in warnings[0]


def test_numbers_that_are_none_are_ignored(tmp_path):
    path = save(tmp_path, lambda _, sheet: sheet.append(["Boat", 9.5]))
    odd = tmp_path / "odd.xlsx"
    with ZipFile(path) as archive, ZipFile(odd, "w") as written:
        for name in archive.namelist():
            content = archive.read(name).replace(b'numFmtId="0"', b'numFmtId="none"').replace(b'r="1"', b'r="first"')
            written.writestr(name, content)

    assert text_of(odd) == text_of(path) == "Boat | 9.5\n"


def test_a_damaged_workbook_fails_with_a_reason(tmp_path):
    path = save(tmp_path, lambda _, sheet: sheet.append(["a", "b"]))
    with ZipFile(path) as whole:
        entries = {name: whole.read(name) for name in whole.namelist()}
    with ZipFile(path, "w") as broken:
        for name, content in entries.items():
            broken.writestr(name, content[:60] if name.startswith("xl/worksheets") else content)

    with pytest.raises(UnreadableError, match="damaged"):
        read(path)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "expected", "absent"),
    [
        (
            "43-number-formats.xlsx",
            "Interest: 3.75%; Minimum deposit: £1,250.50; Valid from: 2026-04-01; Opens at: 08:30; Sort code: 004051",
            (),
        ),
        ("44-no-cached-values.xlsx", "Total: =B2*C2 (not calculated)", ()),
        ("45-hidden.xlsx", "Item: Life jacket; Price: 60", ("31", "310", "900", "7781")),
        ("52-merged.xlsx", "Course: Pottery; Day: Thursday; Hour: 10:00", ()),
    ],
)
def test_cases_that_people_reported(name, expected, absent):
    text = text_of(CASES / name)

    assert expected in text
    assert not [one for one in absent if one in text]
