"""A saved e-mail: who wrote what when, without its attachments (RFC 5322)."""

from collections.abc import Iterator
from email import policy
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.parser import BytesParser
from pathlib import Path

from handlers.readers.markup.letter import SEALED_TYPES, letter_outline, letter_sections, sealed
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError

SHOWN_HEADERS = ("Subject", "From", "To", "Date")
MESSAGE = "message/rfc822"
MAX_FORWARDED = 20


def read_email_message(path: Path, report: Report) -> Iterator[Section]:
    """The headers and the text, or the page if there is no text; then the same of each message that is forwarded in
    it. Other attachments are named in a warning. Raises `UnreadableError`.
    """
    left_out: list[str] = []
    try:
        with path.open("rb") as file:
            message = BytesParser(policy=policy.default).parse(file)
        if message.get_content_type() in SEALED_TYPES:
            raise sealed()
        for one in _messages(message, left_out):
            yield from _sections(one)
    except (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError("The e-mail is damaged: save it again and upload that.", code="broken") from error
    if left_out:
        report.warn(f"Attachments were left out: {', '.join(left_out)}. Upload them as files of their own.")
    report.progress(1, 1)


def _messages(message: Message, left_out: list[str]) -> Iterator[EmailMessage]:
    """The message and those that are attached to it, which are few: each may hold others."""
    waiting = [message]
    for number, one in enumerate(waiting):
        if number == MAX_FORWARDED:
            left_out.append(f"{len(waiting) - number} forwarded messages")
            return
        assert isinstance(one, EmailMessage)
        yield one
        for part in one.iter_attachments():
            if part.get_content_type() == MESSAGE:
                waiting.append(part.get_content())
            else:
                left_out.append(part.get_filename() or part.get_content_type())


def _sections(message: EmailMessage) -> Iterator[Section]:
    headers = [(name, str(message[name])) for name in SHOWN_HEADERS if message[name]]
    body = message.get_body(("plain", "html"))
    text = str(body.get_content()) if body is not None else ""
    outline = letter_outline(headers)
    return letter_sections(outline, text, is_page=body is not None and body.get_content_subtype() == "html")
