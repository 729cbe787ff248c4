"""Makes aiokafka see that a connection has closed under it.

uvloop raises `RuntimeError` from a write to a transport that has closed a moment ago, where the standard loop raises
`OSError`, the only one that aiokafka takes for a broken connection. Without this, a broker that dies at that moment
ends the worker. aiokafka offers no hook for it, so a subclass replaces its class.
"""

from typing import Any

from aiokafka import conn
from aiokafka.errors import KafkaConnectionError


class Connection(conn.AIOKafkaConnection):  # type: ignore[misc]
    """aiokafka's connection, whose `send` raises only its own errors."""

    def send(self, request: Any, expect_response: bool = True) -> Any:  # noqa: FBT001, FBT002 - aiokafka's signature
        """Raises `KafkaConnectionError`."""
        try:
            return super().send(request, expect_response)
        except RuntimeError as error:
            self.close(reason=conn.CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"the connection to {self._host}:{self._port} has closed") from error


def see_closed_connections() -> None:
    """Patches aiokafka for every connection of this process. Idempotent."""
    conn.AIOKafkaConnection = Connection
