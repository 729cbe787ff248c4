"""The deadlines, intervals and bounds of one reader. Only tests choose others."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """When a reader looks at the log, when it counts as stalled, and how often it may be rebuilt."""

    look_seconds: float = 2.0
    # aiokafka stops fetching without an error when its fetch task ends (#983, #1007), or after the loop was blocked
    # (#847).
    stalled_seconds: float = 10.0
    max_restarts: int = 5
