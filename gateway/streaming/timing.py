"""The intervals of the streams that clients read. Only tests choose others."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """A pair is a range, in which each stream chooses at random."""

    heartbeat_seconds: tuple[float, float] = (12.0, 18.0)
    retry_ms: tuple[int, int] = (500, 3_000)
    queued_every_seconds: float = 5.0
    # A write that is still under way after two checks has stalled.
    stall_check_seconds: float = 5.0
    # How often Postgres is read for a document, for what is not on the log: a delete that no worker has carried out
    # yet, for example.
    document_poll_seconds: float = 10.0
