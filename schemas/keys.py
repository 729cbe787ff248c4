"""What sessions and messages are looked up by: text, decoded from Kafka's bytes once, where a record is read."""

from typing import NamedTuple


class SessionKey(NamedTuple):
    """A session of a client; two clients may use one session id."""

    client_id: str
    session_id: str


class MessageKey(NamedTuple):
    """A message of a client, its id as the 36 characters of a UUID in lower case."""

    client_id: str
    message_id: str
