"""Fragments to rows, and rows to bands: stretches of a page whose rows leave the same gutters free."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from handlers.readers.pdf.layout.fragments import Fragment

SAME_ROW_EMS = 0.35
MIN_GUTTER_EMS = 0.8
MAX_DISTANCE_EMS = 3.5
MAX_PITCH_GROWTH = 2.0
COMPARED_ROWS = 60
FAR_EMS = 1.7
SAME_EDGE_POINTS = 4.0
LONG_LINE_CHARACTERS = 15
CELL_CHARACTERS = 30
MAX_RISE_EMS = 1.6
LINE_RISE_EMS = 0.8
FAR_RISE_EMS = 3.0
MAX_RISING = 0.2
MAX_RETURNING = 0.16
Row = list[Fragment]
Gutter = tuple[float, float]


@dataclass(slots=True)
class Band:
    """Rows from top to bottom. `gutters` are empty where the rows stand alone, over the whole width."""

    rows: list[Row] = field(default_factory=list)
    gutters: list[Gutter] = field(default_factory=list)

    @property
    def size(self) -> float:
        """The usual size of the letters."""
        sizes = sorted(one.size for row in self.rows for one in row)
        return sizes[len(sizes) // 2]

    def columns(self, gutters: Sequence[Gutter] = ()) -> list[list[Fragment]]:
        """The fragments between the gutters, from left to right."""
        middles = [(left + right) / 2 for left, right in gutters or self.gutters]
        found: list[list[Fragment]] = [[] for _ in range(len(middles) + 1)]
        for row in self.rows:
            for one in row:
                found[sum(middle < (one.left + one.right) / 2 for middle in middles)].append(one)
        return found

    def drawn_columns(self) -> list[Gutter]:
        """The gutters whose left side was drawn before all of their right side."""
        found = []
        for gutter in self.gutters:
            left, right = self.columns([gutter])
            if left and right and max(one.place for one in left) < min(one.place for one in right):
                found.append(gutter)
        return found


def rows_of(fragments: Iterable[Fragment]) -> list[Row]:
    """What shares a baseline, from the top; each row from left to right.

    The order of the file is kept where it goes down the page: in formulas and drawings it says more than the place.
    """
    in_order = sorted(fragments, key=lambda fragment: fragment.place)
    if _goes_down(in_order):
        return _rows(in_order, is_sorted=True)
    return _rows(sorted(in_order, key=lambda fragment: -fragment.baseline), is_sorted=False)


def _goes_down(fragments: Sequence[Fragment]) -> bool:
    """Whether few fragments are drawn after one that is read later. Short ones may be parts of a formula."""
    lowest, rises, long_lines = float("inf"), 0, 0
    for one in fragments:
        if len(one.text) < LONG_LINE_CHARACTERS:
            continue
        rise = (one.baseline - lowest) / one.size
        if rise > FAR_RISE_EMS:
            return False
        rises += rise > LINE_RISE_EMS
        long_lines += 1
        lowest = min(lowest, one.baseline)
    if _stands_beside([one for one in fragments if len(one.text) < CELL_CHARACTERS]):
        return False
    returns = sum(_returns(before, one) for before, one in pairwise(fragments))
    return rises <= MAX_RISING * long_lines and returns <= MAX_RETURNING * len(fragments)


def _stands_beside(fragments: Sequence[Fragment]) -> bool:
    """Whether a part of them lies to the right of all that were drawn before, and begins higher than these end."""
    lefts = list(accumulate((one.left for one in reversed(fragments)), min))[::-1]
    tops = list(accumulate((one.baseline for one in reversed(fragments)), max))[::-1]
    right, bottom = float("-inf"), float("inf")
    for at, one in enumerate(fragments):
        if at and lefts[at] > right and tops[at] > bottom + MAX_RISE_EMS * one.size:
            return True
        right, bottom = max(right, one.right), min(bottom, one.baseline)
    return False


def _returns(before: Fragment, one: Fragment) -> bool:
    """Whether a fragment stands over the one that was drawn before it, or to the left of it in its line."""
    rise = one.baseline - before.baseline
    is_left = abs(rise) <= SAME_ROW_EMS * one.size and one.right < before.left
    return is_left or rise > MAX_RISE_EMS * one.size


def _rows(fragments: Sequence[Fragment], *, is_sorted: bool) -> list[Row]:
    rows: list[Row] = []
    for one in fragments:
        row = rows[-1] if rows else None
        if (
            row
            and abs(row[0].baseline - one.baseline) <= SAME_ROW_EMS * min(row[0].size, one.size)
            and not (is_sorted and one.left < row[-1].left)
        ):
            row.append(one)
        else:
            rows.append([one])
    for row in rows:
        row.sort(key=lambda fragment: fragment.left)
    return rows


def bands_of(rows: Iterable[Row]) -> list[Band]:
    """The bands from the top."""
    bands: list[Band] = []
    for row in rows:
        band = bands[-1] if bands else None
        gaps = gaps_of(row)
        if band is None or not _takes(band, row):
            if band is not None and not band.gutters and (beside := _beside(band.rows[-1], row)):
                first = band.rows.pop()
                bands[:] = [one for one in bands if one.rows]
                bands.append(Band([first, row], beside))
            else:
                bands.append(Band([row], gaps))
        else:
            band.rows.append(row)
            if band.gutters:
                band.gutters = _left_free(band.gutters, row)
    return bands


def gaps_of(row: Row) -> list[Gutter]:
    """Between the fragments of a row, where it is wide enough for a gutter."""
    gaps = []
    right = row[0].right
    for one in row[1:]:
        if one.left - right >= MIN_GUTTER_EMS * one.size:
            gaps.append((right, one.left))
        right = max(right, one.right)
    return gaps


def _takes(band: Band, row: Row) -> bool:
    last = band.rows[-1]
    if not band.gutters:
        return not gaps_of(row) and not _beside(last, row)
    distance = last[0].baseline - row[0].baseline
    if distance > MAX_DISTANCE_EMS * max(last[0].size, row[0].size):
        return False
    if len(band.rows) == 1 and distance > FAR_EMS * last[0].size and not _share_an_edge(last, row):
        return False
    pitches = [above[0].baseline - below[0].baseline for above, below in pairwise(band.rows[-COMPARED_ROWS:])]
    if len(pitches) > 1 and distance > MAX_PITCH_GROWTH * max(*pitches, row[0].size):
        return False
    return bool(_left_free(band.gutters, row))


def _share_an_edge(above: Row, row: Row) -> bool:
    """Whether a cell after the first begins, ends or lies under one of the row above."""
    edges = [(one.left, one.right, (one.left + one.right) / 2) for one in above[1:]]
    return any(
        abs(theirs - ours) <= SAME_EDGE_POINTS
        for one in row
        for cell in edges
        for theirs, ours in zip(cell, (one.left, one.right, (one.left + one.right) / 2), strict=True)
    )


def _beside(above: Row, row: Row) -> list[Gutter]:
    """The gutter between two rows that stand beside each other because their baselines differ a little."""
    size = max(above[0].size, row[0].size)
    if above[0].baseline - row[0].baseline > 0.8 * size:
        return []
    first, second = (above, row) if above[0].left < row[0].left else (row, above)
    right, left = max(one.right for one in first), min(one.left for one in second)
    return [(right, left)] if left - right >= MIN_GUTTER_EMS * size else []


def _left_free(gutters: Iterable[Gutter], row: Row) -> list[Gutter]:
    """What the row leaves of the gutters; letters may reach into one, not through it."""
    free = list(gutters)
    for one in row:
        parts = []
        for left, right in free:
            if one.right <= left or one.left >= right:
                parts.append((left, right))
                continue
            parts.extend(part for part in ((left, one.left), (one.right, right)) if part[1] - part[0] > 0)
        free = [part for part in parts if part[1] - part[0] >= MIN_GUTTER_EMS * one.size]
    return free
