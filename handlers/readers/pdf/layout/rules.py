"""Level rules between the rows of a table."""

from collections.abc import Iterable, Sequence

from handlers.readers.pdf.drawn.word import Box
from handlers.readers.pdf.layout.bands import Gutter, Row

SAME_RULE_POINTS = 2.0


def levels_of(rows: list[Row], gutters: list[Gutter], rules: Sequence[Box]) -> list[float]:
    """The heights of the level rules between the rows."""
    top, bottom = rows[0][0].baseline, rows[-1][0].baseline
    between = [one for one in rules if bottom < one.bottom < top and one.right - one.left > one.top - one.bottom]
    return [
        rule.bottom
        for rule in _drawn_on(between)
        if any(rule.left <= left + 1 and rule.right >= right - 1 for left, right in gutters)
    ]


def _drawn_on(rules: Iterable[Box]) -> list[Box]:
    """Rules from the top; the borders of neighbouring cells are one rule."""
    found: list[Box] = []
    for one in sorted(rules, key=lambda rule: (-round(rule.bottom / SAME_RULE_POINTS), rule.left)):
        last = found[-1] if found else None
        if last and abs(last.bottom - one.bottom) <= SAME_RULE_POINTS and one.left <= last.right + SAME_RULE_POINTS:
            found[-1] = last._replace(right=max(last.right, one.right))
        else:
            found.append(one)
    return found
