"""The reading order of a page: bands from the top, columns from the left, tables row by row."""

from collections.abc import Sequence

from handlers.readers.pdf.drawn.word import Box
from handlers.readers.pdf.layout.bands import Band, Row, bands_of, rows_of
from handlers.readers.pdf.layout.fragments import Fragment
from handlers.readers.pdf.layout.grid import table_of
from handlers.readers.pdf.layout.joining import MARKER, joined
from handlers.readers.pdf.layout.paragraphs import Paragraph, goes_on, line_of, paragraphs_of_lines

MAX_DEPTH = 4
MIN_LINE_LETTERS = 8
MARKER_GAP_EMS = 4.0


def paragraphs_of(fragments: Sequence[Fragment], rules: Sequence[Box], depth: int = 0) -> list[Paragraph]:
    """The paragraphs and tables in the order in which a person reads them."""
    found: list[Paragraph] = []
    lines: list[Row] = []
    for band in bands_of([_with_marker(row) for row in rows_of(fragments)]):
        tables_beside = depth < MAX_DEPTH and _holds_tables(band, rules)
        table = table_of(band, rules) if band.gutters and not tables_beside else None
        if table is not None:
            _flush(found, [*lines, *table.before])
            found.append(Paragraph("", band.size, table=table))
            lines = table.after
        elif tables_beside or (depth < MAX_DEPTH and _has_columns(band)):
            _flush(found, lines)
            lines = []
            for column in band.columns(band.drawn_columns()):
                _add(found, paragraphs_of(column, rules, depth + 1))
        else:
            lines.extend(band.rows)
    _flush(found, lines)
    return found


def _flush(found: list[Paragraph], rows: Sequence[Row]) -> None:
    found.extend(paragraphs_of_lines([line_of(row) for row in rows]))


def _add(found: list[Paragraph], more: list[Paragraph]) -> None:
    """A sentence goes on from one column to the next."""
    if found and more and goes_on(found[-1], more[0]):
        first = more.pop(0)
        found[-1].text = joined(found[-1].text, first.text)
        found[-1].lines += first.lines
        found[-1].is_full = first.is_full
    found.extend(more)


def _has_columns(band: Band) -> bool:
    """Whether at least two of them hold lines of words, not the labels of a drawing or the parts of a formula."""
    columns = [column for column in band.columns() if len({round(one.baseline) for one in column}) > 1]
    return sum(sum(len(one.text) for one in column) >= MIN_LINE_LETTERS * len(column) for column in columns) > 1


def _holds_tables(band: Band, rules: Sequence[Box]) -> bool:
    """Whether it is tables side by side, drawn one after the other."""
    gutters = band.drawn_columns()
    parts = [bands_of(rows_of(column)) for column in band.columns(gutters)] if gutters else []
    return bool(parts) and all(len(part) == 1 and table_of(part[0], rules) is not None for part in parts)


def _with_marker(row: Row) -> Row:
    """A bullet or a number and what it stands before are one fragment, however wide the gap."""
    if len(row) < 2 or not MARKER.fullmatch(row[0].text):
        return row
    marker, first = row[0], row[1]
    if first.left - marker.right > MARKER_GAP_EMS * first.size:
        return row
    whole = Fragment(
        [*marker.words, *first.words],
        marker.left,
        first.right,
        first.baseline,
        first.size,
        f"{marker.text} {first.text}",
    )
    return [whole, *row[2:]]
