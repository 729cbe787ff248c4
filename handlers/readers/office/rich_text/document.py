"""Reads the groups of RTF into paragraphs and rows of tables, as they look with all changes accepted."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from handlers.readers.office.grid import Cell, Row
from handlers.readers.office.rich_text.characters import BY_CHARSET, DEFAULT, SYMBOLS, code_page, joined
from handlers.readers.office.rich_text.tokens import Token
from handlers.readers.office.symbols import in_font
from handlers.readers.text.raised import LOWERED, RAISED

LEFT_OUT = frozenset((
    "colortbl", "info", "pict", "header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf",
    "fldinst", "object", "sp", "shprslt", "nonesttables", "listtable", "listoverridetable", "revtbl", "filetbl",
    "annotation", "ftnsep", "ftnsepc", "aftnsep", "aftnsepc", "tc", "xe", "rxe", "pntxta", "pntxtb",
))  # fmt: skip
# Groups that older programs may pass over, and that hold text.
READ_ANYWAY = frozenset(("shpinst", "shptxt", "moMath", "mr", "oMath"))
CODE_PAGES = {"mac": 10_000, "pc": 437, "pca": 850}
SYMBOL_CHARSET = 2
BODY_TEXT_LEVEL = 9
MAX_DEPTH = 10_000


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or a row of a table. `level`: of a heading, from 1."""

    text: str = ""
    level: int | None = None
    row: Row | None = None


@dataclass(slots=True)
class _State:
    """What a group says, until it ends. `note`: where a note begins among the pieces."""

    is_left_out: bool = False
    table: str = ""
    is_hidden: bool = False
    script: dict[int, int] = field(default_factory=dict)
    font: int | None = None
    style: int = 0
    level: int | None = None
    fallback: int = 1
    note: int | None = None
    is_note: bool = False
    in_table: bool = False


