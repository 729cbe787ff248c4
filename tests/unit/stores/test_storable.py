"""What Postgres cannot store is replaced at any depth, and nothing else changes."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from schemas.passages import Source
from stores.postgres.database import storable

# Neither half a surrogate pair nor a written-out escape is a NUL, and the JSON encoder refuses the former.
TEXTS = st.lists(st.sampled_from(["a", "\0", r"\u0000", "\ud83d"]), max_size=3).map("".join)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


@given(VALUES)
def test_each_nul_is_replaced_and_nothing_else(value):
    assert leaves(storable(value)) == [
        leaf.replace("\0", "\ufffd") if isinstance(leaf, str) else leaf for leaf in leaves(value)
    ]


def leaves(value):
    """All leaf values and dictionary keys."""
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in (key, *leaves(item))]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def test_a_uuid_is_unchanged_and_a_model_with_nul_becomes_json():
    source = Source(n=1, document_id="doc_1", title="T", snippet="a\0b", score=0.5)
    row = {"id": uuid4(), "text": "a\0b", "sources": [source]}

    assert storable(row) == row | {"text": "a\ufffdb", "sources": [source.model_dump() | {"snippet": "a\ufffdb"}]}
