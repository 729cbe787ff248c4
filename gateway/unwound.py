"""Runs a stream after the framework that prepared it has returned.

Routing and middleware are a dozen coroutines deep; a stream that lives ten minutes would keep them all, and send every
frame through them (measured: half of an idle stream's memory, a sixth of a frame's cost).
"""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

_AFTER = "chatconnect.after"

After = Callable[[Send], Awaitable[None]]


class Unwound:
    """The outermost layer: what was left for afterwards is run here, on the server's own `send`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        await self.app(scope, receive, send)
        after: After | None = scope.pop(_AFTER, None)
        if after is not None:
            await after(send)


def run_after(scope: Scope, after: After) -> None:
    """Have `after` run once the application has returned; the response has begun and is not complete."""
    scope[_AFTER] = after
