"""The order of a page: columns, turned pages, tables, lines that wrap, and sentences over pages."""

from itertools import pairwise

import pytest

from tests.support.pdf_writer import Page, box, lines, pdf, table, text
from tests.unit.handlers.readers.pdf_reading import read, read_page

BUS = (
    "The night bus runs every forty",
    "minutes from the old market to",
    "the university. It does not stop at",
    "the hospital after midnight, and",
    "a ticket costs two crowns.",
)
TRAM = (
    "Bicycles may be taken along in",
    "the rear carriage of the tram. On",
    "Saturdays this is free of charge,",
    "while on other days a bicycle",
    "needs a ticket of its own.",
)
BOATS = [["Boat", "Hour", "Day"], ["Canoe", "9", "40"], ["Kayak", "12", "55"]]
BOAT_LINES = ["Boat: Canoe; Hour: 9; Day: 40", "Boat: Kayak; Hour: 12; Day: 55"]
TURNED = {90: "0 1 -1 0 595 0", 180: "-1 0 0 -1 595 842", 270: "0 -1 1 0 0 842"}


def row_by_row(left, right, *, down=0, x=320):
    rows = zip(left, right, strict=True)
    return "".join(
        text(60, 760 - 15 * at, a, 11) + text(x, 760 - down - 15 * at, b, 11) for at, (a, b) in enumerate(rows)
    )


@pytest.mark.parametrize(
    "content",
    [
        row_by_row(BUS, TRAM),
        row_by_row(BUS, TRAM, down=7),
        row_by_row(BUS, TRAM, x=240),
        lines(60, 760, *BUS, size=11) + lines(320, 760, *TRAM, size=11),
        lines(320, 760, *TRAM, size=11) + lines(60, 760, *BUS, size=11),
    ],
    ids=["row by row", "at other heights", "near", "one by one", "the right one first"],
)
def test_columns_are_read_one_after_the_other(tmp_path, content):
    title = text(60, 800, "News of the town and of its transport for everybody who lives here", 14)
    foot = text(60, 600, "Printed by the town, all prices in crowns", 8)

    found = read_page(tmp_path, pdf(title + content + foot)).split("\n\n")

    assert found[1:3] == [" ".join(BUS), " ".join(TRAM)]
    assert found[0].startswith("News")
    assert found[3].startswith("Printed")


def test_a_sentence_goes_on_in_the_next_column(tmp_path):
    right = lines(320, 760, BUS[4] + " Children", "ride for free on every bus.", size=11)

    assert "midnight, and a ticket costs two crowns. Children ride" in read_page(
        tmp_path, pdf(lines(60, 760, *BUS[:4], size=11) + right)
    )


@pytest.mark.parametrize(("degrees", "rotate"), [(90, 90), (180, 180), (270, 270), (90, 0), (270, 90)])
def test_turned_pages_are_read_as_they_are_viewed(tmp_path, degrees, rotate):
    content = lines(60, 468, "The last cable car leaves", "the summit at 16:55.") + table(60, 300, BOATS)
    turned = f"q {TURNED[degrees]} cm {content} Q"

    found = read_page(tmp_path, pdf(Page(turned, rotate)))

    assert found.split("\n\n") == ["The last cable car leaves the summit at 16:55.", "\n".join(BOAT_LINES)]


def test_text_in_the_margin_that_runs_upwards_comes_last(tmp_path):
    margin = f"q {TURNED[90]} cm {text(200, 565, 'Printed 2026', 9)} Q\n"

    found = read_page(tmp_path, pdf(margin + lines(72, 760, "The lamp costs 9 euros", "in every shop.")))

    assert found == "The lamp costs 9 euros in every shop.\n\nPrinted 2026"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (table(60, 750, BOATS), BOAT_LINES),
        (table(60, 750, BOATS, width=42), BOAT_LINES),
        (
            "".join(text(60 + 90 * c, 750 - 18 * r, BOATS[r][c], 11) for c in range(3) for r in range(3)),
            BOAT_LINES,
        ),
        (
            "".join(text(300 * bool(c) + 90 * c - 5 * len(BOATS[r][c]) + 60, 750 - 18 * r, BOATS[r][c], 9)
                    for r in range(3) for c in range(3)),
            BOAT_LINES,
        ),
        (
            box(55, 745, 400, 18, "0 0 0.3")
            + "".join(text(60 + 110 * c, 750, BOATS[0][c], 11, before="1 g") for c in range(3))
            + table(60, 732, BOATS[1:]),
            BOAT_LINES,
        ),
        (table(60, 750, [["Day", "Course", "Teacher"], ["Monday", "Pottery", "Anna"]]),
         ["Day: Monday; Course: Pottery; Teacher: Anna"]),
        (table(60, 750, [["Check-in", "from 15:00"], ["Check-out", "until 10:00"], ["Breakfast", "from 7"]]),
         ["Check-in | from 15:00", "Check-out | until 10:00", "Breakfast | from 7"]),
        (table(60, 750, [["Boat", "Hour"], ["Raft", ""], ["Canoe", "9"], ["Kayak", "12"]]),
         ["Raft", "Boat: Canoe; Hour: 9", "Boat: Kayak; Hour: 12"][1:]),
        (
            table(60, 750, [["Pitch", "Season", "Price"], ["Meadow", "Low", "14.00"], ["", "High", "21.00"],
                            ["", "Total", "35.00"]]),
            ["Pitch: Meadow; Season: High; Price: 21.00", "Season: Total; Price: 35.00"],
        ),
        (
            table(60, 750, [["Room", "Equipment", "Price"], ["Oak", "Projector and", "90"], ["", "whiteboard", ""],
                            ["Elm", "Screen", "70"]], pitch=14),
            ["Room: Oak; Equipment: Projector and whiteboard; Price: 90", "Room: Elm; Equipment: Screen; Price: 70"],
        ),
        (
            table(60, 750, [["Pitch", "Low", "High"], ["", "season", "season"], ["Meadow", "14.00", "21.00"],
                            ["Forest", "11.00", "17.00"]], pitch=14),
            ["Pitch: Meadow; Low season: 14.00; High season: 21.00",
             "Pitch: Forest; Low season: 11.00; High season: 17.00"],
        ),
    ],
    ids=["plain", "near cells", "drawn by columns", "aligned right", "white header", "words only", "pairs",
         "a row of one cell", "grouped", "wrapped cell", "wrapped header"],
)  # fmt: skip
def test_each_row_of_a_table_says_what_its_cells_mean(tmp_path, content, expected):
    before = lines(60, 800, "Hire is from April to October at the pier of the", "lake, every day from nine to six.")
    after = text(60, 640, "Life jackets are free of charge.")

    found = read_page(tmp_path, pdf(before + content + after)).split("\n")

    assert [line for line in expected if line not in found] == []
    assert found[0] == "Hire is from April to October at the pier of the lake, every day from nine to six."
    assert found[-1] == "Life jackets are free of charge."


