"""Passages of documents: as a search finds them, and as an answer cites them."""

from schemas.shape import Shape


class Passage(Shape):
    """A chunk once retrieved, with the anchors a citation needs: `page` counts from 1, `page_end` is the last
    of several.
    """

    document_id: str
    title: str
    text: str
    score: float
    page: int | None = None
    page_end: int | None = None
    row: int | None = None
    heading: str | None = None


class Source(Shape):
    """A passage as the visitor sees it; `n` is the number citations use, from 1."""

    n: int
    document_id: str
    title: str
    page: int | None = None
    page_end: int | None = None
    row: int | None = None
    heading: str | None = None
    snippet: str
    score: float
