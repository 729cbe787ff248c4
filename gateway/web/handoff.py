"""The outermost ASGI layer: runs streams after the framework has returned.

Routing and middleware are a dozen coroutines deep. A stream of ten minutes would keep them all, and send every frame
through them: half of an idle stream's memory, and a sixth of a frame's cost.
"""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

_AFTER = "chatconnect.after"
_AT_END = "chatconnect.at_end"
# The entries of the scope that are read once the response has begun.
_KEPT = frozenset({"type", "method", _AT_END})

After = Callable[[Send], Awaitable[None]]


class StreamHandoff:
    """Runs a stream after the application that prepared it has returned, on the server's own `send`; and calls the
    callbacks of a request once it has ended: answered, refused, disconnected, cancelled or failed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        try:
            await self.app(scope, receive, send)
            after: After | None = scope.pop(_AFTER, None)
            if after is not None:
                for name in scope.keys() - _KEPT:
                    del scope[name]
                await after(send)
        finally:
            for callback in scope.get(_AT_END, ()):
                callback()


def hand_off(scope: Scope, after: After) -> None:
    """Run `after` once the application has returned; the response has begun and is not complete."""
    scope[_AFTER] = after


def on_request_end(scope: Scope, callback: Callable[[], None]) -> None:
    """Call this once the request has ended, however it ends."""
    scope.setdefault(_AT_END, []).append(callback)
