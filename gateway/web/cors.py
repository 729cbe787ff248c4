"""Which pages may read a response: those of the client's own origins (`access`). Any page may read a refusal: it
contains no client's data, and without it a page cannot distinguish a wrong key from a network failure.

Also counts requests, and adds the headers of rate limits (`rate_limits`) and those that restrict browsers.
"""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.metrics import REQUESTS

PREFLIGHT_SECONDS = 7_200
# Including methods that no route has: then a page can read the 405.
ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, X-API-Key"
# Requested headers are allowed: tracing in a page adds some, which are ignored. `*` excludes Authorization.
MAX_ASKED_CHARACTERS = 2_000
NAME = re.compile(r"[a-z0-9!#$%&'+.^_`|~-]+")
# Only our own servers and proxies may send these, never a page.
SERVERS_OWN = re.compile(r"x-internal-secret|x-client-id|forwarded|x-forwarded-.*|x-real-ip|x-http-method.*")
FAILED = 400
EXPOSED_HEADERS = "Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After"
# Responses carry tickets and conversations: no caching, no content sniffing, no referrer.
FOR_BROWSERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Cors:
    """A preflight carries no key, so each one is granted; the request itself is checked for key and origin."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers and "origin" in headers:
            requested = headers.get("access-control-request-headers", "")
            await _preflight(headers["origin"], requested)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _count_and_add_headers(scope, message, headers.get("origin"))
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _preflight(origin: str, requested: str) -> Response:
    names = [name.strip().lower() for name in requested[:MAX_ASKED_CHARACTERS].split(",")]
    allowed = [name for name in names if NAME.fullmatch(name) and not SERVERS_OWN.fullmatch(name)]
    return Response(
        status_code=204,
        headers={
            "access-control-allow-origin": origin,
            "access-control-allow-methods": ALLOWED_METHODS,
            "access-control-allow-headers": ", ".join([ALLOWED_HEADERS, *allowed]),
            "access-control-max-age": str(PREFLIGHT_SECONDS),
            "vary": "Origin, Access-Control-Request-Headers",
        },
    )


def _count_and_add_headers(scope: Scope, start: Message, origin: str | None) -> None:
    endpoint = scope.get("endpoint")
    REQUESTS.labels(getattr(endpoint, "__name__", "none"), str(start["status"])).inc()
    headers = MutableHeaders(scope=start)
    headers.add_vary_header("Origin")
    for name, value in FOR_BROWSERS.items():
        headers.setdefault(name, value)
    state = scope.get("state", {})
    headers.update(state.get("limit_headers", {}))
    if origin is not None and (start["status"] >= FAILED or state.get("allowed_origin") == origin):
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = EXPOSED_HEADERS
