"""The Prometheus metrics of a gateway. No tenant labels: their number is unbounded."""

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

REQUESTS = Counter("chatconnect_gateway_requests_total", "Requests by route and status.", ["route", "status"])
OPEN_STREAMS = Gauge("chatconnect_gateway_open_streams", "SSE streams open now.")
STREAMS_STARTED = Counter("chatconnect_gateway_streams_started_total", "How streams began.", ["outcome"])
STREAMS_ENDED = Counter("chatconnect_gateway_streams_ended_total", "Why streams ended.", ["reason"])
TAIL_LAG = Gauge("chatconnect_gateway_tail_lag_records", "Known end of chat.token minus what has been read.")
UNREADABLE = Counter("chatconnect_gateway_unreadable_records_total", "Records of chat.token that are unreadable.")
REPEATED = Counter("chatconnect_gateway_repeated_records_total", "Records dropped: repetitions and lower attempts.")
REPLAY_BUFFER_BYTES = Gauge("chatconnect_gateway_replay_buffer_bytes", "Bytes held in replay buffers.")
REPLAY_BUFFERS = Gauge("chatconnect_gateway_replay_buffers", "Sessions with a replay buffer.")
EVICTIONS = Counter(
    "chatconnect_gateway_evictions_total", "Answers dropped by age, and passes that freed memory.", ["cause"]
)
DELIVERY_SECONDS = Histogram(
    "chatconnect_gateway_delivery_seconds",
    "From a live record's time on the log to its bytes handed to the socket.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
ANSWERS = Counter("chatconnect_gateway_answers_total", "Questions asked here, by how they ended.", ["outcome"])
FIRST_TOKEN_SECONDS = Histogram(
    "chatconnect_gateway_first_token_seconds",
    "From a question's acceptance to its first delta.",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
)
ANSWER_SECONDS = Histogram(
    "chatconnect_gateway_answer_seconds",
    "From a question's acceptance to its end.",
    buckets=(0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300),
)
SHED = Counter(
    "chatconnect_gateway_shed_total", "Requests refused by a rate limit (rate_…) or without a free slot.", ["reason"]
)
CONNECTIONS_REFUSED = Counter(
    "chatconnect_gateway_connections_refused_total", "Connections refused above the limit of the process."
)
UNANSWERED = Gauge("chatconnect_gateway_unanswered", "Questions asked here that have not ended.")
OLDEST_UNANSWERED_SECONDS = Gauge("chatconnect_gateway_oldest_unanswered_seconds", "Age of the oldest of those.")


async def metrics(_: Request) -> Response:
    """GET /metrics."""
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})