class RichText:
    """Fed with tokens; yields each block where it ends."""

    def __init__(self) -> None:
        self._state = _State()
        self._stack: list[_State] = []
        self._pieces: list[str] = []
        self._bytes = bytearray()
        self._to_skip = 0
        self._starred = False
        self._codec = DEFAULT
        self._default_font: int | None = None
        self._charsets: dict[int, int] = {}
        self._style_levels: dict[int, int] = {}
        self._cells: list[str] = []
        self._above: list[str] = []
        self._merges: list[str] = []
        self._merge = ""
        self._is_head = False

    def feed(self, token: Token) -> Iterator[Block]:
        """The blocks that end with this token."""
        if token.kind in ("text", "hex"):
            self._take(token.data)
            return
        if token.name == "u" and token.kind == "word":
            self._flush()
            self._unicode(token.number or 0)
            return
        if self._to_skip and token.kind != "group":
            self._to_skip -= 1
            return
        self._to_skip = 0
        self._flush()
        if token.kind == "group":
            self._group(token.name)
        elif token.name == "*":
            self._starred = True
        elif token.name in SYMBOLS:
            self._add(SYMBOLS[token.name])
        else:
            yield from self._word("par" if token.name in "\r\n" else token.name, token.number)

    def close(self) -> Iterator[Block]:
        """What the file ends with."""
        self._flush()
        yield from self._paragraph()

    def _take(self, data: bytes) -> None:
        skipped = min(self._to_skip, len(data))
        self._to_skip -= skipped
        if not self._state.is_left_out:
            self._bytes += data[skipped:]

    def _flush(self) -> None:
        if self._bytes:
            charset = self._charsets.get(-1 if self._state.font is None else self._state.font, 0)
            text = self._bytes.decode(BY_CHARSET.get(charset, self._codec), "replace")
            self._bytes.clear()
            if charset == SYMBOL_CHARSET:
                text = in_font("".join(chr(0xF000 + ord(one)) if one > " " else one for one in text), "Symbol")
            self._add(text)

    def _unicode(self, number: int) -> None:
        code = number + 0x10000 if number < 0 else number
        self._add(chr(code) if 0 < code <= 0xFFFF else "")
        self._to_skip = self._state.fallback

    def _add(self, text: str) -> None:
        state = self._state
        if state.table == "stylesheet" and "heading " in text.lower():
            digit = text.lower().partition("heading ")[2][:1]
            if digit.isdecimal():
                self._style_levels.setdefault(state.style, int(digit))
        if not (state.is_left_out or state.is_hidden or state.table):
            self._pieces.append(text.translate(state.script) if state.script else text)

    def _group(self, brace: str) -> None:
        if brace == "{":
            if len(self._stack) >= MAX_DEPTH:
                raise RecursionError
            self._stack.append(self._state)
            self._state = replace(self._state, note=None)
        elif self._stack:
            begin = self._state.note
            if begin is not None:
                text = " ".join(joined(self._pieces[begin:]).split())
                self._pieces[begin:] = [f" ({text})"] if text else []
            self._state = self._stack.pop()
        self._starred = False

    def _word(self, name: str, number: int | None) -> Iterator[Block]:
        state = self._state
        state.is_left_out |= name in LEFT_OUT or (self._starred and name not in READ_ANYWAY)
        self._starred = False
        if state.is_left_out:
            return
        if name in ("par", "sect"):
            if state.in_table or state.is_note:
                self._add(" ")
            else:
                yield from self._paragraph()
        elif name == "cell":
            self._cells.append(" ".join(joined(self._pieces).split()))
            self._pieces = []
        elif name == "row":
            yield self._row()
        else:
            self._set(name, number)

    def _set(self, name: str, number: int | None) -> None:
        if not (self._set_paragraph(name, number) or self._set_row(name) or self._set_font(name, number)):
            self._set_characters(name, number)

    def _paragraph(self) -> Iterator[Block]:
        lines = (" ".join(line.split()) for line in joined(self._pieces).split("\n"))
        self._pieces = []
        level = self._state.level or self._style_levels.get(self._state.style)
        if text := "\n".join(line for line in lines if line):
            yield Block(text, level)

    def _row(self) -> Block:
        merges = [*self._merges, *[""] * len(self._cells)]
        texts = [
            self._above[at] if merges[at] == "clvmrg" and at < len(self._above) else text
            for at, text in enumerate(self._cells)
        ]
        cells: list[Cell] = []
        for text, merge in zip(texts, merges, strict=False):
            if merge == "clmrg" and cells:
                cells[-1] = replace(cells[-1], columns=cells[-1].columns + 1)
            else:
                cells.append(Cell(text))
        self._above, self._cells = texts, []
        return Block(row=Row(cells, self._is_head))

    def _set_row(self, name: str) -> bool:
        if name == "trowd":
            self._merges, self._merge, self._is_head = [], "", False
        elif name in ("clvmrg", "clmrg"):
            self._merge = name
        elif name == "cellx":
            self._merges.append(self._merge)
            self._merge = ""
        elif name == "trhdr":
            self._is_head = True
        else:
            return False
        return True

    def _set_paragraph(self, name: str, number: int | None) -> bool:
        state = self._state
        if name == "pard":
            state.in_table, state.level, state.style = False, None, 0
        elif name == "intbl":
            state.in_table = True
        elif name == "s":
            state.style = number or 0
        elif name == "outlinelevel" and number is not None:
            state.level = number + 1 if number < BODY_TEXT_LEVEL else None
            if state.table == "stylesheet" and state.level:
                self._style_levels[state.style] = state.level
        elif name in ("fonttbl", "stylesheet"):
            state.table = name
        elif name == "footnote":
            state.note, state.is_note, state.in_table, state.script = len(self._pieces), True, False, {}
        else:
            return False
        return True

    def _set_characters(self, name: str, number: int | None) -> None:
        state = self._state
        if name == "plain":
            state.is_hidden, state.script, state.font = False, {}, self._default_font
        elif name in ("v", "deleted"):
            state.is_hidden = number != 0
        elif name in ("super", "sub", "up", "dn", "nosupersub"):
            is_off = number == 0 or name == "nosupersub"
            state.script = {} if is_off else RAISED if name in ("super", "up") else LOWERED
        elif name == "uc":
            state.fallback = max(number or 0, 0)

    def _set_font(self, name: str, number: int | None) -> bool:
        state = self._state
        if name == "f":
            state.font = number
        elif name == "deff":
            self._default_font = state.font = number
        elif name == "fcharset" and state.font is not None:
            self._charsets[state.font] = number or 0
        elif name in ("ansicpg", "mac", "pc", "pca"):
            self._codec = code_page(CODE_PAGES.get(name, number or 0)) or self._codec
        else:
            return False
        return True
