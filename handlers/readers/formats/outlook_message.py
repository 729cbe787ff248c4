"""A message that was saved in Outlook, without its attachments."""

import struct
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

from olefile import OleFileIO

from handlers.readers.markup.letter import (
    SEALED_TYPES,
    damaged,
    letter_outline,
    letter_sections,
    sealed,
    with_forwarded,
)
from handlers.readers.office.outlook import OutlookStorage
from handlers.readers.office.rich_text.compression import decompressed
from handlers.readers.office.rich_text.sections import rich_text_sections
from handlers.readers.report import NoReport, Report
from handlers.readers.section import Section

SUBJECT, SENDER, SENDER_ADDRESS, SENDER_SMTP = 0x0037, 0x0C1A, 0x0C1F, 0x5D01
TO, SENT, BODY, PAGE, RICH_TEXT = 0x0E04, 0x0039, 0x1000, 0x1013, 0x1009
LONG_NAME, SHORT_NAME, CONTENT_ID = 0x3707, 0x3704, 0x3712
HEADERS, CLASS = 0x007D, 0x001A
SEALED_CLASS = "IPM.Note.SMIME"


def read_outlook_message(path: Path, report: Report) -> Iterator[Section]:
    """The headers and the text, or the page if there is no text; then the same of each message that is forwarded in
    it. Other attachments are named in a warning. Raises `UnreadableError`.
    """
    try:
        with OleFileIO(path) as file:
            first = OutlookStorage(file)
            if _is_sealed(first):
                raise sealed()
            for message in with_forwarded(first, _attached, report):
                yield from _sections(message)
    # What olefile raises at damaged tables; its own error is an OSError.
    except (
        OSError,
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        AttributeError,
        struct.error,
        RecursionError,
    ) as error:
        raise damaged() from error
    report.progress(1, 1)


def _is_sealed(message: OutlookStorage) -> bool:
    headers = HeaderParser().parsestr(message.text(HEADERS))
    return message.text(CLASS) == SEALED_CLASS or headers.get_content_type() in SEALED_TYPES


def _attached(message: OutlookStorage) -> Iterator[OutlookStorage | str]:
    for attachment in message.attachments():
        if (inner := attachment.message()) is not None:
            yield inner
        elif not attachment.text(CONTENT_ID):  # else a picture in the text
            yield attachment.text(LONG_NAME) or attachment.text(SHORT_NAME) or "a file without a name"


def _sections(message: OutlookStorage) -> Iterator[Section]:
    sent = message.time(SENT)
    headers = (
        ("Subject", message.text(SUBJECT)),
        ("From", _sender(message)),
        ("To", message.text(TO)),
        ("Date", f"{sent:%a, %d %b %Y %H:%M:%S} +0000" if sent else ""),
    )
    outline = letter_outline([(name, value) for name, value in headers if value.strip()])
    text = message.text(BODY)
    if not text.strip() and (page := message.page(PAGE)):
        return letter_sections(outline, page, is_page=True)
    if not text.strip() and (packed := message.content(RICH_TEXT)):
        return rich_text_sections(decompressed(packed), outline, NoReport())
    return letter_sections(outline, text, is_page=False)


def _sender(message: OutlookStorage) -> str:
    name = message.text(SENDER)
    # Inside a company the address may be a path of its directory, which says nothing to others.
    given = (message.text(SENDER_SMTP), message.text(SENDER_ADDRESS))
    address = next((one for one in given if "@" in one), "")
    return f"{name} <{address}>" if name and address and name != address else name or address
