"""A page with a chat box, for whoever has just started the system."""

import json
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.problems import Problem
from gateway.state import gateway_of

KEY_MARK = '"%API_KEY%"'
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"


async def page(request: Request) -> Response:
    """GET /, when `DEMO_API_KEY` is set."""
    key = gateway_of(request).settings.demo_api_key
    if key is None:
        raise Problem(404, "No demo page here: set DEMO_API_KEY to a publishable key, or use the API.")
    html = files("gateway").joinpath("demo.html").read_text("utf-8")
    # In a script element a "<" could end it.
    marked = html.replace(KEY_MARK, json.dumps(key).replace("<", "\\u003c"))
    return HTMLResponse(marked, headers={"content-security-policy": POLICY})
