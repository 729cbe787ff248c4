"""The tokens of RTF: groups, control words, bytes of text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})?[ ]?|\\'(?P<hex>[0-9a-fA-F]{2})|\\(?P<symbol>[^a-zA-Z])"
    rb"|(?P<group>[{}])|[\r\n\0]+|(?P<text>[^\\{}\r\n\0]+)|\\",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: `word`, `symbol` (a control word of one letter), `hex` and `text` (bytes), `group` (a brace)."""

    kind: str
    name: str = ""
    number: int | None = None
    data: bytes = b""


def tokens(content: bytes) -> Iterator[tuple[int, Token]]:
    """Each with the place where it ends. Embedded binary data is passed over."""
    at = 0
    while found := TOKEN.match(content, at):
        at = found.end()
        kind = found.lastgroup or ""
        if found["word"]:
            number = int(found["number"]) if found["number"] else None
            name = found["word"].decode("ascii")
            if name == "bin":
                at += max(number or 0, 0)
            yield at, Token("word", name, number)
        elif kind == "hex":
            yield at, Token("hex", data=bytes.fromhex(found["hex"].decode("ascii")))
        elif kind == "text":
            yield at, Token("text", data=found["text"])
        elif kind:
            yield at, Token(kind, found[kind].decode("latin-1"))
