"""Word documents as they look with all changes accepted."""

import pytest

from handlers.readers.office.numerals import numeral
from handlers.readers.section import UnreadableError
from tests.unit.handlers.readers.office_files import paragraph, table, word
from tests.unit.handlers.readers.reading import CASES, read, text_of

INSERTED = '<w:ins w:id="1"><w:r><w:t>new</w:t></w:r></w:ins>'
DELETED = '<w:del w:id="1"><w:r><w:delText>old</w:delText></w:r></w:del>'
BOX = "<w:txbxContent><w:p><w:r><w:t>In the box</w:t></w:r></w:p></w:txbxContent>"
CHOICE = (
    "<mc:AlternateContent><mc:Choice><w:r><w:t>once</w:t></w:r></mc:Choice>"
    "<mc:Fallback><w:r><w:t>once</w:t></w:r></mc:Fallback></mc:AlternateContent>"
)
NUMBERING = """
<w:abstractNum w:abstractNumId="1">
 <w:lvl w:ilvl="0"><w:start w:val="4"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1"/></w:lvl>
 <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>
 <w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%3)"/></w:lvl>
</w:abstractNum>
<w:abstractNum w:abstractNumId="2">
 <w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="x"/></w:lvl>
</w:abstractNum>
<w:num w:numId="7"><w:abstractNumId w:val="1"/></w:num>
<w:num w:numId="8"><w:abstractNumId w:val="2"/></w:num>
<w:num w:numId="9"><w:abstractNumId w:val="1"/>
 <w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>
"""
STYLES = """
<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="Mine"><w:basedOn w:val="berschrift1"/></w:style>
<w:style w:styleId="Level2"><w:name w:val="Own"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
<w:style w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>
"""


def text(tmp_path, body, **parts):
    return text_of(word(tmp_path / "a.docx", body, **parts))


def numbered(words, level=0, number=7):
    return paragraph(words, properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        (("It is ", DELETED, INSERTED, "."), "It is new.\n"),
        (('<w:moveFrom w:id="1"><w:r><w:t>gone</w:t></w:r></w:moveFrom>', "here"), "here\n"),
        (("a", "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>", "b"), "ab\n"),
        (("a", '<w:r><w:rPr><w:rStyle w:val="Secret"/></w:rPr><w:t>hidden</w:t></w:r>', "b"), "ab\n"),
        (("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r>",), "a b\nc\n"),
        (("<w:r><w:t>KX</w:t><w:noBreakHyphen/><w:t>44</w:t><w:softHyphen/><w:t>10</w:t></w:r>",), "KX-4410\n"),
        (("<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t>7</w:t></w:r>",), "7\n"),
        (('<w:hyperlink r:id="x"><w:r><w:t>the list</w:t></w:r></w:hyperlink>',), "the list\n"),
        (("25", '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>1</w:t></w:r>'), "25¹\n"),
        (("<m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></m:oMath>",),
         "a/b\n"),
        (("<w:sdt><w:sdtPr/><w:sdtContent><w:r><w:t>chosen</w:t></w:r></w:sdtContent></w:sdt>",), "chosen\n"),
        ((CHOICE,), "once\n"),
        (('<w:r><w:sym w:font="Symbol" w:char="F0B7"/><w:t>x</w:t></w:r>',), "x\n"),
        (("text", f"<w:r><w:pict>{BOX}</w:pict></w:r>"), "text\n\nIn the box\n"),
        (('<w:r><w:t>a</w:t></w:r><w:commentRangeStart w:id="0"/><w:r><w:commentReference w:id="0"/></w:r>',), "a\n"),
    ],
)  # fmt: skip
def test_a_paragraph_reads_as_it_shows(tmp_path, runs, expected):
    assert text(tmp_path, paragraph(*runs), styles=STYLES) == expected


def test_a_paragraph_whose_end_is_deleted_goes_on_with_the_next(tmp_path):
    body = paragraph("One ", properties='<w:rPr><w:del w:id="1"/></w:rPr>') + paragraph("two.")

    assert text(tmp_path, body) == "One two.\n"


