"""One gateway process: uvicorn with a drain of its own.

uvicorn on SIGTERM closes its listener at once, does not end open streams, and runs the lifespan's end only after they
have ended, so a drain cannot live in the lifespan. Here the first signal begins the drain: readiness fails while the
listener still accepts what the load balancer sends, streams end one by one, and only then uvicorn stops.
"""

import resource
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import cast

import structlog
import uvicorn

from gateway.app import create_app
from gateway.connections.protocol import MAX_CONNECTIONS, ConnectionLimits, Protocol
from gateway.web.drain import Drain
from gateway.web.failed_start import EXPLAINED, explanation
from schemas.settings import Settings

# How long uvicorn waits for responses that still run after the drain.
GRACE_SECONDS = 2
# Finds clients that do not read: by default the kernel buffers megabytes for each (measured: 3.8 MB).
SEND_BUFFER_BYTES = 32 * 1024
BACKLOG = 2048
# A proxy keeps idle connections for a minute and sends the next request on one: the server must not close first.
KEEP_ALIVE_SECONDS = 75
# Descriptors that Kafka, Postgres, Redis, logs and uploads need in addition to the connections.
RESERVED_DESCRIPTORS = 128
FAILED = 1
SIGNALLED = 128

log = structlog.get_logger()


class DrainingServer(uvicorn.Server):
    """The first signal begins the drain; a second one stops at once."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve. Raises `SystemExit`, with a sentence where one explains why the start failed."""
        try:
            await super().startup(sockets)
        except SystemExit:
            if isinstance(self._drain.failure, EXPLAINED):
                raise SystemExit(explanation(self._drain.failure)) from None
            raise

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Begin the drain; when it is on already, or nothing is served yet, stop at once."""
        if not self.started:
            # uvicorn looks at `should_exit` only once the start has succeeded, which may never happen.
            raise SystemExit(SIGNALLED + sig)
        if self._drain.is_on:
            self.should_exit = self.force_exit = True
            return
        log.info("drain_started", signal=signal.Signals(sig).name)
        self._drain.begin()

    async def on_tick(self, counter: int) -> bool:
        """Stop when the drain is over; uvicorn calls this ten times a second."""
        if self._drain.is_over or (self._drain.is_on and not self.server_state.connections):
            self.should_exit = True
        return await super().on_tick(counter)


def serve(settings: Settings) -> None:
    """Blocks until the server has stopped. Raises `SystemExit` non-zero when the start or a component failed."""
    drain = Drain()
    limits = ConnectionLimits(max_connections=allowed_connections())
    config = uvicorn.Config(
        create_app(settings, drain),
        http=cast("type[Protocol]", partial(Protocol, limits=limits)),
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        loop="uvloop",
        lifespan="on",
        timeout_graceful_shutdown=GRACE_SECONDS,
        access_log=False,
        log_config=None,
        server_header=False,
    )
    server = DrainingServer(config, drain)
    with listen(settings.host, settings.port) as listener:
        log.info("gateway_listens", host=settings.host, port=settings.port)
        server.run([listener])
    if drain.failure is not None or not server.started:
        sys.exit(FAILED)


def allowed_connections() -> int:
    """The most connections at once, after the limit of file descriptors has been raised to its maximum."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = min(MAX_CONNECTIONS, max(1, limit - RESERVED_DESCRIPTORS))
    log.info("descriptors", limit=limit, before=soft, max_connections=allowed)
    if allowed < MAX_CONNECTIONS:
        log.warning("few_descriptors", consequence=f"connections above {allowed} are refused with 503")
    return allowed


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises `SystemExit` with a sentence when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns off Nagle's algorithm only where the protocol is named; with it a reply can wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SystemExit(f"Cannot listen on {host}:{port} ({error.strerror}): choose another port.") from error
    listener.listen(BACKLOG)
    return listener
