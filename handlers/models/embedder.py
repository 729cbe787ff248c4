"""Opens the embedder that the settings choose."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from handlers.ports import Embedder
from schemas.settings import Settings


class NoKeyError(Exception):
    """OpenAI's embeddings were chosen without a key."""


@asynccontextmanager
async def open_embedder(settings: Settings) -> AsyncIterator[Embedder]:
    """The embedder, closed at the end. Building the local model takes a few seconds at the very first start.

    Raises `NoKeyError`, and `handlers.models.minilm_graph.WrongWeightsError`.
    """
    if settings.embeddings == "openai" and not settings.openai_api_key:
        raise NoKeyError("EMBEDDINGS=openai needs OPENAI_API_KEY: set it, or set EMBEDDINGS=local.")
    if settings.openai_api_key and settings.embeddings != "local":
        from handlers.models.openai_embeddings import OpenAIEmbeddings

        async with aiohttp.ClientSession() as session:
            yield OpenAIEmbeddings(session, settings.openai_base_url, settings.openai_api_key)
        return
    from handlers.models.minilm import MiniLM

    local = await asyncio.to_thread(MiniLM.load, Path(settings.models_path))
    try:
        yield local
    finally:
        local.close()
