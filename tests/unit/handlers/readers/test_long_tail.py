"""EPUB, e-mails and notebooks."""

import json
from email.message import EmailMessage
from zipfile import ZipFile

import pytest

from handlers.readers.section import UnreadableError
from tests.unit.handlers.readers.reading import read, read_content


def zipped(path, **entries):
    with ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


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


def test_a_message_that_is_forwarded_in_another_is_read(tmp_path):
    inner, outer = EmailMessage(), EmailMessage()
    inner["Subject"], outer["Subject"] = "Gate", "Fwd"
    inner.set_content("<p>The code is 4711.</p>", subtype="html")
    outer.set_content("See below.")
    outer.add_attachment(inner)
    sections, warnings = read_content(tmp_path, "a.eml", bytes(outer))

    assert [section.heading for section in sections] == ["Fwd", "Gate"]
    assert "The code is 4711." in sections[1].text
    assert warnings == []


def test_forwarded_messages_that_are_too_many_are_told(tmp_path):
    outer = EmailMessage()
    outer.set_content("See below.")
    for number in range(25):
        inner = EmailMessage()
        inner.set_content(f"Code {number}.")
        outer.add_attachment(inner)
    sections, warnings = read_content(tmp_path, "a.eml", bytes(outer))

    assert len(sections) == 20
    assert "6 forwarded messages" in warnings[0]


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
