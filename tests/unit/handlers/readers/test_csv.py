"""CSV in the forms in which people have it."""

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.readers.text.records.csv_records import delimiter_of, read_records
from tests.unit.handlers.readers.reading import CASES, read_content, text_of


def lines(tmp_path, content, name="a.csv"):
    sections, warnings = read_content(tmp_path, name, content)
    return [line for section in sections for line in section.text.splitlines()], warnings


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Item,Price\nTent,20\n", ["Item: Tent; Price: 20"]),
        ("Artikel;Preis\nZelt;19,50\nPlane;7,00\n", ["Artikel: Zelt; Preis: 19,50", "Artikel: Plane; Preis: 7,00"]),
        ("Item\tPrice\nTent, big\t20\n", ["Item: Tent, big; Price: 20"]),
        ("a|b\n1|2\n", ["a: 1; b: 2"]),
        ("sep=;\nItem;Price\nTent;20\n", ["Item: Tent; Price: 20"]),
        ('Item,Note\nTent,"two\nlines"\nTarp,x\n', ["Item: Tent; Note: two lines", "Item: Tarp; Note: x"]),
        ('Item,Note\nTent,"say ""hi"", now"\n', ['Item: Tent; Note: say "hi", now']),
        ('Item,Size\nPipe,5" wide\nRod,3" long\n', ['Item: Pipe; Size: 5" wide', 'Item: Rod; Size: 3" long']),
        ('Item,Note\nTent,"say \\"hi\\", now"\n', ['Item: Tent; Note: say "hi", now']),
        ("Note\nHello, world\nBye\nThis, that\n", ["Note: Hello, world", "Note: Bye", "Note: This, that"]),
        ('"name,price"\nTent,20\n', ["name: Tent; price: 20"]),
        ("\ufeffItem,Price\nTent,20\n", ["Item: Tent; Price: 20"]),
        ("1,2\n3,4\n", ["1 | 2", "3 | 4"]),
        ("Name\nAda\nGrace\n", ["Name: Ada", "Name: Grace"]),
        ("Region,2019,2020\nNorth,5,6\n", ["Region: North; 2019: 5; 2020: 6"]),
        ("Stop,Time,Stop,Time\nPier,8:00,Isle,8:20\n", ["Stop: Pier; Time: 8:00; Stop: Isle; Time: 8:20"]),
        ("Item,Price,,\nTent,20,,\n", ["Item: Tent; Price: 20"]),
        ('"name,""url"""\n"Valley, ""http://x"""\n', ["name: Valley; url: http://x"]),
        ("Item,Price\n", ["Item | Price"]),
        ("Item,Price\n\nTent,20\n\n", ["Item: Tent; Price: 20"]),
        ("Item,Price\r\nTent,20\r\n", ["Item: Tent; Price: 20"]),
        ("Item,Price\rTent,20\r", ["Item: Tent; Price: 20"]),
    ],
)
def test_each_row_says_what_its_cells_mean(tmp_path, content, expected):
    assert lines(tmp_path, content)[0] == expected


def test_lines_before_the_table_are_text_and_rows_keep_the_files_lines(tmp_path):
    content = "Museum report\nCreated 2026\n\nMonth,Adults\nMay,5\n" + "".join(f"M{n},{n}\n" for n in range(60))
    sections, _ = read_content(tmp_path, "a.csv", content)

    assert sections[0].text == "Museum report\nCreated 2026\n"
    assert [section.row for section in sections[:2]] == [1, 5]
    last = sections[-1]
    assert content.splitlines()[last.row - 1].split(",")[0] == last.text.split("; ")[0].removeprefix("Month: ")


