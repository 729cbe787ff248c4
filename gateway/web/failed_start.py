"""A failed start ends without a traceback when the error's own sentence explains it."""

import sys

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.web.drain import Drain
from streams.kafka.connection import KAFKA_ERRORS
from streams.reading.reader import TopicMissingError

EXPLAINED = (TopicMissingError, *KAFKA_ERRORS)


def explanation(error: BaseException) -> str:
    """The sentence for the one who started the gateway."""
    if isinstance(error, KAFKA_ERRORS):
        return f"Kafka cannot be used: {error}. Check KAFKA_BOOTSTRAP_SERVERS, and that the broker runs."
    return str(error)


class FailedStart:
    """Puts such an error into the drain; the server prints it last."""

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app = app
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_without_traceback(message: Message) -> None:
            # Starlette sends the traceback as the message.
            error = sys.exception()
            if message["type"] == "lifespan.startup.failed" and isinstance(error, EXPLAINED):
                self._drain.fail(error)
                message = {**message, "message": ""}
            await send(message)

        await self.app(scope, receive, send_without_traceback)
