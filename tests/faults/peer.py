"""A client on a bare socket: the test decides how much it reads and how it disconnects."""

import asyncio
import json
import socket
import struct

from chatconnect.client.sse_parser import SseParser
from tests.faults.hopping import Page
from tests.support.patience import SECONDS


class Peer:
    """One connection that reads only on request. Its socket is appended to `opened`, whose owner closes it."""

    def __init__(self, opened, url, path, token, last_id=""):
        self._opened = opened
        self._address = url.removeprefix("http://").split(":")
        lines = [f"GET {path} HTTP/1.1", "host: gateway", "connection: close", f"authorization: Bearer {token}"]
        lines += [f"last-event-id: {last_id}"] if last_id else []
        self._request = "\r\n".join([*lines, "", ""]).encode()
        self.body = b""

    async def open(self, receive_buffer=None):
        self.socket = socket.socket()
        self._opened.append(self.socket)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, (self._address[0], int(self._address[1])))
        await loop.sock_sendall(self.socket, self._request)
        return self

    async def read(self, until=lambda body: False, piece=65_536):
        """Reads until the end of the stream, or until `until(body)` holds."""
        async with asyncio.timeout(SECONDS):
            while not until(self.body):
                received = await asyncio.get_running_loop().sock_recv(self.socket, piece)
                if not received:
                    break
                self.body += received
        return self

    def reset(self):
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    @property
    def content(self):
        """The content of the complete HTTP chunks."""
        _, _, rest = self.body.partition(b"\r\n\r\n")
        content = b""
        while rest:
            line, _, rest = rest.partition(b"\r\n")
            size = int(line, 16) if line and b"\n" not in line else 0
            if not size or len(rest) < size + 2:
                break
            content, rest = content + rest[:size], rest[size + 2 :]
        return content

    @property
    def last_id(self):
        """The id of the last complete event."""
        parser = SseParser()
        list(parser.feed(self.content))
        return parser.last_id


def shown(asked, *peers):
    """The (text, state) of an answer on a page that had these connections in turn; None if it saw none of it."""
    page = Page()
    for peer in peers:
        for frame in SseParser().feed(peer.content):
            page.show(frame.event, json.loads(frame.data), frame.id)
    answer = page.answers.get(str(asked.message_id))
    return answer and (answer.text, answer.state)


def began(body):
    """The first frame has arrived."""
    return b"id: " in body


def ended(body):
    """The end of the answer has arrived."""
    return b"\n\n" in body.partition(b"event: completed")[2]
