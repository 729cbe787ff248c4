"""XML: records with the names of their elements."""

import pytest

from handlers.readers.section import UnreadableError
from tests.unit.handlers.readers.reading import read_content

FEED = """<rss><channel><title>News</title>
<item><title>A</title><description>&lt;p&gt;So &lt;b&gt;it&lt;/b&gt;.&lt;/p&gt;</description></item>
<item><title>B</title><description><![CDATA[<p>Two.</p>]]></description></item></channel></rss>"""


def found(tmp_path, content, name="a.xml"):
    return [(section.heading, section.text) for section in read_content(tmp_path, name, content)[0]]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            FEED,
            [
                ("rss.channel", "title: News\n"),
                ("rss.channel.item", "title: A; description: So it.\n"),
                ("rss.channel.item", "title: B; description: Two.\n"),
            ],
        ),
        (
            "<urlset><url><loc>http://a.example</loc></url><url><loc>http://b.example</loc></url></urlset>",
            [("urlset.url", "loc: http://a.example\n"), ("urlset.url", "loc: http://b.example\n")],
        ),
        (
            '<o><order id="7"><name>Ada</name><i><p>Tent</p><p>Tarp</p></i></order><order id="8"/></o>',
            [("o.order", "id: 7; name: Ada; i.p: Tent, Tarp\n"), ("o.order", "id: 8\n")],
        ),
        (
            "<book><p>Press the <b>green</b> button.</p><!-- not this --><p>Then wait.</p></book>",
            [(None, "book.p: Press the green button., Then wait.\n")],
        ),
        ('<a:x xmlns:a="urn:a" a:y="1"><a:z>Tent</a:z></a:x>', [(None, "x.y: 1; x.z: Tent\n")]),
        ('<?xml version="1.0" encoding="iso-8859-1"?><x>Gebühr</x>'.encode("latin-1"), [(None, "x: Gebühr\n")]),
        ("<x/>", []),
    ],
)
def test_a_record_is_a_section_with_its_names(tmp_path, content, expected):
    assert found(tmp_path, content) == expected


def test_no_entity_is_resolved(tmp_path):
    (tmp_path / "secret").write_text("4711")
    document = (
        f'<!DOCTYPE x [<!ENTITY s SYSTEM "file://{tmp_path}/secret"><!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
        "<x><y>&s;</y><y>&b;</y><z>fine</z></x>"
    )

    assert found(tmp_path, document) == [(None, "x.z: fine\n")]


@pytest.mark.parametrize("content", ["<x><y></x>", "<x>", "x", "<a>" * 5_000 + "</a>" * 5_000])
def test_broken_xml_fails_with_a_reason(tmp_path, content):
    with pytest.raises(UnreadableError) as raised:
        found(tmp_path, content)

    assert raised.value.code == "broken"


def test_many_records_are_read_one_by_one(tmp_path):
    content = "<list>" + "".join(f"<item><n>{n}</n><t>Text</t></item>\n" for n in range(5_000)) + "</list>"

    assert found(tmp_path, content)[-1] == ("list.item", "n: 4999; t: Text\n")
