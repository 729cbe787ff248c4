"""Markdown as it looks once it is rendered."""

import pytest

from handlers.readers.text.front_matter import front_matter
from tests.unit.handlers.readers.reading import CASES, read, read_content, text_of


def text(tmp_path, content):
    return "".join(section.text for section in read_content(tmp_path, "a.md", content)[0])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("One line\nand its end.\n", "One line and its end.\n"),
        ("**Bold** and *soft* and `a*b*c`.", "Bold and soft and a*b*c.\n"),
        ('See [the list](https://x.example/a?b=1#c "t") now.', "See the list now.\n"),
        ("[Book][b] a seat.\n\n[b]: https://x.example\n", "Book a seat.\n"),
        ("<https://x.example/a>", "https://x.example/a\n"),
        ("![A tent](a.png) stands.", "A tent stands.\n"),
        ("3&nbsp;euros &amp; 20&nbsp;cents", "3 euros & 20 cents\n"),
        ("Before <!-- never --> after", "Before after\n"),
        ("Text[^1] goes on.\n\n[^1]: A note\n    of two lines.\n", "Text (A note of two lines.) goes on.\n"),
        ("You need:\n\n- a tent\n- a mat\n  - soft\n", "You need:\n- a tent\n- a mat\n  - soft\n"),
        ("3. three\n4. four\n", "3. three\n4. four\n"),
        ("- [x] done\n", "- [x] done\n"),
        ("- ```sh\n  # no heading\n  ```\n- two\n", "- # no heading\n- two\n"),
        ("```\nx  =  1\n\ny\n```\n", "x  =  1\n\ny\n"),
        (
            "| Boat | Price |\n|---|--:|\n| Canoe \\| small | 9 |\n| | 5 |\n",
            "Boat: Canoe | small; Price: 9\nPrice: 5\n",
        ),
        ("<table><tr><th>Day<th>Open<tr><td>Sun<td>10:00<br>to 18:00</table>", "Day: Sun; Open: 10:00 to 18:00\n"),
        ("<details><summary>Towels</summary>\n\nA towel is 2 €.\n\n</details>", "Towels\n\nA towel is 2 €.\n"),
        ("Enter <your-name> or a<b and c>d.", "Enter <your-name> or a<b and c>d.\n"),
        ("<script>var x</script>\n\n<style>p{}</style>\n\nText", "Text\n"),
        ("E = mc<sup>2</sup>, 25<sup>1</sup> euros", "E = mc², 25¹ euros\n"),
        ("---\n\n# Bakery\n\nBread.\n", "Bread.\n"),
        ("---\ntitle: T\nnote: secret\n---\nBread.\n", "Bread.\n"),
        ("+++\ntitle = 'T'\n[extra]\nnote = 'secret'\n+++\nBread.\n", "Bread.\n"),
        ("![p](data:image/png;base64," + "A" * 5_000 + ")\n\nText", "p\n\nText\n"),
        ("> quoted\n> line\n", "quoted line\n"),
        ("Term\\\nbroken", "Term\nbroken\n"),
    ],
)
def test_the_text_is_what_a_person_reads(tmp_path, content, expected):
    assert text(tmp_path, content) == expected


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        ("---\na: 1\n---\nx", 3),
        ("---\na: 1\nnot a setting!\n---\n", 0),
        ("---\n\n# Title\n---\n", 0),
        ("---\ntags:\n  - a\nb:\n...\n", 5),
        ("+++\na = 1\n+++\n", 3),
        ("text", 0),
        ("", 0),
    ],
)
def test_front_matter_has_a_closing_line_and_settings_only(content, taken):
    assert front_matter(content.splitlines())[0] == taken


def test_a_large_file_keeps_its_headings_over_windows(tmp_path):
    part = "Words and words. " * 40 + "[link][far]\n\n"
    content = "# Top\n\n" + "".join(f"## Part {n}\n\n{part}" for n in range(600)) + "[far]: https://x.example\n"
    sections, _ = read_content(tmp_path, "a.md", content)

    assert len(sections) == 600
    assert sections[-1].heading == "Top > Part 599"
    assert "[far]" not in sections[0].text


def test_an_open_code_fence_ends_with_its_file(tmp_path):
    sections = [
        section for _ in range(2) for section in read_content(tmp_path, "a.md", "# One\n```\n# still code\n")[0]
    ]

    assert [(section.heading, section.text) for section in sections] == [("One", "# still code\n")] * 2


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "expected", "absent"),
    [
        ("24-mentions-pdf.md", "3 millimetres of bleed", ()),
        ("35-inline-picture.md", "41 kilograms", ("base64", "data:")),
        ("36-long-table.md", "Model: Oak; Charging time: 49 min; Range: 52 km; Price per hour in euros: 6.40", ()),
        ("37-links.md", "Photos cost 3 euros & copies 20 cents.", ("[seat]", "&nbsp;", "http")),
        ("38-front-matter.md", "A crossing takes 25 minutes.", ("draft_note", "13")),
        ("38b-toml-front-matter.md", "A kite is rented for 8 euros an hour.", ("secret_note",)),
        ("39-html-table.md", "Day: Sunday; Open: 10:00 to 18:00", ("tracker", "color", "&euro;")),
    ],
)
def test_cases_that_people_reported(name, expected, absent):
    found = text_of(CASES / name)

    assert expected in found
    assert not [one for one in absent if one in found]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "headings"),
    [
        ("32-fence-in-list.md", ["Wiring", "Battery", "Mounting"]),
        ("32b-fence-one-item.md", ["Before winter", "Price of a new seal"]),
        ("33-rule-first.md", ["Bakery", "Delivery", "Allergies"]),
    ],
)
def test_headings_of_cases_that_people_reported(name, headings):
    assert [section.heading.rpartition(" > ")[2] for section in read(CASES / name)[0]] == headings
