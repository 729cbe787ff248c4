"""CSV and its relatives: the delimiter is the one by which rows agree, each row says what its cells mean."""

import csv
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from handlers.readers.report import Report
from handlers.readers.section import Section, clean
from handlers.readers.text.encoding.decoding import encoding_of
from handlers.readers.text.header import is_header
from handlers.readers.text.records.csv_records import Record, delimiter_of, read_records
from handlers.readers.text.records.row_groups import listed, row_sections
from handlers.readers.text.tables import table_lines

SAMPLE_RECORDS = 200
MAX_NUMBERS = 10_000
PROGRESS_RECORDS = 2_000


def read_csv_file(path: Path, report: Report) -> Iterator[Section]:
    """Rows under their header, with the file's line as `row`; lines before the table as text. Reports bytes, roughly.

    Rows with more or fewer cells than the header are read, and reported by number.
    """
    csv.field_size_limit(sys.maxsize)
    encoding = encoding_of(path)
    with path.open(encoding=encoding, errors="replace", newline=None) as lines:
        head = list(islice(lines, SAMPLE_RECORDS))
        is_escaped = _has_backslashes(head)
        delimiter = delimiter_of(list(_doubled(head)) if is_escaped else head)
        lines.seek(0)
        stray: list[int] = []
        records = read_records(_doubled(lines) if is_escaped else lines, delimiter, stray)
        sample = list(islice(records, SAMPLE_RECORDS))
        width = _usual_width(sample)
        preamble, sample = _preamble(sample, width)
        if preamble:
            yield Section("\n".join(" ".join(filter(None, one.cells)) for one in preamble) + "\n", row=preamble[0].line)
        table = _Table(path.stat().st_size, report, stray)
        yield from row_sections(table.rows(deque(sample), records))
        table.warn()


def _has_backslashes(lines: Sequence[str]) -> bool:
    """Whether quotes inside a cell are marked by a backslash, as MySQL does, and not doubled."""
    return any('\\"' in line for line in lines) and not any('""' in line.replace('\\"', "") for line in lines)


def _doubled(lines: Iterable[str]) -> Iterator[str]:
    return (line.replace('\\"', '""') for line in lines)


@dataclass(slots=True)
class _Table:
    size_bytes: int
    report: Report
    stray: list[int]
    uneven: list[int] = field(default_factory=list)

    def rows(self, sample: deque[Record], rest: Iterator[Record]) -> Iterator[tuple[int, str]]:
        header: Sequence[str] | None = None
        if sample and is_header(sample[0].cells, [one.cells for one in islice(sample, 1, 4)]):
            header = sample.popleft().cells
            if not sample:
                yield 1, " | ".join(filter(None, header))
        width = len(header) if header else max((len(one.cells) for one in sample), default=0)
        done = 0
        for number, record in enumerate(chain(sample, rest)):
            if self._is_uneven(record, width) and len(self.uneven) < MAX_NUMBERS:
                self.uneven.append(record.line)
            for line in table_lines(header, [record.cells]):
                yield record.line, clean(line)
            done += sum(map(len, record.cells)) + len(record.cells)
            if number % PROGRESS_RECORDS == 0:
                self.report.progress(min(done, self.size_bytes), self.size_bytes)
        self.report.progress(self.size_bytes, self.size_bytes)

    def warn(self) -> None:
        if self.stray:
            lines = "Line" if len(self.stray) == 1 else "Lines"
            self.report.warn(
                f"{lines} {listed(self.stray)}: a quotation mark that opens a cell is not closed, so it was read as "
                "a letter."
            )
        if self.uneven:
            rows = "Row" if len(self.uneven) == 1 else "Rows"
            self.report.warn(
                f"{rows} {listed(self.uneven)}: the number of cells differs from the header's. They were read, but "
                "cells may stand under a wrong name."
            )

    @staticmethod
    def _is_uneven(record: Record, width: int) -> bool:
        # Many programs leave out or add empty cells at the end of a row.
        filled = len(record.cells)
        while filled and not record.cells[filled - 1].strip():
            filled -= 1
        return bool(filled) and (filled > width or len(record.cells) < width)


def _usual_width(sample: Sequence[Record]) -> int:
    widths = [len(one.cells) for one in sample if any(cell.strip() for cell in one.cells)]
    return max(set(widths), key=lambda width: (widths.count(width), width), default=0)


def _preamble(sample: list[Record], width: int) -> tuple[list[Record], list[Record]]:
    """Rows before the first one that is as wide as most are: titles, dates, remarks."""
    full = next((at for at, one in enumerate(sample) if len(one.cells) >= width and _is_filled(one)), 0)
    return [one for one in sample[:full] if any(cell.strip() for cell in one.cells)], sample[full:]


def _is_filled(record: Record) -> bool:
    filled = sum(bool(cell.strip()) for cell in record.cells)
    return filled * 2 > len(record.cells)