def test_long_cells_between_rules_are_a_table_and_no_columns(tmp_path):
    rows = [
        ["Rule", "What it means for you", "What happens else"],
        ["Quiet", "No music from ten to seven in the yard", "The warden comes to see you"],
        ["Dogs", "Dogs stay on the lead in the whole camp", "You pay a fine of 30 euros"],
    ]
    rules = "".join(f"60 {745 - 18 * at} m 560 {745 - 18 * at} l S\n" for at in range(-1, 3))

    found = read_page(tmp_path, pdf(table(60, 750, rows, width=170, size=8) + rules))

    assert found.split("\n")[1] == (
        "Rule: Dogs; What it means for you: Dogs stay on the lead in the whole camp; "
        "What happens else: You pay a fine of 30 euros"
    )


def test_the_borders_of_cells_tell_which_lines_are_one_row(tmp_path):
    rows = [
        ["Rule", "What it means for you", "What happens else here"],
        ["Quiet hours at night", "No music from ten in the", "The warden comes to see"],
        ["", "evening to seven", "you at once"],
        ["Dogs in the camp", "Dogs stay on the lead in", "You pay a fine of 30"],
        ["", "the camp", "euros"],
    ]
    across, up = (55, 205, 355, 520), (763, 746, 718, 690)
    borders = "".join(
        f"{left} {low} {right - left} {high - low} re S\n"
        for left, right in pairwise(across)
        for high, low in pairwise(up)
    )

    found = read_page(tmp_path, pdf(table(60, 750, rows, width=150, pitch=14) + borders)).split("\n")

    assert found[1].endswith("the lead in the camp; What happens else here: You pay a fine of 30 euros")
    assert len(found) == 2


def test_tables_side_by_side_are_two_tables(tmp_path):
    boats = table(60, 750, [["Boat", "Hour"], ["Canoe", "9"], ["Kayak", "12"]], width=90)
    bikes = table(330, 750, [["Bike", "Day"], ["City", "15"], ["Cargo", "30"]], width=90)

    found = read_page(tmp_path, pdf(boats + bikes))

    assert [line for line in found.split("\n") if line] == [
        "Boat: Canoe; Hour: 9",
        "Boat: Kayak; Hour: 12",
        "Bike: City; Day: 15",
        "Bike: Cargo; Day: 30",
    ]


def test_lines_drawn_from_the_bottom_are_read_from_the_top(tmp_path):
    content = (
        text(60, 715, "to the end of it.")
        + text(60, 730, "the second line, and that")
        + text(60, 745, "The first goes on to")
    )

    assert read_page(tmp_path, pdf(content)) == "The first goes on to the second line, and that to the end of it."


def test_a_table_keeps_its_header_on_the_next_page(tmp_path):
    first, second = read(
        tmp_path, pdf(table(60, 110, BOATS), table(60, 780, [["Raft", "30", "80"], ["Sail", "45", "99"]]))
    )

    assert first.text.split("\n") == BOAT_LINES
    assert second.text.split("\n") == ["Boat: Raft; Hour: 30; Day: 80", "Boat: Sail; Hour: 45; Day: 99"]


def test_an_address_keeps_its_lines(tmp_path):
    assert read_page(tmp_path, pdf(lines(72, 760, "Harbour Bikes", "Dock Street 5", "5003 Bergen"))).split("\n") == [
        "Harbour Bikes",
        "Dock Street 5",
        "5003 Bergen",
    ]


def test_bullets_stay_with_their_lines(tmp_path):
    items = ("Bring a towel and good shoes", "Bring 5 euros for the locker")
    content = "".join(text(72, 760 - 15 * at, "•") + text(96, 760 - 15 * at, item) for at, item in enumerate(items))

    assert read_page(tmp_path, pdf(content)) == "• Bring a towel and good shoes\n• Bring 5 euros for the locker"