def test_uneven_rows_are_read_and_reported_by_number(tmp_path):
    found, warnings = lines(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n")

    assert found == ["a: 1; b: 2", "a: 3", "a: 4; b: 5; 6", "a: 7; b: 8"]
    assert [warning.partition(":")[0] for warning in warnings] == ["Rows 3 and 4"]


STRAY = "a quotation mark that opens a cell is not closed"


@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), ("", 'x,"quoted, at last",2\n'), ("", '"quoted, at last",x,2\n'), ("p,q,1\n", 'x,"two\nlines",2\n')],
    ids=["never", "in a later cell", "in a later first cell", "after a row"],
)
@pytest.mark.parametrize("rows", [3, 60, 1_200])
def test_a_stray_quote_swallows_no_rows_and_is_reported(tmp_path, before, after, rows):
    content = f'a,b,c\n{before}"5 inch pipe,x,1\n' + "".join(f"r{n},s,{n}\n" for n in range(rows)) + after
    found, warnings = lines(tmp_path, content)

    assert 'a: "5 inch pipe; b: x; c: 1' in found
    assert len(found) == content.count("\n") - 1 - ("two\n" in after)
    assert warnings[0].startswith(f"Line {3 if before else 2}: {STRAY}")


def test_a_stray_quote_in_two_columns_swallows_no_rows(tmp_path):
    found, _ = lines(tmp_path, 'a,b\n"x,1\n' + "".join(f"r{n},{n}\n" for n in range(40)) + '"last, one",2\n')

    assert len(found) == 42


@pytest.mark.parametrize("count", [2, 700, 400_000], ids=str)
def test_a_quoted_cell_of_many_lines_is_one_cell(tmp_path, count):
    text = "".join(f"Paragraph, {n}: it goes, on, and on.\n" for n in range(count))
    found, warnings = lines(tmp_path, f'Item,Note,Price\nTent,"{text}",20\nTarp,x,9\n')

    assert [line[:18] for line in found] == ["Item: Tent; Note: ", "Item: Tarp; Note: "]
    assert found[0].endswith(f"{count - 1}: it goes, on, and on.; Price: 20")
    assert warnings == []


def test_a_quoted_address_in_two_columns_is_one_cell(tmp_path):
    found, _ = lines(tmp_path, 'No,Address\n7,"Main St 5, Oslo\nFloor 2, left\nNorway, 0150"\n8,x\n')

    assert found == ["No: 7; Address: Main St 5, Oslo Floor 2, left Norway, 0150", "No: 8; Address: x"]


def test_a_cell_that_is_longer_than_the_sample_decides_no_delimiter(tmp_path):
    found, warnings = lines(tmp_path, 'No;Note\n7;"' + "Words, with a comma.\n" * 300 + '"\n8;x\n')

    assert [line[:16] for line in found] == ["No: 7; Note: Wor", "No: 8; Note: x"]
    assert warnings == []


def test_one_long_line_and_many_columns_are_read(tmp_path):
    wide = ",".join(f"c{n}" for n in range(1_000)) + "\n" + ",".join(map(str, range(1_000))) + "\n"

    assert "c999: 999" in lines(tmp_path, wide)[0][0]
    assert len(lines(tmp_path, "a,b\n" + "x" * 2_000_000 + ",1\n")[0][0]) > 2_000_000


CELL_CHARACTERS = st.characters(exclude_categories=["C", "Z"]) | st.just("\n")


@settings(deadline=None)
@given(
    rows=st.integers(3, 5).flatmap(
        lambda width: st.lists(
            st.lists(st.text(CELL_CHARACTERS, min_size=1), min_size=width, max_size=width), min_size=1
        )
    ),
    delimiter=st.sampled_from(";,\t|"),
)
def test_what_a_program_writes_is_read_as_it_was(rows, delimiter):
    class Out(list):
        write = list.append

    out = Out()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)

    assert [one.cells for one in read_records("".join(out).splitlines(keepends=True), delimiter)] == rows


def test_the_delimiter_is_the_one_by_which_rows_agree():
    assert delimiter_of(["a;b;c\n", "1,5;2,5;3,5\n", "4,5;5,5;6,5\n"]) == ";"
    assert delimiter_of(["Title, with comma\n", "a\tb\n", "1\t2\n", "3\t4\n"]) == "\t"


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("47-preamble.csv", "Month: February; Adults: 905; Children: 410"),
        ("48-duplicate-header.csv", "Departure: 08:10; Stop: Pier; Departure: 08:35; Stop: Island"),
    ],
)
def test_cases_that_people_reported(name, expected):
    assert expected in text_of(CASES / name)
