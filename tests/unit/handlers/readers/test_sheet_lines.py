"""Rows of a sheet as lines."""

from handlers.readers.spreadsheet.lines import sheet_lines


def test_the_time_for_a_row_does_not_grow_with_the_rows_before_it():
    rows = 200_000
    sheet = iter([(1, {1: "Boat", 2: "Price"}), *((number, {1: "Canoe", 2: "9"}) for number in range(2, rows + 2))])

    # Where each row costs more than the one before it, this takes minutes, and the test's time limit ends it.
    assert sum(line == "Boat: Canoe; Price: 9" for _, line in sheet_lines(sheet)) == rows


def test_two_rows_of_names_are_one_header_and_an_empty_row_ends_a_table():
    sheet = iter(
        [
            (1, {1: "Boat", 2: "2026", 3: "2026"}),
            (2, {1: "Boat", 2: "Day", 3: "Week"}),
            (3, {1: "Canoe", 2: "9", 3: "50"}),
            (5, {1: "Item", 2: "Price"}),
            (6, {1: "Tent", 2: "20"}),
        ]
    )

    assert list(sheet_lines(sheet)) == [
        (3, "Boat: Canoe; 2026 Day: 9; 2026 Week: 50"), (6, "Item: Tent; Price: 20"),
    ]  # fmt: skip
