"""EPUB, OpenDocument, e-mails and notebooks."""

import json
from email.message import EmailMessage
from zipfile import ZipFile

import pytest

from handlers.readers.section import UnreadableError
from tests.unit.handlers.readers.reading import read, read_content

OASIS = "urn:oasis:names:tc:opendocument:xmlns"
CONTENT = (
    f'<office:document-content xmlns:office="{OASIS}:office:1.0" xmlns:text="{OASIS}:text:1.0" '
    f'xmlns:table="{OASIS}:table:1.0" xmlns:draw="{OASIS}:drawing:1.0"><office:body>{{}}</office:body>'
    "</office:document-content>"
)


def zipped(path, **entries):
    with ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def open_document(tmp_path, body, name="a.odt"):
    return read(zipped(tmp_path / name, **{"content.xml": CONTENT.format(body)}))[0]


def row(*cells):
    return (
        "<table:table-row>"
        + "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        + "</table:table-row>"
    )


def test_the_chapters_of_a_book_are_read_in_their_order(tmp_path):
    path = zipped(
        tmp_path / "a.epub",
        **{
            "META-INF/container.xml": '<container xmlns="c"><rootfile full-path="OEBPS/book.opf"/></container>',
            "OEBPS/book.opf": (
                '<package xmlns="o"><manifest><item id="b" href="two.xhtml"/>'
                '<item id="a" href="one%20.xhtml"/></manifest>'
                '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
            ),
            "OEBPS/one .xhtml": "<html><body><h1>One</h1><p>First.</p><script>no</script></body></html>",
            "OEBPS/two.xhtml": "<html><body><h1>Two</h1><p>Second.</p></body></html>",
        },
    )

    assert [(one.heading, one.text) for one in read(path)[0]] == [("One", "First.\n"), ("Two", "Second.\n")]


def test_a_text_of_libreoffice_has_headings_lists_notes_and_tables(tmp_path):
    body = (
        "<office:text><text:tracked-changes><text:p>old</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">Top'
        "</text:h><text:p>A<text:s/>b<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Note."
        "</text:p></text:note-body></text:note>.</text:p><text:list><text:list-item><text:p>One</text:p></text:list-item>"
        f"</text:list><table:table>{row('Boat', 'Day', 'Week')}{row('Canoe', '9', '50')}</table:table></office:text>"
    )

    [section] = open_document(tmp_path, body)
    assert (section.heading, section.text) == (
        "Top", "A b (Note.).\n- One\n\nBoat: Canoe; Day: 9; Week: 50\n",
    )  # fmt: skip


def test_sheets_and_slides_are_headings(tmp_path):
    sheet = f'<table:table table:name="Prices">{row("Item", "Price")}{row("Tent", "20")}</table:table>'
    box = "<draw:frame><draw:text-box><text:p>Hello</text:p></draw:text-box></draw:frame>"
    slide = f'<draw:page draw:name="page1">{box}</draw:page>'

    [prices] = open_document(tmp_path, f"<office:spreadsheet>{sheet}</office:spreadsheet>", "a.ods")
    [page] = open_document(tmp_path, f"<office:presentation>{slide}</office:presentation>", "a.odp")
    assert (prices.heading, prices.text) == ("Prices", "Item: Tent; Price: 20\n")
    assert (page.heading, page.text) == ("page1", "Hello\n")


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_an_email_is_read_with_its_headers_and_without_its_attachments(tmp_path, kind):
    message = EmailMessage()
    message["Subject"], message["From"], message["Date"] = (
        "Päckchen",
        "ada@x.example",
        "Fri, 27 Nov 2026 10:00:00 +0000",
    )
    message.set_content("It leaves at 16:20." if kind == "plain" else "<p>It leaves at 16:20.</p>", subtype=kind)
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="bill.pdf")
    sections, warnings = read_content(tmp_path, "a.eml", bytes(message))
    text = "".join(section.text for section in sections)

    assert "Subject: Päckchen\nFrom: ada@x.example" in text
    assert text.endswith("It leaves at 16:20.\n")
    assert "bill.pdf" in warnings[0]


def test_a_notebook_is_its_text_its_code_and_its_output(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["# Top\n", "Some **text**."]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"text": ["1\n"]}]},
    ]
    [section] = read_content(tmp_path, "a.ipynb", json.dumps({"cells": cells}))[0]

    assert (section.heading, section.text) == ("Top", "Some text.\n\nprint(1)\n\n1\n")


@pytest.mark.parametrize(("name", "content"), [("a.ipynb", "{}"), ("a.ipynb", "[")])
def test_a_damaged_notebook_fails_with_a_reason(tmp_path, name, content):
    with pytest.raises(UnreadableError, match="damaged"):
        read_content(tmp_path, name, content)
