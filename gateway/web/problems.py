"""Refusals as RFC 9457 problem documents. `type` is stable; `detail` is a sentence that says what to do."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from schemas.failures import PermanentError
from schemas.http import ProblemDocument
from streams.publisher import PublishError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2

TITLES = {
    400: ("bad-request", "The request cannot be read"),
    401: ("unauthenticated", "Not authenticated"),
    403: ("forbidden", "Not allowed"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    409: ("conflict", "Conflict"),
    413: ("too-large", "Too large"),
    415: ("unsupported-media-type", "Unsupported media type"),
    422: ("invalid", "The request is not valid"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal", "Internal error"),
    502: ("answer-failed", "The answer failed"),
    503: ("unavailable", "Not available right now"),
}

log = structlog.get_logger()


class Problem(Exception):  # noqa: N818 - it is the document's own name in RFC 9457
    """A refusal. `slug` is the stable end of `type`; without one it follows from the status."""

    def __init__(
        self, status: int, detail: str, *, slug: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.slug = slug
        self.headers = headers or {}


def unavailable(detail: str) -> Problem:
    """503 with `Retry-After`."""
    return Problem(503, detail, headers={"retry-after": str(RETRY_AFTER_SECONDS)})


def render(problem: Problem) -> Response:
    """The problem as a response."""
    slug, title = TITLES[problem.status]
    document = ProblemDocument(
        type=f"urn:chatconnect:problem:{problem.slug or slug}",
        title=title,
        status=problem.status,
        detail=problem.detail,
    )
    return Response(document.model_dump_json(), problem.status, problem.headers, MEDIA_TYPE)


async def on_problem(_: Request, error: Exception) -> Response:
    """Render a refusal that a route raised."""
    assert isinstance(error, Problem)
    return render(error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Render a refusal by Starlette: unknown path, wrong method, unreadable form."""
    assert isinstance(error, HTTPException)
    details = {
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.url.path} does not support {request.method}.",
    }
    status = error.status_code if error.status_code in TITLES else 400
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if status == 405:
        headers["allow"] = ", ".join(_methods(request))
    return render(Problem(status, details.get(status, f"{error.detail.rstrip('.')}."), headers=headers))


def _methods(request: Request) -> list[str]:
    # Starlette names only the methods of the first route with this path, and there may be two.
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in routes for method in route.methods})


async def on_permanent(_: Request, error: Exception) -> Response:
    """409: a store refuses the operation for good."""
    assert isinstance(error, PermanentError)
    return render(Problem(409, str(error), slug=error.code.replace("_", "-")))


async def on_store_down(request: Request, error: Exception) -> Response:
    """503: Postgres, or the connection to it, failed."""
    log.error("store_unavailable", path=request.url.path, error=repr(error))
    return render(unavailable("The database cannot be reached right now: try again in a moment."))


async def on_log_down(request: Request, error: Exception) -> Response:
    """503: Kafka did not accept an event."""
    assert isinstance(error, PublishError)
    log.error("log_unavailable", path=request.url.path, error=repr(error))
    return render(unavailable("The event log did not accept the request: send it again with the same messageId."))


async def on_disconnect(request: Request, _: Exception) -> Response:
    """The client disconnected while its body was read: the response reaches no one."""
    log.info("client_disconnected", path=request.url.path)
    return Response(status_code=499)


async def on_defect(request: Request, error: Exception) -> Response:
    """500: an unexpected error. Starlette raises it again, so that it is logged with its traceback."""
    log.error("request_failed", path=request.url.path, error=repr(error))
    return render(Problem(500, "The server had an internal error, which has been logged: try again."))
