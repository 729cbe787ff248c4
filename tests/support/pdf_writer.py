"""Small PDFs by hand: content streams, fields and annotations as a test needs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

FONTS = {
    "F1": "/Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding",
    "F2": (
        "/Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [ << /Type /Font "
        "/Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) "
        "/Supplement 0 >> /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /Ascent 752 "
        "/Descent -271 /CapHeight 737 /StemV 58 /ItalicAngle 0 /FontBBox [ -25 -254 1000 880 ] >> >> ]"
    ),
    "F3": "/Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding",
}
HIGH = 842
WIDE = 595


@dataclass
class Page:
    """`content`: the operators. `annotations`: the inside of their dictionaries. `to_unicode`: what F1 shows."""

    content: str = ""
    rotate: int = 0
    annotations: list[str] = field(default_factory=list)
    to_unicode: dict[int, int] | None = None


def text(x: float, y: float, words: str, size: float = 12, *, font: str = "F1", before: str = "") -> str:
    """One string; `before` are operators such as `3 Tr`."""
    if font == "F2":
        shown = f"<{words.encode('utf-16-be').hex()}>"
    else:
        escaped = words.encode("cp1252").decode("latin-1").replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        shown = f"({escaped})"
    return f"q BT {before} /{font} {size} Tf 1 0 0 1 {x} {y} Tm {shown} Tj ET Q\n"


def lines(x: float, y: float, *words: str, size: float = 12, pitch: float = 1.3, font: str = "F1") -> str:
    """Strings one under the other."""
    return "".join(text(x, y - at * pitch * size, line, size, font=font) for at, line in enumerate(words))


def table(x: float, y: float, rows: list[list[str]], *, width: float = 110, pitch: float = 18, size: float = 11) -> str:
    """Rows of cells that begin under each other."""
    return "".join(
        text(x + column * width, y - row * pitch, cell, size)
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
        if cell
    )


def box(left: float, bottom: float, width: float, height: float, colour: str = "0 0 0") -> str:
    """A filled rectangle."""
    return f"q {colour} rg {left} {bottom} {width} {height} re f Q\n"


def picture(left: float, bottom: float, width: float, height: float) -> str:
    """A grey picture of one pixel."""
    return f"q {width} 0 0 {height} {left} {bottom} cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x80 EI Q\n"


def text_field(name: str, value: str, left: float, bottom: float, *, more: str = "") -> str:
    """A filled text field."""
    return (
        f"/Type /Annot /Subtype /Widget /FT /Tx /F 4 /T ({name}) /V ({value}) /DA (/F1 11 Tf 0 g) "
        f"/Rect [ {left} {bottom} {left + 120} {bottom + 18} ] {more}"
    )


def tick_box(name: str, left: float, bottom: float, *, is_ticked: bool, more: str = "") -> str:
    """A box to tick."""
    state = "/Yes" if is_ticked else "/Off"
    return (
        f"/Type /Annot /Subtype /Widget /FT /Btn /F 4 /T ({name}) /V {state} /AS {state} "
        f"/Rect [ {left} {bottom} {left + 14} {bottom + 14} ] "
        f"/AP << /N << /Yes << >> /Off << >> >> >> {more}"
    )


def note(words: str, *, flags: int = 4) -> str:
    """Text that lies on the page as an annotation."""
    return f"/Type /Annot /Subtype /FreeText /F {flags} /Rect [ 72 600 420 640 ] /Contents ({words}) /DA (0 g)"


def layered(layer: str, content: str) -> str:
    """What lies in a layer."""
    return f"/OC /{layer} BDC {content} EMC\n"


def pdf(*pages: Page | str, catalog: str = "", form: str = "", layers: Mapping[str, bool] | None = None) -> bytes:
    """The file. `catalog` and `form` are the inside of more entries; `layers`: which are shown."""
    numbered: list[str] = ["", ""]

    def add(body: str) -> int:
        numbered.append(body)
        return len(numbered)

    fonts = {name: add(f"<< {body} >>") for name, body in FONTS.items()}
    groups = {name: add(f"<< /Type /OCG /Name ({name}) >>") for name in layers or {}}
    properties = " ".join(f"/{name} {number} 0 R" for name, number in groups.items())
    off = [groups[name] for name, is_shown in (layers or {}).items() if not is_shown]
    if groups:
        catalog += (
            f"/OCProperties << /OCGs [ {_references(list(groups.values()))} ] /D << /OFF [ {_references(off)} ] >> >>"
        )
    kids, fields = [], []
    for one in (Page(page) if isinstance(page, str) else page for page in pages):
        own = dict(fonts)
        if one.to_unicode:
            own["F1"] = add(f"<< {FONTS['F1']} /ToUnicode {add(_stream(_to_unicode(one.to_unicode)))} 0 R >>")
        resources = " ".join(f"/{name} {number} 0 R" for name, number in own.items())
        annotations = [add(f"<< {body} >>") for body in one.annotations]
        fields += [number for number, body in zip(annotations, one.annotations, strict=True) if "/Widget" in body]
        kids.append(
            add(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [ 0 0 {WIDE} {HIGH} ] /Rotate {one.rotate} /Contents "
                f"{add(_stream(one.content))} 0 R /Annots [ {_references(annotations)} ] "
                f"/Resources << /Font << {resources} >> /Properties << {properties} >> >> >>"
            )
        )
    acro_form = f"/AcroForm << /Fields [ {_references(fields)} ] {form} >>" if fields or form else ""
    numbered[0] = f"<< /Type /Catalog /Pages 2 0 R {acro_form} {catalog} >>"
    numbered[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [ {_references(kids)} ] >>"
    return _file(numbered)


def _references(numbers: list[int]) -> str:
    return " ".join(f"{number} 0 R" for number in numbers)


def _stream(content: str) -> str:
    return f"<< /Length {len(content.encode('latin-1'))} >>\nstream\n{content}\nendstream"


def _to_unicode(pairs: dict[int, int]) -> str:
    shown = [f"<{code:02X}> <{letter:04X}>" for code, letter in pairs.items()]
    blocks = [shown[at : at + 90] for at in range(0, len(shown), 90)]
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        "1 begincodespacerange <00> <FF> endcodespacerange\n"
        + "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
        + "\nendcmap end end"
    )


def _file(numbered: list[str]) -> bytes:
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(numbered, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table_place = len(out)
    out += f"xref\n0 {len(numbered) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    return out + f"trailer << /Size {len(numbered) + 1} /Root 1 0 R >>\nstartxref\n{table_place}\n%%EOF".encode()
