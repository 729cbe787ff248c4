"""A saved e-mail: who wrote what when, without its attachments (RFC 5322)."""

from collections.abc import Iterator
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from handlers.readers.markup.letter import (
    SEALED_TYPES,
    damaged,
    letter_outline,
    letter_sections,
    sealed,
    with_forwarded,
)
from handlers.readers.report import Report
from handlers.readers.section import Section

SHOWN_HEADERS = ("Subject", "From", "To", "Date")
MESSAGE = "message/rfc822"


def read_email_message(path: Path, report: Report) -> Iterator[Section]:
    """The headers and the text, or the page if there is no text; then the same of each message that is forwarded in
    it. Other attachments are named in a warning. Raises `UnreadableError`.
    """
    try:
        with path.open("rb") as file:
            message = BytesParser(policy=policy.default).parse(file)
        if message.get_content_type() in SEALED_TYPES:
            raise sealed()
        for one in with_forwarded(message, _attached, report):
            yield from _sections(one)
    except (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise damaged() from error
    report.progress(1, 1)


def _attached(message: EmailMessage) -> Iterator[EmailMessage | str]:
    for part in message.iter_attachments():
        is_message = part.get_content_type() == MESSAGE
        yield part.get_content() if is_message else part.get_filename() or part.get_content_type()


def _sections(message: EmailMessage) -> Iterator[Section]:
    headers = [(name, str(message[name])) for name in SHOWN_HEADERS if message[name]]
    body = message.get_body(("plain", "html"))
    text = str(body.get_content()) if body is not None else ""
    outline = letter_outline(headers)
    return letter_sections(outline, text, is_page=body is not None and body.get_content_subtype() == "html")
