"""Parses the events of a provider's stream, from chunks that may end anywhere."""

MAX_EVENT_BYTES = 1 << 20


class EventParser:
    """Collects the `data` of server-sent events; names, ids and comments say nothing that the JSON does not.

    Lines end in LF or CRLF, as every provider sends them. Bytes are split at line ends only, so UTF-8 stays whole.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Takes the next bytes and returns the data of the events that they complete.

        Raises `ValueError` when an event grows beyond 1 MiB.
        """
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        events = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].strip())
            elif self._data and line in {b"", b"\r"}:
                events.append(b"\n".join(self._data))
                self._data.clear()
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise ValueError("an event of more than 1 MiB")
        return events
