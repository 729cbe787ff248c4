"""Messages of Outlook, and what messages of all kinds have in common."""

import struct
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.readers.office.rich_text.compression import decompressed
from handlers.readers.section import UnreadableError
from schemas.formats import UnknownFormatError, format_of
from tests.support.outlook_files import compound_file, outlook_message
from tests.unit.handlers.readers.reading import read_content

SENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
WINDOWS_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
BILL = {"__properties_version1.0": bytes(8), "__substg1.0_3707001F": "bill.pdf".encode("utf-16-le")}
PICTURE = {**BILL, "__substg1.0_3712001F": "logo@x".encode("utf-16-le")}
HOURS = {"p0037": "Hours", "p0C1A": "Ann Lee", "p5D01": "ann@x.example", "p0E04": "Bob"}

HTML_IN_RICH_TEXT = (
    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}}{\*\generator x;}"
    rb"{\*\htmltag64 <html>}{\*\htmltag50 <body>}{\*\htmltag72 <p>}\htmlrtf {\htmlrtf0 Gr\'fc\'dfe "
    rb"{\*\htmltag84 <b>}\htmlrtf {\b\htmlrtf0 aus{\*\htmltag92 </b>}\htmlrtf }\htmlrtf0  K\'f6ln"
    rb"{\*\htmltag80 </p>}\htmlrtf \par}\htmlrtf0"
    rb"{\*\htmltag58 </body>}}"
)


def packed(content: bytes) -> bytes:
    """As Outlook compresses it, with letters only; ends with the reference that means the end."""
    out = bytearray()
    for at in range(0, len(content), 8):
        part = content[at : at + 8]
        is_last = at + 8 >= len(content)
        out.append(1 << len(part) if is_last and len(part) < 8 else 0)
        out += part
    at = (207 + len(content)) % 4096
    end = struct.pack(">H", at << 4)
    out += end if len(content) % 8 else b"\x01" + end
    return struct.pack("<IIII", len(out) + 12, len(content), 0x75465A4C, 0) + bytes(out)


def read_message(tmp_path, **streams):
    return read_content(tmp_path, "a.msg", compound_file(outlook_message(**streams)))


def test_a_message_of_outlook_is_read_with_its_headers(tmp_path):
    ticks = (SENT - WINDOWS_EPOCH) // timedelta(microseconds=1) * 10
    sections, warnings = read_message(
        tmp_path, **HOURS, p1000="We open at 9.\r\n\r\nWe close at 17:30.", numbers={0x0039_0040: ticks},
        attachments=(BILL, PICTURE),
    )  # fmt: skip

    assert [one.heading for one in sections] == ["Hours"]
    assert sections[0].text == (
        "Subject: Hours\nFrom: Ann Lee <ann@x.example>\nTo: Bob\nDate: Wed, 04 Mar 2026 05:06:07 +0000\n\n"
        "We open at 9.\n\nWe close at 17:30.\n"
    )
    assert warnings == ["Attachments were left out: bill.pdf. Upload them as files of their own."]


@pytest.mark.parametrize(
    ("streams", "numbers"),
    [
        ({"p1013_0102": "<p>Grüße aus <b>Köln</b></p>".encode("cp1252")}, {0x3FDE_0003: 1252}),
        ({"p1013_0102": "<p>Grüße aus <b>Köln</b></p>".encode()}, {0x3FDE_0003: 65001}),
        ({"p1013": "<p>Grüße aus <b>Köln</b></p>"}, {}),
        ({"p1000_001E": "Grüße aus Köln".encode("cp1252")}, {0x3FFD_0003: 1252}),
        ({"p1009_0102": packed(rb"{\rtf1\ansi\ansicpg1252 Gr\'fc\'dfe aus K\'f6ln\par}")}, {}),
        ({"p1009_0102": struct.pack("<IIII", 0, 40, 0x414C454D, 0) + rb"{\rtf1 Gr\'fc\'dfe aus K\'f6ln\par}"}, {}),
        ({"p1009_0102": packed(HTML_IN_RICH_TEXT)}, {}),
    ],
    ids=[
        "page_in_code_page",
        "page_in_utf_8",
        "page_as_text",
        "text_in_code_page",
        "rich_text",
        "rich_text_stored",
        "page_in_rich_text",
    ],
)  # fmt: skip
def test_every_kind_of_body_is_read(tmp_path, streams, numbers):
    sections, _ = read_message(tmp_path, **HOURS, **streams, numbers=numbers)

    assert sections[0].text.rstrip().endswith("\n\nGrüße aus Köln")


def test_a_long_message_and_one_forwarded_in_it_are_read(tmp_path):
    inner = outlook_message(is_inner=True, p0037="Gate", p1000="The code is 4711.")
    forwarded = {"__properties_version1.0": bytes(8), "__substg1.0_3701000D": inner}
    long = "Wait. " * 2_000
    sections, warnings = read_message(tmp_path, p0037="Fwd", p1000=f"{long}See below.", attachments=(forwarded,))

    assert [section.heading for section in sections] == ["Fwd", "Gate"]
    assert "See below." in sections[0].text
    assert "The code is 4711." in sections[1].text
    assert warnings == []


def test_an_encrypted_message_says_what_to_do(tmp_path):
    mail = EmailMessage()
    mail["Content-Type"] = 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b'
    sealed = compound_file(outlook_message(p0037="Hi", p001A="IPM.Note.SMIME"))
    by_headers = compound_file(outlook_message(p007D="Content-Type: application/pkcs7-mime; name=smime.p7m\r\n"))

    for name, content in (("a.eml", bytes(mail)), ("b.msg", sealed), ("c.msg", by_headers)):
        with pytest.raises(UnreadableError, match="encrypted") as raised:
            read_content(tmp_path, name, content)
        assert raised.value.code == "encrypted"


def test_a_message_of_outlook_is_known_by_its_content_and_old_office_files_are_refused(tmp_path):
    message, word = tmp_path / "a", tmp_path / "b"
    message.write_bytes(compound_file(outlook_message(**HOURS)))
    word.write_bytes(compound_file({"WordDocument": b"x" * 5_000}))

    with message.open("rb") as file:
        assert format_of(file, "a", "").name == "outlook_message"
    with word.open("rb") as file, pytest.raises(UnknownFormatError, match="Office 2003"):
        format_of(file, "b.doc", "")


@given(st.data())
def test_a_damaged_message_is_a_sentence(tmp_path_factory, data):
    content = bytearray(compound_file(outlook_message(**HOURS, p1000="x" * 3_000, attachments=(BILL,))))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(600, len(content))) :]
    with suppress(UnreadableError):
        read_content(tmp_path_factory.mktemp("m"), "a.msg", bytes(content))


@given(st.binary(max_size=300))
def test_any_bytes_decompress_to_a_bounded_text_or_are_refused(content):
    with suppress(ValueError):
        assert len(decompressed(struct.pack("<IIII", 0, 2**31, 0x75465A4C, 0) + content)) <= 17 * len(content)
