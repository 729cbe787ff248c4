"""Outlook messages of our own making: [MS-CFB] compound files whose streams are the properties of [MS-OXMSG]."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

SECTOR, SMALL_SECTOR, SMALL_STREAM = 512, 64, 4096
END, FREE, NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFF
STORAGE, STREAM, ROOT = 1, 2, 5

Folder = Mapping[str, "bytes | Folder"]


@dataclass(slots=True)
class _Entry:
    name: str
    kind: int
    content: bytes = b""
    kids: list[int] = field(default_factory=list)
    right: int = NONE
    start: int = END


def compound_file(root: Folder) -> bytes:
    """A compound file with these streams; a folder is a storage."""
    entries = [_Entry("Root Entry", ROOT)]
    _add(entries, 0, root)
    small, small_table = bytearray(), []
    body, table = bytearray(), []
    for one in entries:
        if one.kind == STREAM and 0 < len(one.content) < SMALL_STREAM:
            one.start = _append(small, small_table, one.content, SMALL_SECTOR)
        elif one.kind == STREAM and one.content:
            one.start = _append(body, table, one.content, SECTOR)
    entries[0].content = bytes(small)
    entries[0].start = _append(body, table, bytes(small), SECTOR)
    directory = _append(body, table, b"".join(map(_packed, entries)), SECTOR)
    small_start = _append(body, table, struct.pack(f"<{len(small_table)}I", *small_table), SECTOR)
    places = (len(table) + 128) // 127
    at = len(table)
    table += [0xFFFFFFFD] * places
    body += struct.pack(f"<{len(table)}I", *table).ljust(places * SECTOR, b"\xff")
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, places, directory, 0,
        SMALL_STREAM, small_start, -(-len(small_table) * 4 // SECTOR), END, 0,
    )  # fmt: skip
    return header + struct.pack("<109I", *range(at, at + places), *[FREE] * (109 - places)) + bytes(body)


def _add(entries: list[_Entry], parent: int, folder: Folder) -> None:
    for name, content in folder.items():
        number = len(entries)
        if entries[parent].kids:
            entries[entries[parent].kids[-1]].right = number
        entries[parent].kids.append(number)
        if isinstance(content, bytes):
            entries.append(_Entry(name, STREAM, content))
        else:
            entries.append(_Entry(name, STORAGE))
            _add(entries, number, content)


def _append(body: bytearray, table: list[int], content: bytes, sector: int) -> int:
    first, count = len(table), -(-len(content) // sector)
    if not count:
        return END
    body += content.ljust(count * sector, b"\0")
    table += [*range(first + 1, first + count), END]
    return first


def _packed(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    kid = entry.kids[0] if entry.kids else NONE
    return name.ljust(64, b"\0") + struct.pack(
        "<HBBIII36xIQ", len(name) + 2, entry.kind, 1, NONE, entry.right, kid, entry.start, len(entry.content)
    )


def outlook_message(
    *,
    numbers: Mapping[int, int] | None = None,
    attachments: tuple[Folder, ...] = (),
    is_inner: bool = False,
    **strings: str | bytes,
) -> Folder:
    """The streams of a message. `strings` by property: `p0037="Subject"`, bytes with their type: `p1013_0102=b"…"`.
    `numbers`: fixed properties by type and id, as `0x0040_0039`. `is_inner`: forwarded in another one.
    """
    fixed = b"".join(struct.pack("<IIq", key & 0xFFFF_FFFF, 6, value) for key, value in (numbers or {}).items())
    head = struct.pack("<8x4I", 0, len(attachments), 0, len(attachments)) + (b"" if is_inner else bytes(8))
    streams: dict[str, bytes | Folder] = {"__properties_version1.0": head + fixed}
    for name, value in strings.items():
        key, _, kind = name[1:].upper().partition("_")
        content = value.encode("utf-16-le") if isinstance(value, str) else value
        streams[f"__substg1.0_{key}{kind or '001F'}"] = content
    for at, one in enumerate(attachments):
        streams[f"__attach_version1.0_#{at:08X}"] = one
    if not is_inner:
        streams["__nameid_version1.0"] = {"__substg1.0_00020102": bytes(16)}
    return streams
