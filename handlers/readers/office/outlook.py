"""A message of Outlook, [MS-OXMSG]: a compound file whose streams are the properties of [MS-OXPROPS].

Read with olefile: python-oxmsg 0.0.2 loads every attachment into memory first, and the others are under the GPL.
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from olefile import OleFileIO

PROPERTIES = "__properties_version1.0"
TEXT, BYTES_TEXT, BYTES, TIME, NUMBER, STORAGE = 0x001F, 0x001E, 0x0102, 0x0040, 0x0003, 0x000D
CODE_PAGE, BODY_CODE_PAGE = 0x3FFD, 0x3FDE
EMBEDDED = 0x3701
ATTACHMENT = "__attach_version1.0_#"
TOP_HEAD_BYTES, INNER_HEAD_BYTES, ATTACHMENT_HEAD_BYTES = 32, 24, 8
ENTRY = struct.Struct("<HHI8s")
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
MAX_STREAM_BYTES = 50 * 1024**2
UTF_8_PAGE = 65001

Path = tuple[str, ...]


class OutlookStorage:
    """The properties of a message, or of one of its attachments."""

    def __init__(self, file: OleFileIO, path: Path = (), head_bytes: int = TOP_HEAD_BYTES) -> None:
        self._file, self._path = file, path
        content = self._stream(PROPERTIES)[head_bytes:]
        entries = ENTRY.iter_unpack(content[: len(content) // ENTRY.size * ENTRY.size])
        self._fixed = {(name, kind): value for kind, name, _, value in entries}

    def text(self, name: int) -> str:
        """A property of letters, "" if there is none."""
        if found := self._stream(_stream_name(name, TEXT)):
            return found.decode("utf-16-le", "replace").rstrip("\0")
        return self._stream(_stream_name(name, BYTES_TEXT)).decode(self._encoding(CODE_PAGE), "replace").rstrip("\0")

    def page(self, name: int) -> str:
        """A property that holds HTML, as text or as the bytes of a page."""
        if found := self._stream(_stream_name(name, BYTES)):
            return found.decode(self._encoding(BODY_CODE_PAGE, CODE_PAGE), "replace").rstrip("\0")
        return self.text(name)

    def content(self, name: int) -> bytes:
        """A property of bytes, b"" if there is none."""
        return self._stream(_stream_name(name, BYTES))

    def time(self, name: int) -> datetime | None:
        """A time, or None."""
        raw = self._fixed.get((name, TIME))
        if raw is None:
            return None
        try:
            return EPOCH + timedelta(microseconds=int.from_bytes(raw, "little") // 10)
        except OverflowError:
            return None

    def attachments(self) -> Iterator["OutlookStorage"]:
        """Each with the properties of the attachment."""
        depth = len(self._path)
        for path in self._file.listdir(streams=False, storages=True):
            if len(path) == depth + 1 and tuple(path[:depth]) == self._path and path[-1].startswith(ATTACHMENT):
                yield OutlookStorage(self._file, tuple(path), ATTACHMENT_HEAD_BYTES)

    def message(self) -> "OutlookStorage | None":
        """The message that this attachment is, None for a file."""
        path = (*self._path, _stream_name(EMBEDDED, STORAGE))
        return OutlookStorage(self._file, path, INNER_HEAD_BYTES) if self._file.exists([*path, PROPERTIES]) else None

    def _stream(self, name: str) -> bytes:
        path = [*self._path, name]
        if not self._file.exists(path):
            return b""
        with self._file.openstream(path) as stream:
            return bytes(stream.read(MAX_STREAM_BYTES))

    def _encoding(self, *names: int) -> str:
        for name in names:
            raw = self._fixed.get((name, NUMBER))
            page = int.from_bytes(raw[:4], "little") if raw else 0
            encoding = "utf-8" if page == UTF_8_PAGE else f"cp{page}"
            try:
                "".encode(encoding)
            except LookupError:
                continue
            return encoding
        return "cp1252"


def _stream_name(name: int, kind: int) -> str:
    return f"__substg1.0_{name:04X}{kind:04X}"
