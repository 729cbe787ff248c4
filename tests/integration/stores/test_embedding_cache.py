"""Vectors of texts in a real Redis."""

import numpy as np
import pytest
from redis.asyncio import Redis

from stores.embedding_cache import EmbeddingCache
from tests.support.fakes_knowledge import DIMENSIONS, no_embedding_cache, unit
from tests.support.knowledge import Knowledge


@pytest.fixture
async def redis(services):
    redis = Redis.from_url(services.redis_url)
    await redis.flushdb()
    yield redis
    await redis.aclose()


@pytest.fixture
async def cache(services, redis):
    cache = EmbeddingCache(services.redis_url, space="m", dimensions=DIMENSIONS)
    yield cache
    await cache.close()


async def test_a_vector_comes_back_for_its_client_space_and_text_only(cache, services):
    await cache.put("acme", {"a": unit(1), "b": unit(2)})
    other = EmbeddingCache(services.redis_url, space="n", dimensions=DIMENSIONS)

    found = await cache.get("acme", ["a", "b", "c"])

    assert found.keys() == {"a", "b"}
    assert np.array_equal(found["a"], unit(1))
    assert await cache.get("rival", ["a"]) == await other.get("acme", ["a"]) == {}
    await other.close()


async def test_a_vector_is_kept_for_a_day(cache, redis):
    await cache.put("acme", {"a": unit(1)})

    [key] = await redis.keys()
    assert 86_000 < await redis.ttl(key) <= 86_400


async def test_a_value_of_another_size_is_no_vector(cache, redis):
    await cache.put("acme", {"a": unit(1)})
    [key] = await redis.keys()
    await redis.set(key, b"short")

    assert await cache.get("acme", ["a"]) == {}


async def test_a_text_is_embedded_once_for_all_documents_of_its_client(tmp_path, services, redis):
    cache = EmbeddingCache(services.redis_url, space="bag-of-words", dimensions=DIMENSIONS)
    runs = [Knowledge(tmp_path / name, cache) for name in ("first", "second", "rival")]

    for run, client in zip(runs, ("acme", "acme", "rival"), strict=True):
        steps = await run.handle(await run.uploaded(client_id=client))
        assert steps[-1].status == "ready"

    first, second, rival = (run.embedder.texts for run in runs)
    assert (len(first), second, len(rival)) == (40, [], 40)
    assert (await runs[1].search("Refunds of part 7"))[0].text == (await runs[0].search("Refunds of part 7"))[0].text
    await cache.close()


async def test_without_redis_nothing_is_found_and_nothing_fails():
    cache = no_embedding_cache()
    await cache.put("acme", {"a": unit(1)})

    assert await cache.get("acme", ["a"]) == {}
    await cache.close()
