"""The local model: correctly built, accurate after quantisation, and quick for a query beside batches."""

import asyncio

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

from handlers.models.embedder import open_embedder
from handlers.models.minilm import BATCH_SIZE, MAX_TOKENS, MiniLM, weights_folder
from handlers.models.minilm_graph import WrongWeightsError, build, cached_graph
from schemas.settings import Settings

SENTENCES = [
    "A man is eating food.",
    "Someone is having a meal.",
    "The girl is carrying a baby.",
    "Kafka keeps the order of records within a partition.",
    "You can return an item within thirty days of delivery.",
]


@pytest.fixture(scope="module")
def models_path(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def minilm(models_path):
    model = MiniLM.load(models_path)
    yield model
    model.close()


@pytest.fixture(scope="module")
def exact():
    """Vectors of the float32 graph, each sentence alone."""
    session = onnxruntime.InferenceSession(build(weights_folder() / "model.safetensors").SerializeToString())
    tokenizer = Tokenizer.from_file(str(weights_folder() / "tokenizer.json"))
    tokenizer.no_padding()

    def vectors(sentences):
        rows = [np.array([tokenizer.encode(sentence).ids], np.int64) for sentence in sentences]
        return np.array([session.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0][0] for ids in rows])

    return vectors


async def test_quantised_vectors_stay_close_to_the_exact_ones(minilm, exact):
    vectors = await minilm.embed(SENTENCES)

    assert vectors.shape == (5, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors * exact(SENTENCES)).sum(axis=1).min() > 0.98


def test_the_float_graph_gives_the_published_similarities(exact):
    """The expected values are from the documentation of the model's own library."""
    vectors = exact(["The cat sits outside", "A man is playing guitar", "The new movie is awesome"])
    others = exact(["The dog plays in the garden", "A woman watches TV", "The new movie is so great"])

    assert np.allclose((vectors * others).sum(axis=1), [0.2838, -0.0327, 0.8939], atol=0.002)


async def test_related_sentences_are_nearer_than_unrelated_ones(minilm):
    vectors = await minilm.embed(SENTENCES)
    question = await minilm.embed_query("Can I send something back?")

    assert vectors[0] @ vectors[1] > 0.6 > vectors[0] @ vectors[2]
    assert int(np.argmax(vectors @ question)) == 4


async def test_a_long_text_in_the_batch_does_not_change_a_short_ones_vector(minilm, exact):
    long = " ".join(["Kafka keeps the order of records."] * 20)

    beside = await minilm.embed(["Short one.", long])

    assert beside[0] @ exact(["Short one."])[0] > 0.98


async def test_text_past_the_limit_is_cut_and_no_text_is_no_row(minilm):
    words = ["word"] * (MAX_TOKENS * 3)

    long, cut = await minilm.embed([" ".join(words), " ".join(words[: MAX_TOKENS - 2])])

    assert long @ cut > 0.999
    assert (await minilm.embed([])).shape == (0, 384)


async def test_a_query_does_not_wait_behind_a_document(minilm):
    batch = asyncio.create_task(minilm.embed(["A sentence of some length about nothing. " * 30] * BATCH_SIZE))
    await asyncio.sleep(0)

    await minilm.embed_query("Is this quick?")

    assert not batch.done()
    await batch


def test_a_built_graph_is_used_again_and_leaves_no_temporary_file(models_path, minilm):
    weights = weights_folder() / "model.safetensors"
    before = cached_graph(weights, models_path).stat().st_mtime_ns

    assert cached_graph(weights, models_path).stat().st_mtime_ns == before
    assert [file.name for file in models_path.iterdir()] == [cached_graph(weights, models_path).name]


def test_other_weights_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"not the weights")

    with pytest.raises(WrongWeightsError, match="reinstall"):
        cached_graph(tmp_path / "model.safetensors", tmp_path)


async def test_without_a_key_the_local_model_is_used(models_path, minilm):
    settings = Settings(embeddings="auto", openai_api_key=None, models_path=str(models_path))
    async with open_embedder(settings) as embedder:
        assert np.array_equal(await embedder.embed_query("hello"), await minilm.embed_query("hello"))
