"""Automatic numbers of Word."""

import pytest

from handlers.readers.office.numerals import numeral
from tests.unit.handlers.readers.office_files import numbered, paragraph, word
from tests.unit.handlers.readers.reading import text_of

NUMBERING = """
<w:abstractNum w:abstractNumId="1">
 <w:lvl w:ilvl="0"><w:start w:val="4"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1"/></w:lvl>
 <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>
 <w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%3)"/></w:lvl>
</w:abstractNum>
<w:abstractNum w:abstractNumId="2">
 <w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val="x"/></w:lvl>
</w:abstractNum>
<w:num w:numId="7"><w:abstractNumId w:val="1"/></w:num>
<w:num w:numId="8"><w:abstractNumId w:val="2"/></w:num>
<w:num w:numId="9"><w:abstractNumId w:val="1"/>
 <w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>
"""


def text(tmp_path, body, **parts):
    return text_of(word(tmp_path / "a.docx", body, **parts))


def test_numbers_are_counted_as_word_does(tmp_path):
    body = "".join(
        (numbered("Rent"), numbered("Due", 1), numbered("Late", 1), numbered("First", 2), numbered("Second", 2),
         numbered("Keys"), numbered("Lost", 1), numbered("Dot", number=8), numbered("Anew", number=9))
    )  # fmt: skip

    assert text(tmp_path, body, numbering=NUMBERING).splitlines() == [
        "4 Rent", "  4.1 Due", "  4.2 Late", "    (a) First", "    (b) Second", "5 Keys", "  5.1 Lost", "- Dot",
        "1 Anew",
    ]  # fmt: skip


def level(number, kind, text, more=""):
    start = f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>'
    return f'{start}{more}<w:lvlText w:val="{text}"/></w:lvl>'


CUSTOM = (
    '<w:lvl w:ilvl="0"><mc:AlternateContent><mc:Choice><w:numFmt w:val="custom" w:format="001, 002, 003, ..."/>'
    '</mc:Choice></mc:AlternateContent><w:lvlText w:val="%1"/></w:lvl>'
)
LINK = '<w:abstractNum w:abstractNumId="2"><w:numStyleLink w:val="L"/></w:abstractNum>'
CLAUSES = """
<w:style w:styleId="C1"><w:name w:val="One"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
<w:style w:styleId="C2"><w:name w:val="Two"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
"""


@pytest.mark.parametrize(
    ("levels", "body", "expected"),
    [
        (level(0, "decimal", "%1."), numbered("A", 0, 1) + numbered("", 0, 1) + numbered("C", 0, 1), "1. A\n3. C\n"),
        (level(0, "decimal", ""), numbered("A", 0, 1), "A\n"),
        (level(0, "none", "Note:"), numbered("A", 0, 1), "Note: A\n"),
        (level(0, "decimal", "%1.") + level(1, "decimal", "%2)", '<w:lvlRestart w:val="0"/>'),
         "".join(numbered("x", at, 1) for at in (0, 1, 0, 1)), "1. x\n  1) x\n2. x\n  2) x\n"),
        (level(0, "upperRoman", "%1") + level(1, "decimal", "%1.%2", "<w:isLgl/>"),
         numbered("x", 0, 1) + numbered("x", 1, 1), "I x\n  1.1 x\n"),
        (level(0, "decimal", "%1", '<w:pStyle w:val="C1"/>') + level(1, "decimal", "%1.%2", '<w:pStyle w:val="C2"/>'),
         "".join(paragraph("x", properties=f'<w:pStyle w:val="{one}"/>') for one in ("C1", "C2", "C2")),
         "1 x\n  1.1 x\n  1.2 x\n"),
        ('<w:styleLink w:val="L"/>' + level(0, "decimal", "%1."), numbered("A", 0, 1) + numbered("B", 0, 2),
         "1. A\n2. B\n"),
        (CUSTOM, numbered("A", 0, 1), "001 A\n"),
    ],
)  # fmt: skip
def test_numbers_follow_the_definition_of_their_list(tmp_path, levels, body, expected):
    numbering = (
        f'<w:abstractNum w:abstractNumId="1">{levels}</w:abstractNum>{LINK}'
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="2"/></w:num>'
    )

    assert text(tmp_path, body, numbering=numbering, styles=CLAUSES) == expected


@pytest.mark.parametrize(
    ("count", "kind", "expected"),
    [(4, "lowerRoman", "iv"), (1999, "upperRoman", "MCMXCIX"), (28, "lowerLetter", "bb"), (3, "decimalZero", "03"),
     (12, "chineseCounting", "十二"), (110, "chineseCountingThousand", "一百一十"),
     (101, "chineseCounting", "一百零一"), (120, "japaneseCounting", "百二十"),
     (2, "ordinal", "2nd"), (12, "ordinal", "12th"), (3, "russianLower", "в"),
     (2, "decimalEnclosedCircle", "②"), (7, "hebrew1", "7"), (0, "lowerRoman", "0")],
)  # fmt: skip
def test_numerals(count, kind, expected):
    assert numeral(count, kind) == expected
