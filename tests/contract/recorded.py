"""The recordings read from their files, and every way to cut one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.contract.record import FOLDER, RECORDINGS


@dataclass(frozen=True, slots=True)
class Recorded:
    """The bytes of a stream, and its expected result (`record.py`)."""

    name: str
    body: bytes
    expected: dict[str, Any]

    def cuts(self) -> Iterator[list[bytes]]:
        """Two chunks, cut at every byte; finally one byte at a time."""
        for cut in range(len(self.body) + 1):
            yield [self.body[:cut], self.body[cut:]]
        yield [bytes([byte]) for byte in self.body]


def recorded(name: str) -> Recorded:
    """Read from the files, as other projects' tests do."""
    expected = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return Recorded(name, (FOLDER / f"{name}.sse").read_bytes(), expected)


ALL = [recorded(name) for name in RECORDINGS]
OF_SESSIONS = [each for each in ALL if each.expected["messages"]]
