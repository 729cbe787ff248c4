"""Which pages may read our answers: those of the client's own origins (`access`), and any page what went wrong: a
refusal says nothing of anybody, and a page that cannot read it cannot tell a wrong key from a dead network.

Also counts requests, tells what is left of a limit (`limits`), and what browsers must not do with an answer.
"""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.metrics import REQUESTS

PREFLIGHT_SECONDS = 7_200
# Also those that no route has: a page can read that then.
ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, X-API-Key"
# Whatever a page's tracing adds: none of it does anything here. `*` would not allow Authorization.
MAX_ASKED_CHARACTERS = 2_000
NAME = re.compile(r"[a-z0-9!#$%&'+.^_`|~-]+")
# No page may speak as a server or a proxy of ours.
SERVERS_OWN = re.compile(r"x-internal-secret|x-client-id|forwarded|x-forwarded-.*|x-real-ip|x-http-method.*")
FAILED = 400
EXPOSED_HEADERS = "Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After"
# Answers carry tickets and conversations: nothing is to be kept, guessed or told on.
FOR_BROWSERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Cors:
    """A preflight carries no key, so it is answered to any page; the request itself then shows its key and origin."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers and "origin" in headers:
            asked = headers.get("access-control-request-headers", "")
            await _preflight(headers["origin"], asked)(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                _mark(scope, message, headers.get("origin"))
            await send(message)

        await self.app(scope, receive, send_marked)


def _preflight(origin: str, asked: str) -> Response:
    names = [name.strip().lower() for name in asked[:MAX_ASKED_CHARACTERS].split(",")]
    harmless = [name for name in names if NAME.fullmatch(name) and not SERVERS_OWN.fullmatch(name)]
    return Response(
        status_code=204,
        headers={
            "access-control-allow-origin": origin,
            "access-control-allow-methods": ALLOWED_METHODS,
            "access-control-allow-headers": ", ".join([ALLOWED_HEADERS, *harmless]),
            "access-control-max-age": str(PREFLIGHT_SECONDS),
            "vary": "Origin, Access-Control-Request-Headers",
        },
    )


def _mark(scope: Scope, start: Message, origin: str | None) -> None:
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
