"""Runs `chatconnect dev` with stand-ins for the worker and the gateway, so that supervisor tests need no models.

`python -m tests.support.standin_stack DATA PORT [STUBBORN]`; a stubborn stand-in ignores SIGTERM.
"""

import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from os import environ
from pathlib import Path

from chatconnect.commands.dev import run
from chatconnect.dev_stack.stack import READY_EVENTS

PORT_VARIABLES = {"worker": "METRICS_PORT", "gateway": "PORT"}


class Ok(BaseHTTPRequestHandler):
    """Answers 200 to every request."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def stand_in(name: str, *, is_stubborn: bool) -> None:
    if is_stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = HTTPServer(("127.0.0.1", int(environ[PORT_VARIABLES[name]])), Ok)
    sys.stdout.write(f"{READY_EVENTS[name]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] in PORT_VARIABLES:
        stand_in(sys.argv[1], is_stubborn="STUBBORN" in sys.argv)
    else:
        commands = {
            name: (sys.executable, "-m", "tests.support.standin_stack", name, *sys.argv[3:]) for name in PORT_VARIABLES
        }
        run(Path(sys.argv[1]), int(sys.argv[2]), 0, has_seed=False, commands=commands)
