"""The outermost layer: what lasts longer than the framework's part of a request.

Routing and middleware are a dozen coroutines deep; a stream that lives ten minutes would keep them all, and send every
frame through them (measured: half of an idle stream's memory, a sixth of a frame's cost).
"""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

_AFTER = "chatconnect.after"
_AT_END = "chatconnect.at_end"
# What uvicorn reads of a request once its answer has begun.
_KEPT = frozenset({"type", "method", _AT_END})

After = Callable[[Send], Awaitable[None]]


class StreamHandoff:
    """Runs a stream after the application that prepared it has returned, on the server's own `send`; and gives back
    what a request holds once it has ended: answered, refused, disconnected, cancelled or broken.
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
    """Have `after` run once the application has returned; the response has begun and is not complete."""
    scope[_AFTER] = after


def on_request_end(scope: Scope, callback: Callable[[], None]) -> None:
    """Have this called once the request has ended, however it ends."""
    scope.setdefault(_AT_END, []).append(callback)
