"""Small Word and PowerPoint files, written by hand."""

from zipfile import ZipFile

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
NAMESPACES = f'xmlns:w="{W}" xmlns:m="{M}" xmlns:p="{P}" xmlns:a="{A}" xmlns:r="{R}" xmlns:mc="{MC}"'

CHART = (
    '<c:chartSpace xmlns:c="c"><c:ser><c:tx><c:strRef><c:strCache><c:pt idx="0"><c:v>Share</c:v></c:pt></c:strCache>'
    "</c:strRef></c:tx><c:cat><c:strRef><c:strCache>"
    '<c:pt idx="0"><c:v>May</c:v></c:pt><c:pt idx="1"><c:v>June</c:v></c:pt></c:strCache></c:strRef></c:cat>'
    "<c:val><c:numRef><c:numCache><c:formatCode>0%</c:formatCode>"
    '<c:pt idx="0"><c:v>0.25</c:v></c:pt><c:pt idx="1"><c:v>0.5</c:v></c:pt></c:numCache></c:numRef></c:val></c:ser>'
    "</c:chartSpace>"
)


def paragraph(*runs, properties=""):
    """A paragraph; a run is text or XML."""
    inside = "".join(
        run if run.startswith("<") else f'<w:r><w:t xml:space="preserve">{run}</w:t></w:r>' for run in runs
    )
    return f"<w:p><w:pPr>{properties}</w:pPr>{inside}</w:p>"


def numbered(words, level=0, number=7):
    """A paragraph in the list of this number."""
    return paragraph(words, properties=f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def table(*rows):
    """Rows of cells; a cell is text or XML that begins with `<w:tcPr`."""

    def cell(text):
        properties, _, rest = text.rpartition("/w:tcPr>") if text.startswith("<w:tcPr") else ("", "", text)
        return f"<w:tc>{properties + '/w:tcPr>' if properties else ''}{paragraph(rest)}</w:tc>"

    return "<w:tbl>" + "".join(f"<w:tr>{''.join(map(cell, row))}</w:tr>" for row in rows) + "</w:tbl>"


def word(path, body, **parts):
    """A document with this body; `parts`: the content of `word/<name>.xml`."""
    with ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>")
        for name, content in parts.items():
            archive.writestr(f"word/{name}.xml", f"<w:{name} {NAMESPACES}>{content}</w:{name}>")
    return path


def shape(text, *, kind=None, x=0, y=0):
    """A text shape; `kind`: its placeholder."""
    mark = f'<p:ph type="{kind}"/>' if kind else ""
    lines = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name="x"/><p:nvPr>{mark}</p:nvPr></p:nvSpPr><p:spPr><a:xfrm>'
        f'<a:off x="{x}" y="{y}"/></a:xfrm></p:spPr><p:txBody>{lines}</p:txBody></p:sp>'
    )


def deck(path, *slides, notes=None):
    """Slides of shapes; a slide that begins with `hidden` is hidden. `notes`: slide number → text."""
    with ZipFile(path, "w") as archive:
        ids = "".join(f'<p:sldId r:id="r{number}"/>' for number in range(1, len(slides) + 1))
        archive.writestr(
            "ppt/presentation.xml", f"<p:presentation {NAMESPACES}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>"
        )
        archive.writestr(
            "ppt/_rels/presentation.xml.rels", _relations("slide", "slides/slide", range(1, len(slides) + 1))
        )
        for number, content in enumerate(slides, 1):
            show = ' show="0"' if content.startswith("hidden") else ""
            archive.writestr(f"ppt/slides/slide{number}.xml", _slide("sld", content.removeprefix("hidden"), show))
        for number, text in (notes or {}).items():
            archive.writestr(
                f"ppt/slides/_rels/slide{number}.xml.rels",
                _relations("notesSlide", "../notesSlides/notesSlide", [number]),
            )
            content = shape(text, kind="body") + shape(str(number), kind="sldNum")
            archive.writestr(f"ppt/notesSlides/notesSlide{number}.xml", _slide("notes", content))
    return path


def _slide(name, content, attributes=""):
    return f"<p:{name} {NAMESPACES}{attributes}><p:cSld><p:spTree>{content}</p:spTree></p:cSld></p:{name}>"


def relations_part(*entries):
    """Relations `r1`, `r2`, …; an entry is the kind and the target."""
    found = "".join(
        f'<Relationship Id="r{number}" Type="{R}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(entries, 1)
    )
    return f'<Relationships xmlns="{RELATIONS}">{found}</Relationships>'


def _relations(kind, target, numbers):
    entries = "".join(
        f'<Relationship Id="r{number}" Type="{R}/{kind}" Target="{target}{number}.xml"/>' for number in numbers
    )
    return f'<Relationships xmlns="{RELATIONS}">{entries}</Relationships>'
