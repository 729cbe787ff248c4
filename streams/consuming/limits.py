"""The deadlines, intervals and bounds of one consumer. Only tests and benches choose others."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsumerLimits:
    """Group membership in Kafka's own terms; the others are of this runtime."""

    session_timeout_ms: int = 45_000
    heartbeat_ms: int = 3_000
    max_poll_interval_ms: int = 300_000
    # The longest that a group waits for this member in a rebalance.
    rebalance_timeout_ms: int = 60_000
    # Of the rebalance timeout: the rest is for a commit under way, the last commit and the join.
    revoke_budget_seconds: float = 45.0
    # A join waits for the other members' drains, which have the rebalance timeout.
    start_seconds: float = 90.0
    restart_pause_seconds: float = 5.0
    poll_ms: int = 200
    # A poll that waits for partitions is begun again, since only its begin raises the errors of a join.
    assignment_wait_seconds: float = 5.0
    commit_interval_seconds: float = 0.25
    commit_timeout_seconds: float = 5.0
    # Received and unfinished records of one partition: above it the partition is paused.
    high_water_records: int = 16_384
    watch_interval_seconds: float = 5.0
    stalled_seconds: float = 20.0
    # A handler that ignores its cancel for longer ends the process.
    cancel_seconds: float = 5.0
    max_restarts: int = 5
    restarts_within_seconds: float = 3_600.0
    max_dead_letters_in_a_row: int = 100
