"""A saved e-mail: who wrote what when, without its attachments (RFC 5322)."""

from collections.abc import Iterator
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from handlers.readers.markup.outline import Outline
from handlers.readers.markup.page import read_page
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError, clean

SHOWN_HEADERS = ("Subject", "From", "To", "Date")


def read_email_message(path: Path, report: Report) -> Iterator[Section]:
    """The headers and the text, or the page if there is no text. Attachments are named in a warning.

    Raises `UnreadableError`.
    """
    try:
        with path.open("rb") as file:
            message = BytesParser(policy=policy.default).parse(file)
        assert isinstance(message, EmailMessage)
        headers = [f"{name}: {message[name]}" for name in SHOWN_HEADERS if message[name]]
        body = message.get_body(("plain", "html"))
        text = str(body.get_content()) if body is not None else ""
        attached = [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]
    except (MessageError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableError("The e-mail is damaged: save it again and upload that.", code="broken") from error
    outline = Outline(clean(str(message["Subject"] or "")))
    outline.block("\n".join(headers))
    if body is not None and body.get_content_subtype() == "html":
        yield from read_page(LexborHTMLParser(text), outline)
    else:
        yield from (section for one in text.replace("\r\n", "\n").split("\n\n") if (section := outline.block(one)))
    if last := outline.close():
        yield last
    if attached:
        report.warn(f"Attachments were left out: {', '.join(attached)}. Upload them as files of their own.")
    report.progress(1, 1)
