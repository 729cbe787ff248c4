"""Versions in the vector stores: deleted up to one, looked up by text, counted."""

import pytest

from tests.integration.stores.test_vectors import chunk, texts, vectors
from tests.support.fakes_knowledge import unit

__all__ = ["vectors"]


async def test_a_delete_up_to_a_version_leaves_later_ones(vectors):
    for version in (1, 2, 3):
        await vectors.upsert("acme", [chunk(0, version=version)])
    await vectors.publish_version("acme", "doc", 1)
    await vectors.delete("acme", "doc", up_to=2)
    hidden = await texts(vectors)
    await vectors.publish_version("acme", "doc", 3)

    assert hidden == []
    assert await texts(vectors) == ["text doc 3 0"]


async def test_the_vectors_of_known_texts_come_back_for_their_document_only(vectors):
    await vectors.upsert("acme", [chunk(0, digest="a"), chunk(1, digest="b", vector=unit(1, 1))])
    await vectors.upsert("other", [chunk(0, digest="a")])
    known = await vectors.vectors_of("acme", "doc", ["b", "c"])

    assert list(known) == ["b"]
    assert known["b"] == pytest.approx(unit(1, 1), abs=1e-6)
    assert await vectors.vectors_of("acme", "another", ["a", "b"]) == {}


async def test_an_audit_sees_every_version_of_every_client(vectors):
    await vectors.upsert("acme", [chunk(0), chunk(1)])
    await vectors.publish_version("acme", "doc", 1)
    await vectors.upsert("acme", [chunk(0, version=2)])
    await vectors.upsert("other", [chunk(0, document_id="new")])

    assert await vectors.versions() == {
        ("acme", "doc", 1): (2, 2),
        ("acme", "doc", 2): (1, 0),
        ("other", "new", 1): (1, 0),
    }
