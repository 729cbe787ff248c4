"""The text of paragraphs of Word as it shows."""

import pytest

from tests.unit.handlers.readers.office_files import paragraph, table, word
from tests.unit.handlers.readers.reading import text_of

INSERTED = '<w:ins w:id="1"><w:r><w:t>new</w:t></w:r></w:ins>'
DELETED = '<w:del w:id="1"><w:r><w:delText>old</w:delText></w:r></w:del>'
BOX = "<w:txbxContent><w:p><w:r><w:t>In the box</w:t></w:r></w:p></w:txbxContent>"
CHOICE = (
    "<mc:AlternateContent><mc:Choice><w:r><w:t>once</w:t></w:r></mc:Choice>"
    "<mc:Fallback><w:r><w:t>once</w:t></w:r></mc:Fallback></mc:AlternateContent>"
)
STYLES = """
<w:style w:styleId="Secret"><w:rPr><w:vanish/></w:rPr></w:style>
<w:style w:styleId="Mark"><w:rPr><w:vertAlign w:val="superscript"/></w:rPr></w:style>
"""


def text(tmp_path, body, **parts):
    return text_of(word(tmp_path / "a.docx", body, **parts))


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
        (("25", '<w:r><w:rPr><w:rStyle w:val="Mark"/></w:rPr><w:t>1</w:t></w:r>'), "25¹\n"),
        (("25", '<w:r><w:rPr><w:position w:val="6"/></w:rPr><w:t>1</w:t></w:r>'), "25¹\n"),
        (("a", '<w:r><w:t>b</w:t><w:br w:type="page"/><w:t>c</w:t></w:r>'), "ab c\n"),
        (("no more than ", '<w:r><w:sym w:font="Symbol" w:char="F0A3"/></w:r>', " 3 m"), "no more than ≤ 3 m\n"),
        (('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>', " Vegan"), "☑ Vegan\n"),
        (('<w:r><w:rPr><w:rFonts w:ascii="Symbol"/></w:rPr><w:t>\uf0b3</w:t></w:r>', " 3"), "≥ 3\n"),
        (('<w:r><w:pict><w:textpath string="Sale"/></w:pict></w:r>',), "Sale\n"),
        (('<w:r><w:t>a</w:t></w:r><w:commentRangeStart w:id="0"/><w:r><w:commentReference w:id="0"/></w:r>',), "a\n"),
    ],
)  # fmt: skip
def test_a_paragraph_reads_as_it_shows(tmp_path, runs, expected):
    assert text(tmp_path, paragraph(*runs), styles=STYLES) == expected


def field(*parts):
    """A field: a part is `begin`, `separate`, `end`, or runs."""
    marks = ("begin", "separate", "end")
    return "".join(f'<w:r><w:fldChar w:fldCharType="{one}"/></w:r>' if one in marks else one for one in parts)


def form_field(data):
    return f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{data}</w:ffData></w:fldChar></w:r>' + field(
        "separate", "end"
    )


INSTRUCTION = "<w:r><w:instrText>IF</w:instrText></w:r>"
INNER = field("begin", INSTRUCTION, "separate", "<w:r><w:t>code</w:t></w:r>", "end")


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ((field("begin", INSTRUCTION, INNER, "separate", "<w:r><w:t>shown</w:t></w:r>", "end"),), "shown\n"),
        (("a", field("begin", "<w:r><w:t>code</w:t></w:r>", "end"), "b"), "ab\n"),
        ((field("begin"), "a text in a field without an end"), "a text in a field without an end\n"),
        (("Size: ", form_field('<w:ddList><w:result w:val="1"/><w:listEntry w:val="S"/><w:listEntry w:val="L"/>'
                               "</w:ddList>")), "Size: L\n"),
        ((form_field('<w:checkBox><w:default w:val="0"/><w:checked/></w:checkBox>'), " Vegan"), "☒ Vegan\n"),
        ((form_field('<w:checkBox><w:default w:val="0"/></w:checkBox>'), " Vegan"), "☐ Vegan\n"),
    ],
)  # fmt: skip
def test_fields_show_their_result_or_what_was_chosen(tmp_path, runs, expected):
    assert text(tmp_path, paragraph(*runs)) == expected


def math(name, **parts):
    inside = "".join(f"<m:{part}><m:r><m:t>{text}</m:t></m:r></m:{part}>" for part, text in parts.items())
    return f"<m:oMath><m:{name}>{inside}</m:{name}></m:oMath>"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (math("f", num="a+b", den="2"), "(a+b)/2\n"),
        (math("sSup", e="m", sup="2"), "m²\n"),
        (math("sSup", e="x", sup="n"), "x^n\n"),
        (math("sSub", e="x", sub="1"), "x₁\n"),
        (math("rad", deg="", e="16"), "√(16)\n"),
        (math("d", e="a+b"), "(a+b)\n"),
    ],
)
def test_formulas_keep_their_meaning_on_one_line(tmp_path, formula, expected):
    assert text(tmp_path, paragraph(formula)) == expected


REMOVED_END = '<w:rPr><w:del w:id="1"/></w:rPr>'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (paragraph("One ", properties=REMOVED_END) + paragraph("two."), "One two.\n"),
        (paragraph("One.") + paragraph("Last.", properties=REMOVED_END), "One.\n\nLast.\n"),
        (paragraph("One.", properties=REMOVED_END) + table(("a", "b")), "One.\n\na | b\n"),
        (table(("CELL", "b")).replace(paragraph("CELL"), paragraph("hall", properties=REMOVED_END) + paragraph("way")),
         "hallway | b\n"),
    ],
)  # fmt: skip
def test_a_paragraph_whose_end_is_deleted_goes_on_with_the_next(tmp_path, body, expected):
    assert text(tmp_path, body) == expected


def test_a_paragraph_of_a_hidden_style_is_left_out(tmp_path):
    body = paragraph("gone", properties='<w:pStyle w:val="Secret"/>') + paragraph("seen")

    assert text(tmp_path, body, styles=STYLES) == "seen\n"


def test_of_alternatives_between_paragraphs_one_is_read(tmp_path):
    body = (
        f"<mc:AlternateContent><mc:Choice>{paragraph('once')}</mc:Choice>"
        f"<mc:Fallback>{paragraph('once')}</mc:Fallback></mc:AlternateContent>"
    )

    assert text(tmp_path, body) == "once\n"


def test_digits_of_a_note_are_not_raised_with_its_mark(tmp_path):
    mark = '<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:footnoteReference w:id="2"/></w:r>'
    note = f'<w:footnote w:id="2">{paragraph("10 for clubs")}</w:footnote>'

    assert text(tmp_path, paragraph("25 euros", mark), footnotes=note) == "25 euros (10 for clubs)\n"


def test_notes_stand_at_their_place(tmp_path):
    note = paragraph("Clubs pay 90 euros.")
    body = paragraph("The hall costs 240 euros", '<w:r><w:footnoteReference w:id="2"/></w:r>', ".")

    assert text(tmp_path, body, footnotes=f'<w:footnote w:id="2">{note}</w:footnote>') == (
        "The hall costs 240 euros (Clubs pay 90 euros.).\n"
    )
