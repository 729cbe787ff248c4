"""Metrics of a worker's consumers (Prometheus naming; no tenant labels, they are unbounded)."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("chatconnect_records_total", "Records finished, by handler and outcome.", ["handler", "outcome"])
RETRIES = Counter("chatconnect_retries_total", "Runs that failed and will be tried again.", ["handler"])
DEAD_LETTERS = Counter("chatconnect_dead_letters_total", "Records written to a dead-letter topic.", ["handler"])
HANDLER_SECONDS = Histogram(
    "chatconnect_handler_seconds",
    "Time of one run of a handler.",
    ["handler"],
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120),
)
LANES = Gauge("chatconnect_lanes", "Keys with queued or running records.", ["handler"])
LANE_DEPTH = Gauge("chatconnect_lane_queued_records", "Records waiting for their turn.", ["handler"])
RUNNING = Gauge("chatconnect_running_records", "Records in a handler now.", ["handler"])
UNCOMMITTED = Gauge("chatconnect_uncommitted_records", "Records received and not finished.", ["handler"])
COMMIT_LAG = Gauge("chatconnect_commit_lag_records", "Known end of the log minus what is committed.", ["handler"])
OLDEST_SECONDS = Gauge("chatconnect_oldest_record_age_seconds", "Age of the oldest unfinished record.", ["handler"])
COMMIT_FAILURES = Counter("chatconnect_commit_failures_total", "Commits that Kafka refused.", ["handler"])
EVENTS_LOST = Counter("chatconnect_events_lost_total", "Best-effort events that Kafka did not take.", ["topic"])
STOPPED = Gauge(
    "chatconnect_consumer_stopped", "1: too many defects in a row stopped it, and only a new start helps.", ["group"]
)
