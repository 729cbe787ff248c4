"""Texts, sheets and slides of LibreOffice as they show."""

from zipfile import ZipFile

import pytest

from handlers.readers.section import UnreadableError
from tests.unit.handlers.readers.reading import read

OASIS = "urn:oasis:names:tc:opendocument:xmlns"
CONTENT = (
    f'<office:document-content xmlns:office="{OASIS}:office:1.0" xmlns:text="{OASIS}:text:1.0" '
    f'xmlns:table="{OASIS}:table:1.0" xmlns:draw="{OASIS}:drawing:1.0" xmlns:style="{OASIS}:style:1.0" '
    f'xmlns:presentation="{OASIS}:presentation:1.0"><office:automatic-styles>{{}}</office:automatic-styles>'
    "<office:body>{}</office:body></office:document-content>"
)
ENCRYPTED = '<manifest xmlns="m"><file-entry><encryption-data/></file-entry></manifest>'


def style(name, family, properties):
    inside = f"<style:{family}-properties {properties}/>"
    return f'<style:style style:name="{name}" style:family="{family}">{inside}</style:style>'


STYLES = style("Gone", "text", 'text:display="none"') + style("Up", "text", 'style:text-position="super 58%"')
LISTS = (
    '<text:list-style style:name="L">'
    '<text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
    '<text:list-level-style-number text:level="2" style:num-format="1" text:display-levels="2"/></text:list-style>'
)
OUTLINE = LISTS.replace("text:list-style ", "text:outline-style ").replace("list-style>", "outline-style>")
HIDDEN_SHEET = style("Off", "table", 'table:display="false"')
HIDDEN_SLIDE = style("Off", "drawing-page", 'presentation:visibility="hidden"')


def zipped(path, **entries):
    with ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def open_document(tmp_path, body, name="a.odt", styles="", **entries):
    """The sections and the warnings."""
    return read(zipped(tmp_path / name, **{"content.xml": CONTENT.format(styles, body), **entries}))


def text_of(tmp_path, body, styles=""):
    """All text of a document."""
    sections = open_document(tmp_path, f"<office:text>{body}</office:text>", styles=styles)[0]
    return "".join(section.text for section in sections)


def p(text):
    return f"<text:p>{text}</text:p>"


def span(text, style):
    return f'<text:span text:style-name="{style}">{text}</text:span>'


def row(*cells, attributes=""):
    """A cell is text or XML."""
    inside = "".join(
        cell if cell.startswith("<") else f"<table:table-cell>{p(cell)}</table:table-cell>" for cell in cells
    )
    return f"<table:table-row {attributes}>{inside}</table:table-row>"


def items(*texts, attributes='text:style-name="L"'):
    """A list; an item is text or XML."""
    inside = "".join(f"<text:list-item>{one if one.startswith('<') else p(one)}</text:list-item>" for one in texts)
    return f"<text:list {attributes}>{inside}</text:list>"


def frame(text, attributes=""):
    return f"<draw:frame {attributes}><draw:text-box>{p(text)}</draw:text-box></draw:frame>"


def test_a_text_of_libreoffice_has_headings_lists_notes_and_tables(tmp_path):
    body = (
        "<office:text><text:tracked-changes><text:p>old</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">Top'
        "</text:h><text:p>A<text:s/>b<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Note."
        "</text:p></text:note-body></text:note>.</text:p><text:list><text:list-item><text:p>One</text:p></text:list-item>"
        f"</text:list><table:table>{row('Boat', 'Day', 'Week')}{row('Canoe', '9', '50')}</table:table></office:text>"
    )

    [section] = open_document(tmp_path, body)[0]
    assert (section.heading, section.text) == (
        "Top", "A b (Note.).\n- One\n\nBoat: Canoe; Day: 9; Week: 50\n",
    )  # fmt: skip


