"""Refusals for rate limits, concurrency limits and overload."""

import random

from starlette.requests import Request
from starlette.responses import Response

from gateway.replay.waiting_lines import WaitEstimate
from gateway.web.metrics import SHED
from gateway.web.problems import Problem, render
from gateway.web.responses import ended_stream
from stores.rate_limits.limits import LimitStatus

RETRY_AFTER_SECONDS = (5, 15)
CREDENTIALS = ("authorization", "x-api-key")


class FullError(Problem):
    """A concurrency limit is reached: 429 for the caller's own, 503 for that of the process."""


def too_many(status: LimitStatus, what: str) -> Problem:
    """The refusal for a rate limit, counted."""
    SHED.labels(f"rate_{status.policy.name}").inc()
    seconds = max(1, status.reset_seconds)
    return Problem(
        429,
        f"More than {status.policy.per_minute} {what} in a minute: try again in {seconds} s.",
        slug="rate-limited",
        headers={"retry-after": str(seconds)},
    )


def full(what: str, scope: str, cap: int) -> FullError:
    """The refusal of one more `what` (streams, …) in a full `scope` (session, address, client, process), counted."""
    SHED.labels(f"{what}_{scope}").inc()
    # Spread, so that clients that are refused together do not come back together.
    headers = {"retry-after": str(random.randint(*RETRY_AFTER_SECONDS))}
    if scope == "process":
        return FullError(503, f"This instance has reached its limit of {what}: try again in a moment.", headers=headers)
    detail = f"This {scope} has {cap} open {what} here, which is its limit: close one, or try again later."
    return FullError(429, detail, slug=f"too-many-{what}", headers=headers)


def overloaded(estimate: WaitEstimate) -> Problem:
    """The refusal of a question that would wait too long, counted."""
    SHED.labels("queue").inc()
    seconds = estimate.retry_after_seconds
    return Problem(
        503,
        f"{estimate.position - 1} questions are waiting, and answers are slow: ask again in about {seconds} s.",
        slug="overloaded",
        headers={"retry-after": str(seconds)},
    )


async def on_full(request: Request, error: Exception) -> Response:
    """A problem; for a native `EventSource` a stream that ends at once, as an error status would stop it for good."""
    assert isinstance(error, FullError)
    if not is_event_source(request):
        return render(error)
    return ended_stream(random.randint(*RETRY_AFTER_SECONDS) * 1_000)


def is_event_source(request: Request) -> bool:
    """Whether a browser's own `EventSource` asks: it can set no headers, so a server in between authenticates it."""
    if request.method != "GET" or request.headers.get("accept", "").strip() != "text/event-stream":
        return False
    return not any(name in request.headers for name in CREDENTIALS)
