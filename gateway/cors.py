"""Which pages may read our answers: those of the client's own origins (`access`). Also counts requests, and tells
what is left of a limit (`limits`).
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.metrics import REQUESTS

PREFLIGHT_SECONDS = 7_200
ALLOWED_METHODS = "GET, HEAD, POST"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, X-API-Key"
EXPOSED_HEADERS = "Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After"


class Cors:
    """A preflight carries no key, so it is answered to any page; the request itself then shows its key and origin."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers and "origin" in headers:
            await _preflight(headers["origin"])(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark(scope, message)
            await send(message)

        await self._app(scope, receive, send_marked)


def _preflight(origin: str) -> Response:
    return Response(
        status_code=204,
        headers={
            "access-control-allow-origin": origin,
            "access-control-allow-methods": ALLOWED_METHODS,
            "access-control-allow-headers": ALLOWED_HEADERS,
            "access-control-max-age": str(PREFLIGHT_SECONDS),
            "vary": "Origin",
        },
    )


def _mark(scope: Scope, start: Message) -> None:
    endpoint = scope.get("endpoint")
    REQUESTS.labels(getattr(endpoint, "__name__", "none"), str(start["status"])).inc()
    headers = MutableHeaders(scope=start)
    headers.add_vary_header("Origin")
    state = scope.get("state", {})
    headers.update(state.get("limit_headers", {}))
    origin = state.get("allowed_origin")
    if origin is not None:
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = EXPOSED_HEADERS
