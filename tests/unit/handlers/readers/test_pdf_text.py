"""What becomes of letters: hyphens, raised marks, wrapped lines, hidden text, running titles."""

import pytest

from tests.support.pdf_writer import Page, box, layered, lines, pdf, picture, table, text
from tests.unit.handlers.readers.pdf_reading import Warnings, read, read_page

REFUND = lines(72, 728, "The refund period for lamps is 14 days from delivery.", "Bulbs can be returned in any branch.")
REFUND_TEXT = "The refund period for lamps is 14 days from delivery. Bulbs can be returned in any branch."
SECRET = "The refund period is 777 days for everybody."


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("The part number is KX-", "4410 and fits.", "KX-4410 and"),
        ("Call us on 0800-555-", "0142 on Mondays.", "0800-555-0142 on"),
        ("It was built 2019-", "2023 by us.", "2019-2023 by"),
        ("It was built 2019–", "2023 by us.", "2019–2023 by"),
        ("Regular main-", "tenance is due.", "Regular maintenance is"),
        ("Put in the USB-", "Stick and wait.", "USB-Stick and"),
        ("Write us an e-", "mail today.", "an e-mail today"),
        ("It is a state-of-the-", "art pump here.", "state-of-the-art pump"),
        ("Wir sagen die Ein-", "und Ausfuhr an.", "Ein- und Ausfuhr"),
        ("It is closed on Mondays -", "except in August.", "Mondays - except"),
        ("Part B2-", "x7 is here.", "B2-x7 is"),
        ("It is open from 10.00-", "18.00 on Sundays.", "10.00-18.00 on"),
        ("See www.pump-", "shop.example for it.", "www.pump-shop.example for"),
        ("Read https://shop.example/", "pumps for more.", "https://shop.example/pumps for"),
    ],
)
def test_a_real_hyphen_stays_and_a_soft_one_joins_its_word(tmp_path, first, second, whole):
    assert whole in read_page(tmp_path, pdf(lines(72, 760, first, second)))


@pytest.mark.parametrize(
    ("operators", "whole"),
    [
        ("(It is 25) Tj /F1 7 Tf 4 Ts (1) Tj 0 Ts /F1 12 Tf ( euros.) Tj", "It is 25 euros."),
        ("(It is 25.50) Tj /F1 7 Tf 4 Ts (3\\)) Tj 0 Ts /F1 12 Tf ( euros.) Tj", "It is 25.50 euros."),
        ("(It is 25 \x80) Tj /F1 7 Tf 4 Ts (1,2) Tj 0 Ts /F1 12 Tf ( now.) Tj", "It is 25 € now."),
        ("(For adults) Tj /F1 7 Tf 4 Ts (a) Tj 0 Ts /F1 12 Tf ( only.) Tj", "For adults only."),
        (
            "(It is 25) Tj /F1 7 Tf 1 0 0 1 108.7 764 Tm (1) Tj /F1 12 Tf 1 0 0 1 113 760 Tm ( euros.) Tj",
            "It is 25 euros.",
        ),
        ("(It is 25) Tj ( euros.) Tj /F1 7 Tf 1 0 0 1 108.7 765 Tm (1) Tj", "It is 25 euros."),
        ("(It has 80 m) Tj /F1 7 Tf 4 Ts (2) Tj 0 Ts /F1 12 Tf ( here.) Tj", "It has 80 m² here."),
        ("(The 2) Tj /F1 7 Tf 4 Ts (nd) Tj 0 Ts /F1 12 Tf ( room.) Tj", "The 2nd room."),
        ("(It is 10) Tj /F1 7 Tf 4 Ts (6) Tj 0 Ts /F1 12 Tf ( bytes.) Tj", "It is 10⁶ bytes."),
        ("(It is H) Tj /F1 7 Tf -3 Ts (2) Tj 0 Ts /F1 12 Tf (O.) Tj", "It is H2O."),
        ("(Now 24) Tj /F1 7 Tf 5 Ts (99) Tj", "Now 24.99"),
    ],
)
def test_a_raised_mark_is_no_digit_of_a_price(tmp_path, operators, whole):
    assert read_page(tmp_path, pdf(f"BT /F1 12 Tf 1 0 0 1 72 760 Tm {operators} ET")) == whole


