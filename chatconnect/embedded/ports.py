"""Which TCP ports are free on the loopback address."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the ephemeral range, so that no outgoing connection takes a chosen port before it is bound.
CHOICE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that nothing listens on."""
    while True:
        port = random.choice(CHOICE)
        if is_free(port):
            return port
