"""OpenAI embeddings from a service on loopback: order, unit length, and kinds of failure."""

import asyncio

import aiohttp
import numpy as np
import pytest
from aiohttp import web

from handlers.models.embedder import NoKeyError, open_embedder
from handlers.models.openai_embeddings import BATCH_SIZE, OpenAIEmbeddings
from schemas.failures import PermanentError, RetryableError
from schemas.settings import Settings


class Service:
    """Answers with vectors that encode their text, out of order; or with the test's `answer()`."""

    def __init__(self):
        self.bodies, self.keys = [], []
        self.answer = None

    async def embeddings(self, request):
        body = await request.json()
        self.bodies.append(body)
        self.keys.append(request.headers["Authorization"])
        if self.answer:
            return self.answer()
        rows = [{"index": at, "embedding": [float(text), 2.0] + [0.0] * 1534} for at, text in enumerate(body["input"])]
        return web.json_response({"data": rows[::-1]})


@pytest.fixture
async def service():
    service = Service()
    app = web.Application()
    app.router.add_post("/v1/embeddings", service.embeddings)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/"
    yield service
    await runner.cleanup()


@pytest.fixture
async def embedder(service):
    async with aiohttp.ClientSession() as session:
        yield OpenAIEmbeddings(session, service.url, "sk-test")


async def test_rows_come_in_the_order_of_the_texts_with_unit_length(embedder, service):
    texts = [str(number) for number in range(BATCH_SIZE + 3)]

    vectors = await embedder.embed(texts)

    assert vectors.shape == (BATCH_SIZE + 3, 1536)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.allclose(vectors[:, 0] / vectors[:, 1] * 2, range(BATCH_SIZE + 3), atol=1e-3)
    assert [len(body["input"]) for body in service.bodies] == [BATCH_SIZE, 3]
    assert set(service.keys) == {"Bearer sk-test"}
    assert (await embedder.embed([])).shape == (0, 1536)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [(429, {"Retry-After": "7"}, 7), (500, {}, None), (503, {"Retry-After": "Wed"}, None)],
)
async def test_a_busy_service_is_retryable(embedder, service, status, headers, seconds):
    service.answer = lambda: web.Response(status=status, headers=headers)

    with pytest.raises(RetryableError) as raised:
        await embedder.embed_query("1")

    assert raised.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=401, text="Incorrect API key provided: sk-secret"),
        lambda: web.json_response({"nothing": 1}),
        lambda: web.json_response({"data": [{"index": 0, "embedding": [1.0]}]}),
    ],
)
async def test_a_refusal_is_final_and_quotes_no_key(embedder, service, answer):
    service.answer = answer

    with pytest.raises(PermanentError) as raised:
        await embedder.embed(["1"])

    assert raised.value.code == "embedding_refused"
    assert "sk-secret" not in str(raised.value)


async def test_a_failed_connection_is_retryable():
    async with aiohttp.ClientSession() as session:
        with pytest.raises(RetryableError):
            await OpenAIEmbeddings(session, "http://127.0.0.1:9", "sk-test").embed(["1"])


async def test_the_settings_choose_the_embedder(service, tmp_path):
    with_key = {"openai_api_key": "sk-test", "openai_base_url": service.url, "models_path": str(tmp_path)}

    async with open_embedder(Settings(embeddings="auto", **with_key)) as embedder:
        assert embedder.name == "text-embedding-3-small"
        assert (await asyncio.wait_for(embedder.embed_query("1"), 5)).shape == (1536,)
    with pytest.raises(NoKeyError, match="OPENAI_API_KEY"):
        async with open_embedder(Settings(embeddings="openai", openai_api_key=None)):
            pass