@pytest.mark.parametrize(
    ("wrapped", "whole"),
    [
        (("Collect it from eight. The deposit for a van is", "350 euros by card. It is returned by",
          "Harbour Bikes within", "5 days."),
         "The deposit for a van is 350 euros by card. It is returned by Harbour Bikes within 5 days."),
        (("Lost keys", "A lost locker key is replaced for 22 euros at the desk."), "Lost keys\nA lost locker key"),
        (("Adult ticket for the day 12", "Child ticket for the day 6"), "Adult ticket for the day 12\nChild"),
        (("The hall is open for groups of more than ten, and costs", "25.50 euros."), "and costs 25.50 euros."),
    ],
)  # fmt: skip
def test_a_wrapped_sentence_is_whole_and_a_heading_or_a_list_is_not_joined(tmp_path, wrapped, whole):
    assert whole in read_page(tmp_path, pdf(lines(72, 760, *wrapped)))


def test_a_bold_heading_and_a_large_first_letter(tmp_path):
    heading = text(60, 760, "Can I bring my dog to the castle?", font="F3")
    capital = (
        text(60, 718, "T", 36) + text(84, 730, "he castle was built by the people") + text(84, 716, "of the town.")
    )

    found = read_page(tmp_path, pdf(heading + text(60, 745, "Yes, for 3 euros.") + capital))

    assert [line for line in found.split("\n") if line] == [
        "Can I bring my dog to the castle?",
        "Yes, for 3 euros.",
        "The castle was built by the people of the town.",
    ]


def test_wrapped_chinese_has_no_space(tmp_path):
    content = lines(
        72, 760, "电动自行车的电池保修期限为三十六个", "月，从购买当天开始计算，价格是", "35元。", font="F2"
    )

    assert read_page(tmp_path, pdf(content)) == "电动自行车的电池保修期限为三十六个月，从购买当天开始计算，价格是35元。"


@pytest.mark.parametrize(
    "content",
    [
        REFUND + text(72, 640, SECRET, before="3 Tr"),
        REFUND + text(72, 640, SECRET, before="7 Tr"),
        REFUND + text(72, 640, SECRET, before="1 1 1 rg"),
        REFUND + text(72, 640, SECRET, before="0.97 g"),
        REFUND + text(72, 640, SECRET, before="0 0 0 0 k"),
        REFUND + text(72, 640, SECRET, 0.5),
        REFUND + text(72, -100, SECRET),
        box(0, 0, 595, 842, "1 1 1") + REFUND + text(72, 640, SECRET, before="1 g"),
        REFUND + box(60, 600, 500, 80, "0 0 1") + text(72, 640, SECRET, before="0 0 1 rg"),
        text(72, 640, SECRET) + box(60, 630, 500, 30, "1 1 1") + REFUND,
        REFUND + text(72, 640, SECRET) + box(60, 630, 500, 30),
        text(72, 640, SECRET) + picture(60, 630, 500, 30) + REFUND,
    ],
)
def test_text_that_nobody_can_see_is_not_read_and_its_owner_is_told(tmp_path, content):
    report = Warnings()

    (section,) = read(tmp_path, pdf(content), report)

    assert section.text == REFUND_TEXT
    assert report.all == ["Page 1 has text that nobody can see, which was left out."]


@pytest.mark.parametrize(
    "content",
    [
        box(60, 600, 500, 80, "0 0 0.3") + text(72, 640, "Open all day", before="1 g"),
        picture(60, 600, 500, 80) + text(72, 640, "Open all day", before="1 g"),
        text(72, 640, "Open all day", before="1 Tr"),
        box(60, 600, 500, 80, "1 1 0") + text(72, 640, "Open all day"),
    ],
)
def test_text_on_a_ground_of_another_colour_is_read(tmp_path, content):
    assert "Open all day" in read_page(tmp_path, pdf(REFUND + content))


@pytest.mark.parametrize(
    "content",
    [
        picture(0, 0, 595, 842) + REFUND.replace("BT ", "BT 3 Tr "),
        REFUND + picture(0, 0, 595, 842),
        picture(0, 0, 595, 842) + REFUND.replace("BT ", "BT 3 Tr ") + text(280, 20, "Scan 7", 8),
    ],
)
def test_the_layer_of_text_recognition_under_a_scan_is_read(tmp_path, content):
    assert REFUND_TEXT in read_page(tmp_path, pdf(content))