def test_sheets_and_slides_are_headings(tmp_path):
    sheet = f'<table:table table:name="Prices">{row("Item", "Price")}{row("Tent", "20")}</table:table>'
    box = "<draw:frame><draw:text-box><text:p>Hello</text:p></draw:text-box></draw:frame>"
    slide = f'<draw:page draw:name="page1">{box}</draw:page>'

    [prices] = open_document(tmp_path, f"<office:spreadsheet>{sheet}</office:spreadsheet>", "a.ods")[0]
    [page] = open_document(tmp_path, f"<office:presentation>{slide}</office:presentation>", "a.odp")[0]
    assert (prices.heading, prices.row, prices.text) == ("Prices", 2, "Item: Tent; Price: 20\n")
    assert (page.heading, page.page, page.text) == (None, 1, "Hello\n")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (p("25" + span("1", "Up") + " euros"), "25¹ euros\n"),
        (p("a" + span("gone", "Gone") + "b"), "ab\n"),
        (p('a<text:hidden-text text:is-hidden="true">gone</text:hidden-text>b'), "ab\n"),
        (f'<text:section text:display="none">{p("gone")}</text:section>{p("seen")}', "seen\n"),
        (p("a<office:annotation><text:p>gone</text:p></office:annotation>b"), "ab\n"),
        (p(f"text{frame('box')} more"), "text more\n\nbox\n"),
        (items("One", "Two") + p("between") + items("Anew"), "1. One\n2. Two\n\nbetween\n1. Anew\n"),
        (items("One") + items("Two", attributes='text:style-name="L" text:continue-numbering="true"'),
         "1. One\n2. Two\n"),
        (items("Rent", p("Pay") + items("due", "late", attributes="")), "1. Rent\n2. Pay\n  2.1 due\n  2.2 late\n"),
        (items("x").replace("<text:list-item>", '<text:list-item text:start-value="4">'), "4. x\n"),
        (items("x", attributes=""), "- x\n"),
    ],
)  # fmt: skip
def test_a_text_reads_as_it_shows(tmp_path, body, expected):
    assert text_of(tmp_path, body, STYLES + LISTS) == expected


def test_headings_have_their_number(tmp_path):
    body = "".join(
        f'<text:h text:outline-level="{level}">{title}</text:h>{p("x")}'
        for level, title in ((1, "Rent"), (1, "Pay"), (2, "Late"))
    )
    sections = open_document(tmp_path, f"<office:text>{body}</office:text>", styles=OUTLINE)[0]

    assert [section.heading for section in sections] == ["1. Rent", "2. Pay", "2. Pay > 2.1 Late"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (f"<table:table-header-rows>{row('Day', 'Open')}</table:table-header-rows>{row('Sunday', 'never')}",
         "Day: Sunday; Open: never\n"),
        (row("Day", "At", "Who")
         + row(f'<table:table-cell table:number-rows-spanned="2">{p("Sun")}</table:table-cell>', "9", "A")
         + row("<table:covered-table-cell/>", "10", "B"), "Day: Sun; At: 9; Who: A\nDay: Sun; At: 10; Who: B\n"),
    ],
)  # fmt: skip
def test_rows_of_tables_say_what_their_cells_mean(tmp_path, rows, expected):
    assert text_of(tmp_path, f"<table:table>{rows}</table:table>") == expected


def test_hidden_sheets_rows_and_columns_are_left_out_and_reported(tmp_path):
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/><table:table-column/>'
    hidden_row = row("Bed", "1", "30", attributes='table:visibility="filter"')
    rows = row("Item", "Cost", "Price") + row("Tent", "7781", "20") + hidden_row
    sheets = (
        f'<table:table table:name="Open">{columns}{rows}</table:table>'
        f'<table:table table:name="Secret" table:style-name="Off">{row("nasty", "2")}</table:table>'
    )
    sections, warnings = open_document(
        tmp_path, f"<office:spreadsheet>{sheets}</office:spreadsheet>", "a.ods", HIDDEN_SHEET
    )

    assert [(one.heading, one.row, one.text) for one in sections] == [("Open", 2, "Item: Tent; Price: 20\n")]
    assert any("Secret" in one for one in warnings)
    assert any("rows or columns of the sheet Open" in one for one in warnings)


def test_rows_that_are_repeated_count_as_rows(tmp_path):
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    gap = row(empty, attributes='table:number-rows-repeated="4"')
    sheet = f'<table:table table:name="S">{gap}{row("Item", "Price")}{row("Tent", "20", empty)}</table:table>'

    [section] = open_document(tmp_path, f"<office:spreadsheet>{sheet}</office:spreadsheet>", "a.ods")[0]
    assert (section.row, section.text) == (6, "Item: Tent; Price: 20\n")


def test_a_slide_has_its_number_its_title_and_its_notes_and_hidden_ones_are_reported(tmp_path):
    shown = (
        frame("Prices", 'presentation:class="title"') + frame("Tent 20") + frame("2026", 'presentation:class="footer"')
    )
    slides = (
        f'<draw:page draw:name="page1"><presentation:notes>{frame("Say it")}</presentation:notes>{shown}</draw:page>'
        f'<draw:page draw:name="page2" draw:style-name="Off">{frame("nasty")}</draw:page>'
    )
    sections, warnings = open_document(
        tmp_path, f"<office:presentation>{slides}</office:presentation>", "a.odp", HIDDEN_SLIDE
    )

    assert [(one.page, one.heading, one.text) for one in sections] == [(1, "Prices", "Tent 20\n\nSay it\n")]
    assert warnings == ["Hidden slides were left out: 2."]


def test_a_file_with_a_password_says_so(tmp_path):
    with pytest.raises(UnreadableError) as raised:
        open_document(tmp_path, "", **{"META-INF/manifest.xml": ENCRYPTED})

    assert raised.value.code == "encrypted"
