"""A message of a person, however it was saved: its headers, then what it says."""

from collections.abc import Iterator, Sequence

from selectolax.lexbor import LexborHTMLParser

from handlers.readers.markup.outline import Outline
from handlers.readers.markup.page import read_page
from handlers.readers.section import Section, UnreadableError, clean

# S/MIME (RFC 8551) and OpenPGP (RFC 3156). What only has a signature beside it is `multipart/signed`.
SEALED_TYPES = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")


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


def sealed() -> UnreadableError:
    """The failure of a message that only its receiver can open."""
    return UnreadableError(
        "The e-mail is encrypted: open it in your mail program, save its text as a file and upload that.",
        code="encrypted",
    )