def body(page):
    return lines(
        72, 740, f"Lamp {'abcdefgh'[page]} is a line of the text about the shop,", f"and costs {7 * page} euros."
    )


@pytest.mark.parametrize(
    "around",
    [
        lambda page: text(72, 810, "Harbour Bikes handbook, 7th edition", 8) + text(280, 30, str(page + 1), 9),
        lambda page: text(72, 810, "Harbour Bikes handbook") + text(72, 30, f"page {page + 1} of 5 - lost? ask us", 8),
        lambda page: text(72, 810, ("Handbook", "On lamps")[page % 2], 9) + text(280, 90, f"- {page + 1} -", 9),
        lambda page: text(72, 810, "Harbour Bikes", 9) + text(480, 810, f"{page + 1}/5", 9),
        lambda page: text(280, 30, ("i", "ii", "iii", "iv", "v")[page], 9),
        lambda page: text(72, 40, "Printed on 12.03.2026", 8) + text(72, 30, "Dock Street 5, Bergen", 8),
    ],
)  # fmt: skip
def test_running_titles_and_page_numbers_are_kept_out(tmp_path, around):
    sections = read(tmp_path, pdf(*[around(page) + body(page) for page in range(5)]))

    assert [section.text for section in sections] == [
        f"Lamp {'abcde'[page]} is a line of the text about the shop, and costs {7 * page} euros." for page in range(5)
    ]


def test_two_pages_keep_their_titles_beside_the_text_and_one_page_as_it_is(tmp_path):
    def page(words, number):
        return text(72, 810, "Castle guide", 8) + words + text(280, 30, f"Page {number}", 9)

    last, first = text(72, 100, "The tower was built by the people and"), text(72, 770, "has 40 rooms. It is open.")
    two = read(tmp_path, pdf(page(last, 1), page(first, 2)))
    one = read_page(tmp_path, pdf(page(first, 1)))

    assert [section.text for section in two] == [
        "The tower was built by the people and has 40 rooms.\n\nCastle guide\nPage 1",
        "It is open.\n\nCastle guide\nPage 2",
    ]
    assert one == "Castle guide\n\nhas 40 rooms. It is open.\n\nPage 1"


@pytest.mark.parametrize(
    ("page_of", "kept"),
    [
        (lambda page: lines(72, 780, "Prices include the tax.", f"The lamp {page} costs 9 euros."), "Prices include"),
        (lambda page: lines(72, 90, f"The lamp {page} costs 9 euros.", "Prices include the tax."), "Prices include"),
        (
            lambda page: text(72, 790, f"Lesson {page + 1}", 28) + lines(72, 700, "We learn about boats.", size=16),
            "Lesson",
        ),
        (lambda page: table(60, 790, [["Boat", "Hour"], [f"Canoe {page}", "9"], ["Kayak", "12"]]), "Hour: 9"),
        (lambda page: body(page) + text(72, 90, f"Total: {13 * page} euros"), "Total:"),
        (lambda page: body(page) + text(72, 420, "Ask at the desk."), "Ask at the desk."),
    ],
)
def test_lines_of_the_text_that_come_again_are_kept(tmp_path, page_of, kept):
    sections = read(tmp_path, pdf(*[page_of(page) for page in range(4)]))

    assert len(sections) == 4
    assert all(kept in section.text for section in sections)


def test_an_upside_down_page_hides_nothing(tmp_path):
    assert read_page(tmp_path, pdf(Page(REFUND, 180))) == REFUND_TEXT


def test_text_in_a_layer_that_is_not_shown_is_left_out(tmp_path):
    report = Warnings()
    page = text(72, 760, "The pool opens at 7.") + layered("Old", text(72, 730, "It opens at 9.")) + layered(
        "New", text(72, 700, "It closes at 20.")
    )  # fmt: skip
    (section,) = read(tmp_path, pdf(page, layers={"Old": False, "New": True}), report)

    assert "It opens at 9" not in section.text
    assert "The pool opens at 7." in section.text
    assert "It closes at 20." in section.text
    assert "nobody can see" in report.all[0]
