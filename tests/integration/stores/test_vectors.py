"""One suite for the in-memory double, the engine in a folder and the server client, so that they stay alike."""

import asyncio
import itertools
import warnings
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from schemas.failures import RetryableError
from stores.vectors.engine import open_vectors
from stores.vectors.qdrant_edge import SLICE_POINTS
from stores.vectors.qdrant_server import _create_collection, _ServerVectors
from stores.vectors.store import Chunk, VectorStore
from tests.support.fakes_knowledge import DIMENSIONS, FakeVectors, unit


@pytest.fixture(params=["fake", "edge", "server"])
async def vectors(request, tmp_path) -> AsyncIterator[VectorStore]:
    if request.param == "fake":
        store: VectorStore = FakeVectors()
    elif request.param == "edge":
        store = await open_vectors(str(tmp_path / "qdrant"), None, space="test", dimensions=DIMENSIONS)
    else:
        store = server_in_memory()
    yield store
    await store.close()


def server_in_memory():
    """The server store on Qdrant's in-memory client, which supports everything but indexes, on one thread."""
    client = QdrantClient(":memory:")
    with warnings.catch_warnings(action="ignore"):
        _create_collection(client, "test", DIMENSIONS)
    return _ServerVectors(client, ThreadPoolExecutor(1), "test")


def chunk(index=0, document_id="doc", version=1, vector=None, **anchors):
    vector = unit(1, index) if vector is None else vector
    return Chunk(document_id, version, index, "Title", f"text {document_id} {version} {index}", vector, **anchors)


async def texts(vectors, client_id="acme", vector=None, limit=10):
    found = await vectors.search(client_id, unit(1) if vector is None else vector, limit)
    return [passage.text for passage in found]


async def test_the_score_is_the_cosine_and_anchors_come_back(vectors):
    await vectors.upsert(
        "acme", [chunk(0, vector=unit(1), page=3, page_end=4), chunk(1, vector=unit(1, 1), row=9, heading="A > B")]
    )
    await vectors.publish_version("acme", "doc", 1)

    first, second = await vectors.search("acme", unit(1), 5)

    assert (first.score, second.score) == (pytest.approx(1, abs=1e-5), pytest.approx(2**-0.5, abs=1e-5))
    assert (first.page, first.page_end, second.row, second.heading) == (3, 4, 9, "A > B")
    assert (first.title, second.page_end) == ("Title", None)
    assert await texts(vectors, limit=1) == ["text doc 1 0"]


async def test_nothing_is_found_before_its_version_is_published(vectors):
    await vectors.upsert("acme", [chunk()])

    assert await texts(vectors) == []
    assert await vectors.count("acme", "doc") == 1


async def test_a_replay_duplicates_nothing_and_hides_nothing(vectors):
    for _ in range(3):
        await vectors.upsert("acme", [chunk(0), chunk(1)])
    await vectors.publish_version("acme", "doc", 1)
    await vectors.upsert("acme", [chunk(0), chunk(1)])

    assert await texts(vectors) == ["text doc 1 0", "text doc 1 1"]
    assert await vectors.count("acme", "doc") == 2


async def test_a_new_version_replaces_the_old_one_when_it_is_published(vectors):
    await vectors.upsert("acme", [chunk(0), chunk(1)])
    await vectors.publish_version("acme", "doc", 1)
    await vectors.upsert("acme", [chunk(0, version=2)])
    before = await texts(vectors)
    await vectors.publish_version("acme", "doc", 2)

    assert before == ["text doc 1 0", "text doc 1 1"]
    assert await texts(vectors) == ["text doc 2 0"]
    assert await vectors.count("acme", "doc") == 1


async def test_an_old_version_published_late_neither_shows_nor_removes_the_new_one(vectors):
    await vectors.upsert("acme", [chunk(version=2)])
    await vectors.publish_version("acme", "doc", 2)
    await vectors.upsert("acme", [chunk(version=1)])
    await vectors.publish_version("acme", "doc", 1)

    assert await texts(vectors) == ["text doc 2 0"]
    await vectors.publish_version("acme", "doc", 2)
    assert await vectors.count("acme", "doc") == 1


async def test_searches_during_a_switch_see_one_version_whole(vectors):
    await vectors.upsert("acme", [chunk(index) for index in range(4)])
    await vectors.publish_version("acme", "doc", 1)
    await vectors.upsert("acme", [chunk(index, version=2) for index in range(4)])

    async with asyncio.TaskGroup() as tasks:
        searches = [tasks.create_task(texts(vectors)) for _ in range(5)]
        tasks.create_task(vectors.publish_version("acme", "doc", 2))
        searches += [tasks.create_task(texts(vectors)) for _ in range(5)]

    assert {tuple(sorted(search.result())) for search in searches} <= {
        tuple(f"text doc {version} {index}" for index in range(4)) for version in (1, 2)
    }


