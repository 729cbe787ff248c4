"""Tables as lines: each row says what its cells mean, so any part of a long table can be understood alone."""

import re
from collections.abc import Iterable, Iterator, Sequence

_BREAKS = dict.fromkeys(map(ord, "\n\r\t\f\v\xa0"), " ")
_SPACES = re.compile(r" {2,}|[^\S ]+")


def table_lines(header: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A line for each row that holds anything: `Boat: Canoe; Per hour: 9 €`. Without a header: `Canoe | 9 €`.

    Empty cells are left out. A cell past the header stands without a name. Line breaks in a cell become spaces.
    """
    names = [_one_line(name) for name in header or ()]
    for row in rows:
        cells = [_one_line(cell) for cell in row]
        if header is None:
            line = " | ".join(cell for cell in cells if cell)
        else:
            padded = [*names, *[""] * (len(cells) - len(names))]
            line = "; ".join(
                f"{name}: {cell}" if name else cell for name, cell in zip(padded, cells, strict=False) if cell
            )
        if line:
            yield line


def _one_line(cell: str) -> str:
    # Each piece of a long cell that is split or replaced would take several times its memory.
    return _SPACES.sub(" ", cell.translate(_BREAKS)).strip()