def test_numbers_are_counted_as_word_does(tmp_path):
    body = "".join(
        (numbered("Rent"), numbered("Due", 1), numbered("Late", 1), numbered("First", 2), numbered("Second", 2),
         numbered("Keys"), numbered("Lost", 1), numbered("Dot", number=8), numbered("Anew", number=9))
    )  # fmt: skip

    assert text(tmp_path, body, numbering=NUMBERING).splitlines() == [
        "4 Rent", "  4.1 Due", "  4.2 Late", "    (a) First", "    (b) Second", "5 Keys", "  5.1 Lost", "- Dot",
        "1 Anew",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "kind", "expected"),
    [(4, "lowerRoman", "iv"), (1999, "upperRoman", "MCMXCIX"), (28, "lowerLetter", "bb"), (3, "decimalZero", "03")],
)
def test_numerals(count, kind, expected):
    assert numeral(count, kind) == expected


def test_headings_follow_the_styles_in_any_language(tmp_path):
    body = "".join(
        (paragraph("Top", properties='<w:pStyle w:val="Mine"/>'), paragraph("x"),
         paragraph("Below", properties='<w:pStyle w:val="Level2"/>'), paragraph("y"))
    )  # fmt: skip
    sections, _ = read(word(tmp_path / "a.docx", body, styles=STYLES))

    assert [(section.heading, section.text) for section in sections] == [("Top", "x\n"), ("Top > Below", "y\n")]


def test_notes_stand_at_their_place(tmp_path):
    note = paragraph("Clubs pay 90 euros.")
    body = paragraph("The hall costs 240 euros", '<w:r><w:footnoteReference w:id="2"/></w:r>', ".")

    assert text(tmp_path, body, footnotes=f'<w:footnote w:id="2">{note}</w:footnote>') == (
        "The hall costs 240 euros (Clubs pay 90 euros.).\n"
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((("Boat", "Day", "Week"), ("Canoe", "9", "50")), "Boat: Canoe; Day: 9; Week: 50\n"),
        ((("Item", "Price"), ("Tent", "20")), "Item: Tent; Price: 20\n"),
        ((("Phone", "a"), ("Fax", "b")), "Phone | a\nFax | b\n"),
        ((("Day", "At", "Who"), ('<w:tcPr><w:vMerge w:val="restart"/></w:tcPr>Sun', "9", "A"),
          ("<w:tcPr><w:vMerge/></w:tcPr>", "10", "B")), "Day: Sun; At: 9; Who: A\nDay: Sun; At: 10; Who: B\n"),
    ],
)  # fmt: skip
def test_rows_of_tables_say_what_their_cells_mean(tmp_path, rows, expected):
    assert text(tmp_path, table(*rows)) == expected


def test_a_table_in_a_cell_is_read(tmp_path):
    inner = table(("in", "side"))
    body = f"<w:tbl><w:tr><w:tc>{paragraph('out')}{inner}</w:tc><w:tc>{paragraph('x')}</w:tc></w:tr></w:tbl>"

    assert text(tmp_path, body) == "out in; side | x\n"


def test_a_damaged_document_fails_with_a_reason(tmp_path):
    path = word(tmp_path / "a.docx", "<w:p><w:broken")

    with pytest.raises(UnreadableError, match="damaged"):
        read(path)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "expected", "absent"),
    [
        ("40-tracked-changes.docx", ("half past ten", "in the shed only"), ("eight", "hallway", "Editor")),
        ("41-automatic-numbers.docx", ("4.2 A late payment costs 15 euros.",), ()),
        ("42-footnotes.docx", ("Clubs of the village pay 90 euros", "80 guests"), ()),
    ],
)
def test_cases_that_people_reported(name, expected, absent):
    found = text_of(CASES / name)

    assert [one for one in expected if one not in found] == []
    assert [one for one in absent if one in found] == []
