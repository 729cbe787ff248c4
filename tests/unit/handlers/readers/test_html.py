"""HTML pages: what a person sees of them."""

import pytest

from tests.conftest import SHARED_DATA
from tests.unit.handlers.readers.reading import CASES, read, read_content, text_of


def text(tmp_path, body, head=""):
    content = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return "".join(section.text for section in read_content(tmp_path, "a.html", content)[0])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>A<b>b</b>c<p>Next <span>one</span>.", "Abc\n\nNext one.\n"),
        ("<div>One</div><div>Two</div>", "One\n\nTwo\n"),
        ("<p>a<br>b", "a\nb\n"),
        ("<ul><li>One<li>Two<ul><li>In</ul></ul>", "- One\n- Two\n  - In\n"),
        ("<ol start=3><li>c<li>d</ol>", "3. c\n4. d\n"),
        ("<dl><dt>Price<dd>9 €<dt>Size<dd>M</dl>", "Price: 9 €\n\nSize: M\n"),
        ("<pre>a\n  b</pre>", "a\n  b\n"),
        ("<nav>Home</nav><p>Text", "Text\n"),
        ("<p hidden>No<p style='display: none'>No<p aria-hidden=true>No<p>Yes", "Yes\n"),
        ("<style>.off, #gone { display:none }</style><p class='a off'>No<p id=gone>No<p>Yes", "Yes\n"),
        ("<div id=cookie-banner>Accept all?</div><p>Yes", "Yes\n"),
        ("<template>No</template><noscript>No</noscript><svg><text>No</text></svg><iframe>No</iframe><p>Yes", "Yes\n"),
        ("<select><option>No</select><textarea>No</textarea><button>No</button><p>Yes", "Yes\n"),
        ("<dialog>No</dialog><details><summary>Sum</summary>Body</details>", "Sum\n\nBody\n"),
        ("<p>Side<main><p>" + "Main text. " * 9 + "</main>", "Main text. " * 8 + "Main text.\n"),
        ("<img alt='A tent' src='data:image/png;base64,AAAA'>", "A tent\n"),
        ("<p>x<script>bad()</script>y", "xy\n"),
        ("caf&eacute; &amp; tea&nbsp;now", "café & tea now\n"),
        ("<p>25<sup>1</sup> euros", "25¹ euros\n"),
    ],
)
def test_what_is_seen_is_read(tmp_path, body, expected):
    assert text(tmp_path, body) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("<tr><th>Bread<th>Price<tr><td>Spelt<td>5", "Bread: Spelt; Price: 5\n"),
        ("<thead><tr><td>Bread<td>Price</thead><tr><td>Spelt<td>5", "Bread: Spelt; Price: 5\n"),
        ("<tr><th>Phone<td>123<tr><th>Fax<td>456", "Phone | 123\nFax | 456\n"),
        ("<tr><th>Day<th colspan=2>Hours<tr><td>Sun<td>10<td>18", "Day: Sun; Hours: 10; Hours: 18\n"),
        ("<tr><th>Day<th>Open<tr><td rowspan=2>Sun<td>10<tr><td>12", "Day: Sun; Open: 10\nDay: Sun; Open: 12\n"),
        ("<tr><td>Boat<td>Day<td>Week<tr><td>Canoe<td>9<td>50", "Boat: Canoe; Day: 9; Week: 50\n"),
        ("<caption>Prices</caption><tr><th>A<th>B<tr><td>1<td>2", "Prices\nA: 1; B: 2\n"),
        ("<tr><td><h2>Left</h2><p>Text<td>Right", "Text\n\nRight\n"),
    ],
)
def test_rows_of_tables_say_what_their_cells_mean(tmp_path, rows, expected):
    assert text(tmp_path, f"<table>{rows}</table>") == expected


def test_headings_are_anchors_and_the_title_stands_in(tmp_path):
    sections, _ = read_content(
        tmp_path, "a.html", "<title>Shop</title><p>Intro<h1>Boats</h1><p>x<h2>Canoe</h2><p>y<h2>Raft</h2>"
    )

    assert [section.heading for section in sections] == ["Shop", "Boats", "Boats > Canoe", "Boats > Raft"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<meta charset=iso-8859-1><p>Käse".encode("latin-1"), "Käse\n"),
        ("<meta charset=iso-8859-1><p>3 €".encode("cp1252"), "3 €\n"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>Сыр'.encode("cp1251"), "Сыр\n"),
        ("<meta charset=shift_jis><p>東京の店".encode("cp932"), "東京の店\n"),
        ("\ufeff<p>Käse".encode("utf-16"), "Käse\n"),
        ("<meta charset=utf-8><p>Käse".encode(), "Käse\n"),
        ("<meta charset=nonsense><p>Käse".encode(), "Käse\n"),
    ],
)
def test_a_page_is_decoded_as_it_says(tmp_path, content, expected):
    assert "".join(section.text for section in read_content(tmp_path, "a.html", content)[0]) == expected


def test_a_page_nested_twenty_thousand_deep_is_read(tmp_path):
    assert text(tmp_path, "<div>" * 20_000 + "deep") == "deep\n"


@pytest.mark.shared_data
def test_the_case_that_people_reported():
    found = text_of(CASES / "49-scripts.html")

    assert "4 euros" in found
    assert "Café" in found
    assert "Bread: Spelt; Price: 5" in found
    words = ("9999", "cookies", "Home", "staff", "Hidden", "Template", "JavaScript", "77", "88", "66", "Imprint")
    assert not [one for one in words if one in found]


@pytest.mark.shared_data
@pytest.mark.parametrize("path", sorted((SHARED_DATA / "files").rglob("*.html")), ids=lambda path: path.name)
def test_no_script_of_a_real_page_is_text(path):
    found = "".join(section.text for section in read(path)[0])

    assert "function(" not in found.replace(" ", "")
    assert found.strip()
