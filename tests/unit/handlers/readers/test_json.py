"""JSON and JSON Lines: records with their keys."""

import json

import pytest

from handlers.readers.section import UnreadableError
from tests.unit.handlers.readers.reading import CASES, read, read_content, text_of


def texts(tmp_path, content, name="a.json"):
    return [section.text for section in read_content(tmp_path, name, content)[0]]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('[{"q": "Dogs?", "a": "Yes."}, {"q": "Cats?", "a": "No."}]', ["q: Dogs?\na: Yes.\n", "q: Cats?\na: No.\n"]),
        ('{"stock": {"Bergen": 7}, "tags": ["a", "b"]}', ["stock.Bergen: 7\ntags: a, b\n"]),
        ('{"faq": [{"q": 1}], "meta": {"v": 2}}', ["q: 1\n", "meta.v: 2\n"]),
        ('{"people": {"staff": [{"name": "Ada"}]}}', ["people.staff[1].name: Ada\n"]),
        ('"just text"', ["just text\n"]),
        ("[1, 2]", ["1\n", "2\n"]),
        ('{"price": 12.50, "id": 00012345678901234567890}'.replace("000", ""), None),
        ('{"k": 1, "k": 2}', ["k: 1\nk: 2\n"]),
        ('{"a": null, "b": true, "c": ""}', ["b: true\n"]),
        ("[]", []),
        ("{}", []),
        ('\ufeff{"a": 1}', ["a: 1\n"]),
        ('{"a": "x\\u0000y\\ud800"}', ["a: xy\n"]),
        ('{"a": 1}\n{"a": 2}\n', ["a: 1\n", "a: 2\n"]),
    ],
)
def test_a_record_is_a_section_with_its_keys(tmp_path, content, expected):
    found = texts(tmp_path, content)

    assert found == (expected or ["price: 12.50\nid: 12345678901234567890\n"] if expected is None else expected)


def test_a_broken_line_is_reported_and_the_others_are_read(tmp_path):
    sections, warnings = read_content(tmp_path, "a.jsonl", '{"a": 1}\n{"a": \n\n{"a": 3}\n')

    assert [(section.row, section.text) for section in sections] == [(1, "a: 1\n"), (4, "a: 3\n")]
    assert warnings == ["Line 2: not JSON, so left out."]


@pytest.mark.parametrize("content", ['{"a": 1,\n "b": }', "[1, 2", "{", '{"a": 1} x', "[" * 100_000])
def test_broken_json_fails_with_its_place(tmp_path, content):
    with pytest.raises(UnreadableError) as raised:
        texts(tmp_path, content)

    assert raised.value.code == "broken"
    assert str(raised.value).endswith("upload it again.")


def test_the_line_of_a_record_is_its_anchor(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"n": number} for number in range(3)], indent=1))

    assert [section.row for section in read(path)[0]] == [2, 5, 8]


@pytest.mark.shared_data
def test_cases_that_people_reported():
    sections, warnings = read(CASES / "51-records.jsonl")

    assert "stock.Bergen: 7" in sections[2].text
    assert warnings == ["Line 4: not JSON, so left out."]
    assert "q: May I bring a dog?\na: Dogs are welcome in the garden" in text_of(CASES / "51b-nested.json")
