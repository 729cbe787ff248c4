"""The demo page: a chat box for a system that was just started."""

import json
import re
from importlib.resources import files
from secrets import token_urlsafe

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.state import gateway_of
from gateway.web.problems import Problem

KEY_PLACEHOLDER = '"%API_KEY%"'
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


async def page(request: Request) -> Response:
    """GET /, when `DEMO_API_KEY` is set."""
    settings = gateway_of(request).settings
    key = settings.demo_api_key
    _require_own_name(request, settings.host)
    if key is None:
        raise Problem(404, "No demo page here: set DEMO_API_KEY to a publishable key, or use the API.")
    html = files("gateway.endpoints").joinpath("demo.html").read_text("utf-8")
    # In a script element a "<" could end it.
    filled = html.replace(KEY_PLACEHOLDER, json.dumps(key).replace("<", "\\u003c"))
    nonce = token_urlsafe(16)
    filled = filled.replace("<script>", f'<script nonce="{nonce}">')
    return HTMLResponse(filled, headers={"content-security-policy": POLICY.format(nonce=nonce)})


def _require_own_name(request: Request, host: str) -> None:
    # A page whose name was made to lead here could read the key (DNS rebinding).
    name = re.sub(r":[0-9]+$", "", request.headers.get("host", "").lower())
    if name not in LOCAL_NAMES | {host.lower(), f"[{host.lower()}]"}:
        raise Problem(403, "The demo page is for this machine alone: open it as localhost.")
