"""JSON and JSON Lines: records with their keys."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.readers.section import UnreadableError
from handlers.readers.text.records.json_records import read_records
from tests.unit.handlers.readers.reading import CASES, read, read_content, text_of


def texts(tmp_path, content, name="a.json"):
    return [section.text for section in read_content(tmp_path, name, content)[0]]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('[{"q": "Dogs?", "a": "Yes."}, {"q": "Cats?", "a": "No."}]', ["q: Dogs?; a: Yes.\n", "q: Cats?; a: No.\n"]),
        ('{"stock": {"Bergen": 7}, "tags": ["a", "b"]}', ["stock.Bergen: 7; tags: a, b\n"]),
        ('{"faq": [{"q": 1}], "meta": {"v": 2}}', ["q: 1\n", "meta.v: 2\n"]),
        ('{"people": {"staff": [{"name": "Ada"}]}}', ["name: Ada\n"]),
        ('"just text"', ["just text\n"]),
        ("[1, 2]", ["1\n2\n"]),
        ('{"price": 12.50, "id": 00012345678901234567890}'.replace("000", ""), None),
        ('{"k": 1, "k": 2}', ["k: 1; k: 2\n"]),
        ('{"a": null, "b": true, "c": ""}', ["b: true\n"]),
        ('{"by_id": {"T-1": {"n": 1}, "T-2": {"n": 2}}}', ["by_id: T-1; n: 1\n", "by_id: T-2; n: 2\n"]),
        ('{"T-1": {"n": 1}, "T-2": {"n": 2}}', ["key: T-1; n: 1\n", "key: T-2; n: 2\n"]),
        ('{"a": {"b": {"c": [{"n": 1}, {"n": 2}]}}, "v": 3}', ["n: 1\n", "n: 2\n", "v: 3\n"]),
        ('[{"order": 1, "items": [{"sku": "a"}, {"sku": "b"}]}]', ["order: 1; items[1].sku: a; items[2].sku: b\n"]),
        ('[["name", "price"], ["Tent", 20], ["Tarp", 9]]', ["name: Tent; price: 20\nname: Tarp; price: 9\n"]),
        ('{"data": [[1, 2], [3, 4]]}', ["1 | 2\n3 | 4\n"]),
        ('["one tip", {"n": 1}, [["deep"]]]', ["one tip\n", "n: 1\n", "deep\n"]),
        ('{"a": 1} {"a": 2}', ["a: 1\n", "a: 2\n"]),
        ('{"a": "two\\nlines", "b": 1}', ["a: two\nlines\nb: 1\n"]),
        ('{"a": {"x": {}}, "b": {"y": {}}}', []),
        ("[]", []),
        ("{}", []),
        ('\ufeff{"a": 1}', ["a: 1\n"]),
        ('{"a": "x\\u0000y\\ud800"}', ["a: xy\n"]),
        ('{"a": 1}\n{"a": 2}\n', ["a: 1\n", "a: 2\n"]),
    ],
)
def test_a_record_is_a_section_with_its_keys(tmp_path, content, expected):
    found = texts(tmp_path, content)

    assert found == (expected or ["price: 12.50; id: 12345678901234567890\n"] if expected is None else expected)


@pytest.mark.parametrize(
    "nest",
    [
        lambda records: records,
        lambda records: {"data": {"items": records}},
        lambda records: {str(number): record for number, record in enumerate(records)},
        lambda records: {"by": {"id": {str(number): record for number, record in enumerate(records)}}},
        lambda records: {"name": "Spring", "catalog": {"title": "All", "products": records}},
        lambda records: [{"products": records}],
    ],
    ids=["list", "nested list", "map", "nested map", "beside names", "large record"],
)
def test_each_of_many_records_is_a_section(tmp_path, nest):
    records = [{"sku": f"S-{number}", "stock": {"Oslo": number}} for number in range(1_000)]
    found = [text for text in texts(tmp_path, json.dumps(nest(records))) if "sku: " in text]

    assert len(found) == 1_000
    assert found[77].endswith("sku: S-77; stock.Oslo: 77\n")


def test_a_long_text_is_several_sections(tmp_path):
    found = texts(tmp_path, json.dumps({"text": "word " * 100_000}))

    assert len(found) == 3
    assert sum(text.count("word") for text in found) == 100_000


@settings(deadline=None)
@given(value=st.recursive(
    st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
))  # fmt: skip
def test_every_scalar_of_any_document_is_read_once(value):
    def scalars(one):
        if isinstance(one, dict):
            return [found for member in one.values() for found in scalars(member)]
        if isinstance(one, list):
            return [found for member in one for found in scalars(member)]
        return [] if one is None else [str(one).lower() if isinstance(one, bool) else str(one)]

    text = "\n".join(record.text for record in read_records(json.dumps(value)))

    for scalar, count in Counter(filter(None, scalars(value))).items():
        assert text.count(scalar) >= count


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
    assert "q: May I bring a dog?; a: Dogs are welcome in the garden" in text_of(CASES / "51b-nested.json")