async def test_a_switch_of_several_slices_is_atomic_for_every_search(vectors):
    many = 2 * SLICE_POINTS + 1
    for version in (1, 2):
        await vectors.upsert("acme", [chunk(index, version=version) for index in range(many)])
        if version == 1:
            await vectors.publish_version("acme", "doc", 1)
    switch, seen = asyncio.create_task(vectors.publish_version("acme", "doc", 2)), []
    while not switch.done():
        await asyncio.sleep(0)
        seen.append([text.split()[2] for text in await texts(vectors, limit=2 * many)])

    assert seen
    assert all(versions in (["1"] * many, ["2"] * many) for versions in seen)


async def test_a_delete_hides_at_once_and_only_its_document(vectors):
    await vectors.upsert("acme", [chunk(), chunk(document_id="other")])
    await vectors.publish_version("acme", "doc", 1)
    await vectors.publish_version("acme", "other", 1)
    await vectors.delete("acme", "doc")
    await vectors.delete("acme", "never there")

    assert await texts(vectors) == ["text other 1 0"]
    assert await vectors.count("acme", "doc") == 0


async def test_no_call_of_one_client_touches_or_sees_anothers(vectors):
    """Two clients use the same ids."""
    for client_id in ("acme", "rival"):
        await vectors.upsert(client_id, [chunk(0), chunk(1)])
    await vectors.publish_version("acme", "doc", 1)
    seen_by_rival = await texts(vectors, "rival")
    await vectors.publish_version("rival", "doc", 1)
    await vectors.upsert("rival", [chunk(0, version=2)])
    await vectors.publish_version("rival", "doc", 2)
    await vectors.delete("rival", "doc")

    assert seen_by_rival == []
    assert await texts(vectors) == ["text doc 1 0", "text doc 1 1"]
    assert await vectors.count("acme", "doc") == 2
    assert (await texts(vectors, "rival"), await vectors.count("rival", "doc")) == ([], 0)
    assert await texts(vectors, "nobody") == []


async def test_an_empty_upsert_is_allowed(vectors):
    await vectors.upsert("acme", [])

    assert await vectors.count("acme", "doc") == 0


async def test_a_document_larger_than_a_slice_is_published_and_deleted_whole(vectors):
    many = 2 * SLICE_POINTS + 1
    await vectors.upsert("acme", [chunk(index) for index in range(many)])
    await vectors.publish_version("acme", "doc", 1)
    await vectors.upsert("acme", [chunk(0, version=2)])
    before = await texts(vectors, limit=many)
    await vectors.publish_version("acme", "doc", 2)

    assert len(before) == many
    assert await texts(vectors, limit=many) == ["text doc 2 0"]
    await vectors.delete("acme", "doc")
    assert await vectors.count("acme", "doc") == 0


CALLS = st.tuples(
    st.sampled_from(["upsert", "publish", "delete"]),
    st.sampled_from(["acme", "rival"]),
    st.sampled_from(["doc", "other"]),
    st.integers(1, 3),
)


@given(calls=st.lists(CALLS, max_size=15))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_after_any_calls_a_store_agrees_with_the_double(vectors, calls):
    double, written = FakeVectors(), set()
    for call, client_id, document_id, version in itertools.chain(CLEAN, calls):
        key = (client_id, document_id)
        for store in (vectors, double):
            if call == "delete":
                await store.delete(*key)
            elif call == "upsert":
                await store.upsert(client_id, [chunk(index, document_id, version) for index in range(2)])
            elif (*key, version) in written:
                await store.publish_version(*key, version)
        if call == "delete":
            written = {entry for entry in written if entry[:2] != key}
        elif call == "upsert":
            written.add((*key, version))

    assert await everything(vectors) == await everything(double)


CLEAN = [("delete", client_id, document_id, 0) for client_id in ("acme", "rival") for document_id in ("doc", "other")]


async def everything(store):
    """For each client: the texts found, and the chunk count of each document."""
    return [
        (
            sorted(await texts(store, client_id, limit=50)),
            [await store.count(client_id, name) for name in ("doc", "other")],
        )
        for client_id in ("acme", "rival")
    ]


async def test_an_unreachable_server_raises_a_retryable_error():
    with pytest.raises(RetryableError):
        await open_vectors("http://127.0.0.1:9", None, space="test", dimensions=DIMENSIONS)
