"""A message of a person, however it was saved: its headers, then what it says."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from selectolax.lexbor import LexborHTMLParser

from handlers.readers.markup.outline import Outline
from handlers.readers.markup.page import read_page
from handlers.readers.report import Report
from handlers.readers.section import Section, UnreadableError, clean

# S/MIME (RFC 8551) and OpenPGP (RFC 3156). What only has a signature beside it is `multipart/signed`.
SEALED_TYPES = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
MAX_FORWARDED = 20
Message = TypeVar("Message")


def with_forwarded(
    first: Message, attached: Callable[[Message], Iterable[Message | str]], report: Report
) -> Iterator[Message]:
    """The message and those that are forwarded in it, which are few: each may hold others. `attached` yields these,
    and the names of other attachments, of which the owner is warned at the end.
    """
    waiting, left_out = [first], list[str]()
    for number, one in enumerate(waiting):
        if number == MAX_FORWARDED:
            left_out.append(f"{len(waiting) - number} forwarded messages")
            break
        yield one
        for part in attached(one):
            if isinstance(part, str):
                left_out.append(part)
            else:
                waiting.append(part)
    if left_out:
        report.warn(f"Attachments were left out: {', '.join(left_out)}. Upload them as files of their own.")


def letter_outline(headers: Sequence[tuple[str, str]]) -> Outline:
    """Begins with the headers, named as people see them; the subject is the heading."""
    outline = Outline(clean(dict(headers).get("Subject", "")))
    outline.block("\n".join(f"{name}: {value}" for name, value in headers))
    return outline


def letter_sections(outline: Outline, body: str, *, is_page: bool) -> Iterator[Section]:
    """The headers and the body, which is HTML if `is_page`."""
    if is_page:
        yield from read_page(LexborHTMLParser(body), outline)
    else:
        yield from (section for one in body.replace("\r\n", "\n").split("\n\n") if (section := outline.block(one)))
    if last := outline.close():
        yield last


def damaged() -> UnreadableError:
    """The failure of a message that cannot be taken apart."""
    return UnreadableError("The e-mail is damaged: save it again and upload that.", code="broken")


def sealed() -> UnreadableError:
    """The failure of a message that only its receiver can open."""
    return UnreadableError(
        "The e-mail is encrypted: open it in your mail program, save its text as a file and upload that.",
        code="encrypted",
    )
