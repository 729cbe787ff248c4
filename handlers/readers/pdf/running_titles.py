"""Running headers and footers: lines at the edge of a page that come again on the pages around it."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handlers.readers.pdf.content import PageContent
from handlers.readers.pdf.layout.bands import Row, rows_of
from handlers.readers.pdf.layout.fragments import Fragment

WINDOW_PAGES = 6
MIN_PAGES = 3
MIN_SHARE = 0.6
MIN_TAKEN = 0.7
MARGIN_SHARE = 0.07
EDGE_SHARE = 0.13
NUMBER_EDGE_SHARE = 0.2
MAX_EDGE_ROWS = 4
GAP_EMS = 1.7
SMALLER = 0.92
MAX_LARGER = 1.15
SAME_HEIGHT_POINTS = 5.0
MIN_TITLE_WORDS = 3
NUMBER = re.compile(r"\d+|\b[ivxlc]+\b")
BARE_NUMBER = re.compile(r"\W*(?:\d{1,4}|[ivxlc]{1,6})\W*")
PAGE_WORD = re.compile(
    r"\b(?:page|seite|pagina|página|side|sida|sivu|strona|strana|oldal|blatt|folio|p|pg|s|стр\w*)\b\.?|[页頁ページ]|^\W*#",
    re.IGNORECASE,
)
ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


@dataclass(frozen=True, slots=True)
class _Edge:
    """A fragment that may be a part of a running title. `text`: with `#` for each number."""

    page: int
    text: str
    numbers: tuple[int, ...]
    distance: float
    key: int


def without_running_titles(pages: Iterable[PageContent], total: int) -> Iterator[PageContent]:
    """The pages without them; of two pages they are kept beside the text. Holds the pages that it looks ahead."""
    seen: deque[list[_Edge]] = deque(maxlen=2 * WINDOW_PAGES + 1)
    waiting: deque[tuple[PageContent, list[_Edge]]] = deque()
    for page in pages:
        edges = _edges(page)
        seen.append(edges)
        waiting.append((page, edges))
        if len(waiting) > WINDOW_PAGES:
            yield _stripped(*waiting.popleft(), seen, total)
    while waiting:
        yield _stripped(*waiting.popleft(), seen, total)


def _stripped(page: PageContent, edges: list[_Edge], seen: Iterable[list[_Edge]], total: int) -> PageContent:
    others = [other for one in seen for other in one if other.page != page.number]
    running = {edge.key for edge in edges if _is_running(edge, others, total)}
    if total < MIN_PAGES:
        page.titles = [one.text for one in page.fragments if id(one) in running]
    page.fragments = [one for one in page.fragments if id(one) not in running]
    return page


def _is_running(edge: _Edge, others: list[_Edge], total: int) -> bool:
    near = [other for other in others if abs(other.distance - edge.distance) <= SAME_HEIGHT_POINTS]
    pages = 1 + len({other.page for other in near if other.text == edge.text and _agrees(edge, other)})
    if pages >= MIN_PAGES or (pages >= 2 and pages >= MIN_SHARE * total):
        return True
    around = 1 + len({other.page for other in others})
    taken = 1 + len({other.page for other in near})
    if pages >= 2 and taken >= max(MIN_PAGES, MIN_TAKEN * around):
        return True
    numbered = {other.page for other in near if _is_title(edge) and _is_title(other) and _counts_pages(edge, other)}
    return len(numbered) + 1 >= MIN_PAGES + 1


def _agrees(edge: _Edge, other: _Edge) -> bool:
    """The same line, but for a number that goes up with the pages."""
    step = other.page - edge.page
    is_bare = not re.search(r"[^\W\d_]", edge.text.replace("#", ""))
    may_count = is_bare or PAGE_WORD.search(edge.text) or _is_title(edge)
    changes = [theirs - ours for ours, theirs in zip(edge.numbers, other.numbers, strict=True)]
    if is_bare and edge.numbers:
        return step in changes and all(change in {0, step} for change in changes)
    return all(change == 0 or (may_count and change == step) for change in changes)


def _is_title(edge: _Edge) -> bool:
    return len(edge.text.split()) >= MIN_TITLE_WORDS and (edge.text.startswith("#") or edge.text.endswith("#"))


def _counts_pages(edge: _Edge, other: _Edge) -> bool:
    step = other.page - edge.page
    at = (0 if edge.text.startswith("#") else -1, 0 if other.text.startswith("#") else -1)
    return other.numbers[at[1]] - edge.numbers[at[0]] == step


def _edges(page: PageContent) -> list[_Edge]:
    rows = rows_of(page.fragments)
    if not rows:
        return []
    sizes = sorted(one.size for row in rows for one in row for _ in one.words)
    body = sizes[len(sizes) // 2]
    height = page.box.top - page.box.bottom
    top = [(row, page.box.top - row[0].baseline) for row in rows]
    bottom = [(row, row[0].baseline - page.box.bottom) for row in reversed(rows)]
    return [
        _edge(page.number, one, distance)
        for side in (top, bottom)
        for row, distance in _apart(side, height)
        if _is_marginal(row, distance / height, body)
        for one in row
    ]


def _apart(rows: list[tuple[Row, float]], height: float) -> list[tuple[Row, float]]:
    """The outermost rows, as far as a gap sets them off from the text."""
    count = 0
    for at, (row, distance) in enumerate(rows[:MAX_EDGE_ROWS]):
        if distance > NUMBER_EDGE_SHARE * height:
            break
        if at + 1 == len(rows):
            count = 1 if at == 0 else count
            break
        below, its_distance = rows[at + 1]
        if its_distance - distance >= GAP_EMS * max(row[0].size, below[0].size):
            count = at + 1
    return rows[:count]


def _is_marginal(row: Row, share: float, body: float) -> bool:
    """Whether it stands where only a running title does; with a page number or small letters it may be further in."""
    size = max(one.size for one in row)
    has_number = any(BARE_NUMBER.fullmatch(one.text) for one in row)
    if has_number and len(row) == 1:
        return share <= NUMBER_EDGE_SHARE
    if has_number or size <= SMALLER * body:
        return share <= EDGE_SHARE
    return share <= MARGIN_SHARE and size <= MAX_LARGER * body


def _edge(page: int, one: Fragment, distance: float) -> _Edge:
    numbers = tuple(int(found) if found.isdigit() else _roman(found) for found in NUMBER.findall(one.text))
    text = " ".join(NUMBER.sub("#", one.text).split())
    return _Edge(page, text, numbers, distance, id(one))


def _roman(text: str) -> int:
    values = [ROMAN[letter] for letter in text]
    return sum(-value if value < max(values[at:]) else value for at, value in enumerate(values))
