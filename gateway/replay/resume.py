"""Decides how a client resumes (`docs/architecture.md`). Pure, so that tests can try every schedule of restarts.

The rule: prove that no frame is missing, or replace what the client has. There is no third outcome, and no refusal.
"""

import re
from dataclasses import dataclass

MAX_ID_CHARACTERS = 64

_ID = re.compile(r"([a-z0-9]{1,32})\.([0-9]{1,9})\.([0-9]{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class SendDeltas:
    """Every frame after this offset is buffered: send those."""

    cursor: int


@dataclass(frozen=True, slots=True)
class SendSnapshots:
    """Something may be missing: send snapshots that replace what the client has."""


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """What one instance knows of a session: its partition, its `floor` (see `ReplayBuffers`) and the partition's end.

    `end` is the offset after the last record that this instance knows of.
    """

    epoch: str
    partition: int
    floor: int
    end: int

    def event_id(self, offset: int) -> str:
        """The SSE id of an offset."""
        return f"{self.epoch}.{self.partition}.{offset}"

    @property
    def unfinished_id(self) -> str:
        """The id that every instance answers with snapshots: a client holds it until its last snapshot has arrived."""
        return f"{self.epoch}.{self.partition}.-1"


def decide(last_event_id: str | None, position: StreamPosition) -> SendDeltas | SendSnapshots:
    """What a client with this `Last-Event-ID` (None: without one) is sent.

    A cursor at or beyond `end` is of a truncated log, or of a record that this instance does not know yet. Both get
    snapshots, which are right even when they are older than what the client has.
    """
    found = _ID.fullmatch(last_event_id) if last_event_id and len(last_event_id) <= MAX_ID_CHARACTERS else None
    if found is None:
        return SendSnapshots()
    epoch, partition, offset = found[1], int(found[2]), int(found[3])
    if epoch != position.epoch or partition != position.partition:
        return SendSnapshots()
    return SendDeltas(offset) if position.floor <= offset < position.end else SendSnapshots()
