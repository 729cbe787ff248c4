"""Pages as text: a sentence stays with the page where it begins, a table keeps its header on the next page."""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from handlers.readers.pdf.content import PageContent
from handlers.readers.pdf.drawn.legibility import without_private
from handlers.readers.pdf.layout.joining import joined
from handlers.readers.pdf.layout.paragraphs import Paragraph, goes_on
from handlers.readers.pdf.layout.reading_order import paragraphs_of
from handlers.readers.section import clean
from handlers.readers.text.tables import table_lines

SMALLER = 0.92
SAME_EDGE_POINTS = 12.0
# The stop after a short word is an abbreviation more often than an end.
SENTENCE_END = re.compile(
    r"(?<![ .][A-Za-z])(?<!\b[A-Z][a-z])(?<!\bca)(?<!\bNo)[.!?…][\"'”’»)\]]*(?=\s+[^a-z]|$)|[。！？][”’」』）]*"
)


@dataclass(slots=True)
class Page:
    """A page in its reading order. `extra`: lines that belong to no sentence of it."""

    number: int
    paragraphs: list[Paragraph]
    extra: list[str]

    @property
    def text(self) -> str:
        """Each row of a table ends its line; a blank line stands between paragraphs."""
        extra = (f"\n{line}\n" if at == 0 else f"{line}\n" for at, line in enumerate(self.extra))
        return _shown("".join((*map(_lines_of, self.paragraphs), *extra))).rstrip()

    @property
    def page_starts(self) -> tuple[tuple[int, int], ...]:
        """Where the text of each page begins; nothing unless the last sentence goes on over the page."""
        if not any(paragraph.page_starts for paragraph in self.paragraphs):
            return ()
        starts = [(0, self.number)]
        before = ""
        for paragraph in self.paragraphs:
            lines = _lines_of(paragraph)
            first = lines.find(paragraph.text)
            starts.extend((len(_shown(before + lines[: first + at])), page) for at, page in paragraph.page_starts)
            before += lines
            if paragraph.page_starts:
                starts.append((len(_shown(before)), self.number))
        return tuple(starts)


def _lines_of(paragraph: Paragraph) -> str:
    if paragraph.table is not None:
        lines = table_lines(paragraph.table.header, paragraph.table.rows)
        return "\n" + "".join(f"{line}\n" for line in lines)
    if not paragraph.text.strip():
        return ""
    return f"\n{paragraph.text}\n" if paragraph.is_apart else f"{paragraph.text}\n"


def _shown(text: str) -> str:
    return without_private(clean(text)).lstrip()


def page_of(content: PageContent) -> Page:
    """The page with its paragraphs; what runs in another direction comes after the rest."""
    paragraphs = paragraphs_of(content.fragments, content.rules)
    for aside in content.aside:
        paragraphs.extend(paragraphs_of(aside, []))
    plain = [Paragraph(content.plain)] if content.plain else []
    return Page(content.number, plain or paragraphs, [*content.notes, *content.values, *content.titles])


def joined_pages(pages: Iterable[Page]) -> Iterator[Page]:
    """The pages, each once no later one can add to it."""
    waiting: deque[Page] = deque()
    for page in pages:
        if not page.paragraphs:
            waiting.append(page)
            continue
        if waiting:
            _carry_over(waiting[0], page)
        if page.paragraphs:
            yield from waiting
            waiting.clear()
        waiting.append(page)
    yield from waiting


def _carry_over(before: Page, after: Page) -> None:
    last, first = _last_of_body(before), after.paragraphs[0]
    if last is None:
        return
    if last.table is not None and first.table is not None:
        _carry_header(last, first)
    elif goes_on(last, first):
        end = SENTENCE_END.search(first.text)
        at = end.end() if end else len(first.text)
        last.text = joined(last.text, first.text[:at])
        last.page_starts.append((len(last.text) - at, after.number))
        rest = first.text[at:].lstrip()
        last.is_full = first.is_full and not rest
        after.paragraphs[:1] = [replace(first, text=rest)] if rest else []


def _last_of_body(page: Page) -> Paragraph | None:
    """The footnotes are not the end of the text."""
    if not page.paragraphs:
        return None
    sizes = Counter[float]()
    for one in page.paragraphs:
        sizes[round(one.size, 1)] += len(one.text) or 100
    body = sizes.most_common(1)[0][0]
    return next((one for one in reversed(page.paragraphs) if one.size >= SMALLER * body), page.paragraphs[-1])


def _carry_header(before: Paragraph, after: Paragraph) -> None:
    upper, lower = before.table, after.table
    assert upper is not None
    assert lower is not None
    is_same = len(upper.edges) == len(lower.edges) and all(
        abs(one - other) <= SAME_EDGE_POINTS for one, other in zip(upper.edges, lower.edges, strict=True)
    )
    if not is_same or upper.header is None or lower.before or lower.header == upper.header:
        return
    rows = lower.rows if lower.header is None else [lower.header, *lower.rows]
    after.table = replace(lower, header=upper.header, rows=rows)
