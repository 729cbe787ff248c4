"""Word documents as they look with all changes accepted: headings, parts of the package, damage."""

from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from handlers.readers.section import UnreadableError
from tests.unit.handlers.readers.office_files import CHART, NAMESPACES, paragraph, relations_part, word
from tests.unit.handlers.readers.reading import CASES, read, text_of

STYLES = """
<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="Mine"><w:basedOn w:val="berschrift1"/></w:style>
<w:style w:styleId="Level2"><w:name w:val="Own"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>
"""


def test_headings_follow_the_styles_in_any_language(tmp_path):
    body = "".join(
        (paragraph("Top", properties='<w:pStyle w:val="Mine"/>'), paragraph("x"),
         paragraph("Below", properties='<w:pStyle w:val="Level2"/>'), paragraph("y"))
    )  # fmt: skip
    sections, _ = read(word(tmp_path / "a.docx", body, styles=STYLES))

    assert [(section.heading, section.text) for section in sections] == [("Top", "x\n"), ("Top > Below", "y\n")]


@pytest.mark.parametrize("name", ["Überschrift 1", "Titre 1", "Título 1", "Заголовок 1", "标题 1", "見出し 1"])
def test_headings_of_programs_that_write_the_local_name(tmp_path, name):
    body = paragraph("Top", properties='<w:pStyle w:val="s"/>') + paragraph("x")
    style = f'<w:style w:styleId="s"><w:name w:val="{name}"/></w:style>'

    assert read(word(tmp_path / "a.docx", body, styles=style))[0][0].heading == "Top"


def test_a_heading_style_without_a_definition_is_a_heading(tmp_path):
    body = paragraph("Top", properties='<w:pStyle w:val="Heading2"/>') + paragraph("x")

    assert read(word(tmp_path / "a.docx", body))[0][0].heading == "Top"


def test_a_document_is_found_where_its_package_says(tmp_path):
    path = tmp_path / "a.docx"
    with ZipFile(path, "w") as archive:
        archive.writestr("_rels/.rels", relations_part(("officeDocument", "/word/document2.xml")))
        archive.writestr(
            "word/document2.xml", f"<w:document {NAMESPACES}><w:body>{paragraph('x')}</w:body></w:document>"
        )

    assert text_of(path) == "x\n"


def test_a_chart_is_read_with_its_numbers_as_they_show(tmp_path):
    graphic = '<a:graphic><a:graphicData><c:chart xmlns:c="c" r:id="r1"/></a:graphicData></a:graphic>'
    path = word(tmp_path / "a.docx", paragraph("Above", f"<w:r><w:drawing>{graphic}</w:drawing></w:r>"))
    with ZipFile(path, "a") as archive:
        archive.writestr("word/_rels/document.xml.rels", relations_part(("chart", "charts/chart1.xml")))
        archive.writestr("word/charts/chart1.xml", CHART)

    assert text_of(path) == "Above\n\nShare: May 25%; June 50%\n"


def test_a_prefix_without_a_namespace_fails_with_a_reason(tmp_path):
    path = word(tmp_path / "a.docx", f'<q:x xmlns:q="">{paragraph("x")}</q:x>')

    with pytest.raises(UnreadableError, match="damaged"):
        read(path)


def test_an_embedded_document_is_reported(tmp_path):
    _, warnings = read(word(tmp_path / "a.docx", paragraph("x") + '<w:altChunk r:id="r1"/>'))

    assert "embedded" in warnings[0]


def test_damaged_bytes_of_a_part_fail_with_a_reason(tmp_path):
    path = word(tmp_path / "a.docx", "".join(paragraph(f"word {number * 7919 % 1013}") for number in range(400)))
    packed = tmp_path / "b.docx"
    with ZipFile(path) as source, ZipFile(packed, "w", ZIP_DEFLATED) as target:
        target.writestr("word/document.xml", source.read("word/document.xml"))
    damaged = bytearray(packed.read_bytes())
    damaged[200:260] = bytes(byte ^ 0x5A for byte in damaged[200:260])
    packed.write_bytes(damaged)

    with pytest.raises(UnreadableError, match="damaged"):
        read(packed)


def test_a_document_that_is_nested_too_deeply_fails_with_a_reason(tmp_path):
    path = word(tmp_path / "a.docx", "<w:tbl><w:tr><w:tc>" * 600 + "<w:p/>" + "</w:tc></w:tr></w:tbl>" * 600)

    with pytest.raises(UnreadableError, match="damaged"):
        read(path)


def test_a_part_with_bytes_of_no_encoding_fails_with_a_reason(tmp_path):
    path = word(tmp_path / "a.docx", "<w:p/>")
    with ZipFile(path, "a") as archive:
        archive.writestr("word/styles.xml", b"<w:styles>\xff\xfe</w:styles>")

    with pytest.raises(UnreadableError, match="damaged"):
        read(path)


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
