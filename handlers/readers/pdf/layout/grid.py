"""Tables: whether the rows of a band are one, and its cells with their header."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from handlers.readers.pdf.drawn.word import Box
from handlers.readers.pdf.layout.bands import Band, Gutter, Row, gaps_of
from handlers.readers.pdf.layout.fragments import Fragment
from handlers.readers.pdf.layout.header import header_rows_of
from handlers.readers.pdf.layout.joining import joined
from handlers.readers.pdf.layout.rules import levels_of

PROSE_WORDS = 4.0
PROSE_CHINESE_CHARACTERS = 9
LOOSE_PITCH_EMS = 1.7
TOTAL = re.compile(r"\b(?:sub)?total|\b(?:sum|summe|gesamt|somme|totale?s?)\b", re.IGNORECASE)
MIN_RULES = 3
MIN_CELL_GAP_EMS = 0.5
SAME_EDGE_POINTS = 4.0
MIN_ALIGNED = 0.5
MIN_LIST_ROWS = 3
FIGURE = re.compile(r"[€$£+−-]?\s?\d")
LEADER = re.compile(r"(?:\. ?|…|_|·){4}")
WIDE_LETTER = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff01-\uffef]")


@dataclass(slots=True)
class Table:
    """`before` and `after`: rows that stand over and under it. `edges`: where its columns begin."""

    header: list[str] | None
    rows: list[list[str]]
    edges: list[float]
    before: list[Row]
    after: list[Row]


def table_of(band: Band, rules: Sequence[Box]) -> Table | None:
    """The table that the band is; None for columns of prose and for a few words side by side."""
    full = [at for at, row in enumerate(band.rows) if gaps_of(row)]
    if len(full) < 2 or any(LEADER.search(one.text) for at in full for one in band.rows[at]):
        return None
    inner = band.rows[full[0] : full[-1] + 1]
    levels = levels_of(inner, band.gutters, rules)
    is_ruled = len(levels) >= MIN_RULES
    if not is_ruled and (_is_list(band) or len(full) * 2 < len(inner)):
        return None
    if not levels and _is_prose(Band(inner, band.gutters)):
        return None
    gutters = _gutters(inner) or band.gutters
    last = full[-1] + 1
    while last < len(band.rows) and _hangs(band.rows, last, gutters):
        last += 1
    inner = band.rows[full[0] : last]
    if not is_ruled and not _is_aligned(Band(inner, gutters).columns()):
        return None
    grid = [_cells(row, gutters) for row in inner]
    header_rows = header_rows_of(inner, grid)
    grid[:header_rows] = [_cells(row, gutters, is_header=True) for row in inner[:header_rows]]
    header = [" ".join(filter(None, column)) for column in zip(*grid[:header_rows], strict=True)]
    before = band.rows[: full[0]]
    if len({name for name in header if name}) < len(list(filter(None, header))):
        # A title over several columns names none of them.
        header, before = [], band.rows[: full[0] + header_rows]
    rows = _filled_down(_merged(inner[header_rows:], grid[header_rows:], levels))
    edges = [inner[0][0].left, *(right for _, right in gutters)]
    return Table(header or None, rows, edges, before, band.rows[last:])


def _is_list(band: Band) -> bool:
    """Columns that go on in the next one, as those of an index do: drawn one by one, and no column holds figures."""
    drawn = band.drawn_columns()
    if not drawn or len(band.rows) < MIN_LIST_ROWS:
        return False
    return not any(
        sum(bool(FIGURE.match(one.text)) for one in column) * 2 > len(column) for column in band.columns()[1:]
    )


def _is_prose(band: Band) -> bool:
    columns = band.columns()
    lengths = [_mean_words([one.text for one in column]) for column in columns if column]
    wordy = [length for length in lengths if length >= PROSE_WORDS]
    if len(wordy) < 2 and not (wordy and _wraps(columns[lengths.index(wordy[0])])):
        return False
    pitches = [above[0].baseline - row[0].baseline for above, row in pairwise(band.rows)]
    is_loose = min(pitches) >= LOOSE_PITCH_EMS * band.size and all(len(row) == len(columns) for row in band.rows)
    return not (is_loose and len(band.rows) >= 3)


def _wraps(column: Row) -> bool:
    """Whether its lines go on in the next one, over and over."""
    pairs = list(pairwise(column))
    going_on = sum(after.text[:1].islower() and above.text[-1:] not in ".!?:" for above, after in pairs)
    return len(column) >= 4 and going_on * 2 >= len(pairs) and len({round(one.left) for one in column}) == 1


def _is_aligned(columns: list[Row]) -> bool:
    """Whether the cells of each column begin, end or lie one under the other."""
    for column in columns:
        edges = (
            Counter(round(one.left / SAME_EDGE_POINTS) for one in column),
            Counter(round(one.right / SAME_EDGE_POINTS) for one in column),
            Counter(round((one.left + one.right) / 2 / SAME_EDGE_POINTS) for one in column),
        )
        if max((count.most_common(1)[0][1] for count in edges if count), default=0) < MIN_ALIGNED * len(column):
            return False
    return True


def _mean_words(texts: Sequence[str]) -> float:
    words = 0.0
    for text in texts:
        wide = len(WIDE_LETTER.findall(text))
        words += wide * PROSE_WORDS / PROSE_CHINESE_CHARACTERS if wide * 2 > len(text) else len(text.split())
    return words / len(texts)


def _gutters(rows: list[Row]) -> list[Gutter]:
    """Those of the row with the most cells, which is the first one or not the only one; as narrow as the others ask."""
    counts = [len(gaps_of(row)) for row in rows]
    most = max(count for at, count in enumerate(counts) if at == 0 or counts.count(count) > 1 or len(rows) == 2)
    if most == 0:
        return []
    found = []
    for left, right in gaps_of(rows[counts.index(most)]):
        for row in rows:
            for gap in [*gaps_of(row), *_gaps_between_words(row, left, right)]:
                narrow = max(left, gap[0]), min(right, gap[1])
                if narrow[0] < narrow[1]:
                    left, right = narrow  # noqa: PLW2901
        found.append((left, right))
    return found


def _gaps_between_words(row: Row, left: float, right: float) -> list[Gutter]:
    """In fragments that reach over a gutter: two cells may stand as near to each other as words."""
    return [
        (word.box.right, after.box.left)
        for one in row
        if one.left < left and one.right > right
        for word, after in pairwise(one.words)
        if after.box.left - word.box.right >= MIN_CELL_GAP_EMS * one.size
    ]


def _cells(row: Row, gutters: Sequence[Gutter], *, is_header: bool = False) -> list[str]:
    """The texts by column. What reaches over several columns of a header names each of them."""
    cells = [""] * (len(gutters) + 1)
    middles = [(left + right) / 2 for left, right in gutters]
    for one in [part for fragment in row for part in _parts(fragment, middles)]:
        first = sum(middle < one.left + one.size / 4 for middle in middles)
        last = sum(middle < one.right - one.size / 4 for middle in middles)
        for column in range(first, max(first, last if is_header else first) + 1):
            cells[column] = f"{cells[column]} {one.text}".strip()
    return cells


def _parts(one: Fragment, middles: Sequence[float]) -> Iterator[Fragment]:
    """The fragment, cut where a gutter lies between two of its words."""
    start = 0
    for at, (word, after) in enumerate(pairwise(one.words), 1):
        gap = after.box.left - word.box.right
        if gap >= MIN_CELL_GAP_EMS * one.size and any(word.box.right <= middle <= after.box.left for middle in middles):
            yield one.part(start, at)
            start = at
    yield one.part(start, len(one.words)) if start else one


def _hangs(rows: list[Row], at: int, gutters: Sequence[Gutter]) -> bool:
    """Whether a row of one cell under the table is the second line of a cell in it, and not under the first column."""
    pitch = rows[at - 1][0].baseline - rows[at][0].baseline
    cells = _cells(rows[at], gutters)
    return not cells[0] and len([cell for cell in cells if cell]) == 1 and pitch <= 1.5 * rows[at][0].size


def _merged(rows: list[Row], grid: list[list[str]], levels: list[float]) -> list[list[str]]:
    """A row for each line of the table: the second line of a cell is part of its first."""
    merged: list[list[str]] = []
    is_ruled = all(
        _has_between(levels, above, row)
        for (above, row), cells in zip(pairwise(rows), grid[1:], strict=True)
        if cells[0]
    )
    for at, cells in enumerate(grid):
        above = rows[at - 1] if at else None
        if above is not None and (
            not _has_between(levels, above, rows[at]) if is_ruled and levels else _continues(above, rows[at], cells)
        ):
            merged[-1] = [joined(before, cell) for before, cell in zip(merged[-1], cells, strict=True)]
        else:
            merged.append(cells)
    return merged


def _filled_down(rows: list[list[str]]) -> list[list[str]]:
    """A cell that stands for the rows under it, too, is in each of them."""
    for above, cells in pairwise(rows):
        if len(cells) > 2 and not cells[0] and all(cells[1:]) and not any(TOTAL.search(cell) for cell in cells):
            cells[0] = above[0]
    return rows


def _has_between(levels: list[float], above: Row, row: Row) -> bool:
    return any(row[0].baseline < level < above[0].baseline for level in levels)


def _continues(above: Row, row: Row, cells: list[str]) -> bool:
    if cells[0] or above[0].baseline - row[0].baseline > 1.5 * row[0].size:
        return False
    filled = [cell for cell in cells if cell]
    return len(filled) < max(2, len(cells) - 1) and not any(re.fullmatch(r"[\d.,]+\s?\S?", cell) for cell in filled)
