"""Opens the vector engine that the settings name: a Qdrant server, or Qdrant embedded in a folder."""

from stores.vectors.store import VectorStore


async def open_vectors(url: str, api_key: str | None, *, space: str, dimensions: int) -> VectorStore:
    """The store at a server's URL or in a folder. `space` names the collection: spaces never mix.

    Raises `FolderInUseError`, and `RetryableError` when the server does not answer.
    """
    # Each engine is a large import, and a process uses one of them.
    if url.startswith(("http://", "https://")):
        from stores.vectors.qdrant_server import open_server

        return await open_server(url, api_key, space=space, dimensions=dimensions)
    from stores.vectors.qdrant_edge_folder import open_folder

    return await open_folder(url, space=space, dimensions=dimensions)
