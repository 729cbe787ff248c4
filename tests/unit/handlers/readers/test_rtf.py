"""Rich text as it looks with all changes accepted."""

import pytest

from handlers.readers.section import UnreadableError
from tests.unit.handlers.readers.reading import read_content

HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial CYR;}{\f2\fcharset128 Mincho;}}"
    r"{\stylesheet{\s1\outlinelevel0 heading 1;}{\s2 heading 2;}}{\info{\title Title}}{\*\generator Riched20;}"
)


def text(tmp_path, body):
    return "".join(section.text for section in read_content(tmp_path, "a.rtf", f"{HEAD}{body}}}")[0])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r"Die R\'fcckgabe kostet 39 \'80.\par", "Die Rückgabe kostet 39 €.\n"),
        (r"{\f1 \'c4\'ee\'f1\'f2\'e0\'e2\'ea\'e0} 9\par", "Доставка 9\n"),
        (r"{\f2 \'93\'fa\'96\'7b\'83A}\par", "日本ア\n"),
        (r"caf\u233?\u8212?\par", "café—\n"),
        (r"\uc2 \u233\'e9\'20x\par", "éx\n"),
        (r"\u-10179?\u-8704?!\par", "😀!\n"),
        (r"a{\v secret} b{\v c\v0 d}\par", "a bd\n"),
        (r"open {\deleted eight}{\revised nine}\par", "open nine\n"),
        (r"25{\super 1} euros\par", "25¹ euros\n"),
        (r"Hall 240{\super 1{\footnote Clubs pay 90.}} euros\par", "Hall 240¹ (Clubs pay 90.) euros\n"),
        (r'{\field{\*\fldinst HYPERLINK "x"}{\fldrslt the list}}\par', "the list\n"),
        (r"{\listtext\f0 4.2\tab}A late payment.\par", "4.2 A late payment.\n"),
        (r"{\header HEAD\par}{\footer FOOT\par}body\par", "body\n"),
        (r"a{\*\annotation nasty}b{\*\unknown nasty}c\par", "abc\n"),
        (r"a{\pict\pngblip 89504e{\*\blipuid 12}}b{\pict\bin5 }}}}}x}c\par", "abc\n"),
        (r"{\shp{\*\shpinst{\sp{\sn x}{\sv 7}}{\shptxt \pard box\par}}{\shprslt twice}}after\par", "box\n\nafter\n"),
        ("one\\\ntwo\\line three", "one\n\ntwo\nthree\n"),
        (r"\trowd\cellx1\cellx2\cellx3 Boat\cell Day\cell Week\cell\row Canoe\cell 9\cell 50\cell\row\pard After\par",
         "Boat: Canoe; Day: 9; Week: 50\n\nAfter\n"),
        (r"\trowd\clvmgf\cellx1\cellx2 Sun\cell 9\cell\row\trowd\clvmrg\cellx1\cellx2 \cell 10\cell\row",
         "Sun | 9\nSun | 10\n"),
    ],
)  # fmt: skip
def test_a_text_reads_as_it_shows(tmp_path, body, expected):
    assert text(tmp_path, body) == expected


def test_headings_follow_the_styles(tmp_path):
    body = r"\pard\s1 Fees\par\pard x\par\pard\s2 Late\par\pard\plain y\par"
    sections = read_content(tmp_path, "a.rtf", f"{HEAD}{body}}}")[0]

    assert [(one.heading, one.text) for one in sections] == [("Fees", "x\n"), ("Fees > Late", "y\n")]


def test_a_file_that_ends_too_early_is_read_as_far_as_it_goes(tmp_path):
    assert read_content(tmp_path, "a.rtf", f"{HEAD}text without an end")[0][0].text == "text without an end\n"


def test_groups_without_end_fail_with_a_reason(tmp_path):
    with pytest.raises(UnreadableError, match="damaged"):
        read_content(tmp_path, "a.rtf", HEAD + "{" * 100_000)
