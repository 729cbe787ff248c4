"""Slides as they show, with their notes."""

from zipfile import ZipFile

import pytest

from tests.unit.handlers.readers.office_files import CHART, NAMESPACES, deck, relations_part, shape
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


def body(*paragraphs):
    """A shape whose paragraphs are XML."""
    return (
        '<p:sp><p:nvSpPr><p:cNvPr id="1" name="x"/><p:nvPr/></p:nvSpPr><p:spPr/>'
        f"<p:txBody>{''.join(f'<a:p>{one}</a:p>' for one in paragraphs)}</p:txBody></p:sp>"
    )


def run(text, properties=""):
    return f"<a:r>{properties}<a:t>{text}</a:t></a:r>"


def counted(text, kind, level=0, more=""):
    return f'<a:pPr lvl="{level}"><a:buAutoNum type="{kind}"{more}/></a:pPr>{run(text)}'


@pytest.mark.parametrize(
    ("paragraphs", "expected"),
    [
        ((counted("A", "arabicPeriod"), counted("B", "arabicPeriod")), "1. A\n2. B\n"),
        ((counted("A", "arabicPeriod"), counted("x", "alphaLcParenR", 1), counted("B", "arabicPeriod"),
          counted("y", "alphaLcParenR", 1)), "1. A\na) x\n2. B\na) y\n"),
        ((counted("A", "romanUcPeriod", more=' startAt="4"'),), "IV. A\n"),
        ((counted("A", "arabicPeriod"), run("plain"), counted("B", "arabicPeriod")), "1. A\nplain\n1. B\n"),
        ((run("25") + run("1", '<a:rPr baseline="30000"/>'),), "25¹\n"),
        ((run("H") + run("2", '<a:rPr baseline="-25000"/>') + run("O"),), "H₂O\n"),
        ((run("a") + "<a:br/>" + run("b"),), "a\nb\n"),
        (("<m:oMath><m:sSup><m:e><m:r><m:t>m</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:oMath>",),
         "m²\n"),
    ],
)  # fmt: skip
def test_paragraphs_read_as_they_show(tmp_path, paragraphs, expected):
    assert read(deck(tmp_path / "a.pptx", body(*paragraphs)))[0][0].text == expected


def with_parts(path, **parts):
    with ZipFile(path, "a") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_placeholders_stand_where_their_layout_puts_them(tmp_path):
    placed = shape("", kind="body", y=5_000_000)
    inherits = shape("below", kind="body").replace('<a:off x="0" y="0"/>', "")
    path = with_parts(
        deck(tmp_path / "a.pptx", inherits + shape("above", y=1_000)),
        **{
            "ppt/slides/_rels/slide1.xml.rels": relations_part(("slideLayout", "../slideLayouts/layout1.xml")),
            "ppt/slideLayouts/layout1.xml": (
                f"<p:sldLayout {NAMESPACES}><p:cSld><p:spTree>{placed}</p:spTree></p:cSld></p:sldLayout>"
            ),
        },
    )

    assert read(path)[0][0].text == "above\n\nbelow\n"


def test_a_chart_is_read_with_its_numbers_as_they_show(tmp_path):
    frame = (
        '<p:graphicFrame><a:graphic><a:graphicData><c:chart xmlns:c="c" r:id="r1"/></a:graphicData></a:graphic>'
        "</p:graphicFrame>"
    )
    path = with_parts(
        deck(tmp_path / "a.pptx", frame),
        **{
            "ppt/slides/_rels/slide1.xml.rels": relations_part(("chart", "../charts/chart1.xml")),
            "ppt/charts/chart1.xml": CHART,
        },
    )

    assert read(path)[0][0].text == "Share: May 25%; June 50%\n"


def test_what_is_not_there_or_not_known_is_left_out(tmp_path):
    broken = (
        '<p:graphicFrame><a:graphic><a:graphicData><c:chart xmlns:c="c" r:id="gone"/></a:graphicData></a:graphic>'
        '</p:graphicFrame><p:contentPart r:id="gone"/><p:unknown/>'
    )

    assert read(deck(tmp_path / "a.pptx", broken + shape("seen")))[0][0].text == "seen\n"


def test_boxes_beside_the_notes_are_read(tmp_path):
    path = deck(tmp_path / "a.pptx", shape("x"))
    tree = f"<p:spTree>{shape('beside')}{shape('7', kind='sldNum')}</p:spTree>"
    notes = f"<p:notes {NAMESPACES}><p:cSld>{tree}</p:cSld></p:notes>"
    with_parts(
        path,
        **{
            "ppt/slides/_rels/slide1.xml.rels": relations_part(("notesSlide", "../notesSlides/n.xml")),
            "ppt/notesSlides/n.xml": notes,
        },
    )

    assert read(path)[0][0].text == "x\n\nbeside\n"


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
        ((row("Day", "Open"), row("Sunday", "never")), "Day: Sunday; Open: never\n"),
        ((row("", "Adult", "Child"), row("Day", "9", "5")), "Day; Adult: 9; Child: 5\n"),
        ((row("Prices", "", "").replace("<a:tc>", '<a:tc gridSpan="3">', 1).replace("<a:tc><", '<a:tc hMerge="1"><'),
          row("Boat", "Day", "Week"), row("Canoe", "9", "50")), "Prices\nBoat: Canoe; Day: 9; Week: 50\n"),
    ],
)  # fmt: skip
def test_rows_of_tables_say_what_their_cells_mean(tmp_path, rows, expected):
    assert read(deck(tmp_path / "a.pptx", TABLE.format("".join(rows))))[0][0].text == expected


@pytest.mark.shared_data
def test_the_case_that_people_reported():
    sections, warnings = read(CASES / "50-smartart.pptx")

    assert "The courier leaves at 16:20" in sections[0].text
    assert "20 kilograms" in sections[0].text
    assert [section.page for section in sections] == [1]
    assert warnings
