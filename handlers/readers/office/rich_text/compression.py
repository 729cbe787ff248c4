"""RTF as Outlook stores it, [MS-OXRTFCP]. The package for it raises bare `Exception` and has no bound."""

import struct

HEAD = struct.Struct("<IIII")
COMPRESSED, STORED = 0x75465A4C, 0x414C454D
WINDOW = 4096
KNOWN = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)


def decompressed(content: bytes) -> bytes:
    """At most 17 times as long as `content`. What is cut off in the middle ends there. Raises `ValueError`."""
    if len(content) < HEAD.size:
        raise ValueError("no head")
    _, size, kind, _ = HEAD.unpack_from(content)
    if kind == STORED:
        return content[HEAD.size : HEAD.size + size]
    if kind != COMPRESSED:
        raise ValueError(f"compression {kind:#x} is unknown")
    return _expanded(content[HEAD.size :])[:size]


def _expanded(content: bytes) -> bytes:
    window = bytearray(KNOWN.ljust(WINDOW, b"\0"))
    write, at, out = len(KNOWN), 0, bytearray()
    while at < len(content):
        control, at = content[at], at + 1
        for bit in range(8):
            if control >> bit & 1:
                if at + 2 > len(content):
                    return bytes(out)
                pair, at = content[at] << 8 | content[at + 1], at + 2
                read, length = pair >> 4, (pair & 15) + 2
                if read == write:
                    return bytes(out)
            elif at < len(content):
                window[write], read, length, at = content[at], write, 1, at + 1
            else:
                return bytes(out)
            for step in range(length):
                letter = window[(read + step) % WINDOW]
                window[write] = letter
                out.append(letter)
                write = (write + 1) % WINDOW
    return bytes(out)
