"""The engine in a folder: durability, and one process per folder."""

import asyncio
import subprocess
import sys

import numpy as np
import pytest

from stores.vectors.engine import open_vectors
from stores.vectors.store import FolderInUseError
from tests.integration.stores.test_vectors import chunk, texts
from tests.support.fakes_knowledge import DIMENSIONS


async def test_the_folder_keeps_what_was_published_and_belongs_to_one_process(tmp_path):
    path = str(tmp_path / "qdrant")
    store = await open_vectors(path, None, space="test", dimensions=DIMENSIONS)
    await store.upsert("acme", [chunk()])
    await store.publish_version("acme", "doc", 1)

    for space in ("test", "another"):
        with pytest.raises(FolderInUseError, match="another process"):
            await open_vectors(path, None, space=space, dimensions=DIMENSIONS)
    await store.close()
    store = await open_vectors(path, None, space="test", dimensions=DIMENSIONS)
    assert await texts(store) == ["text doc 1 0"]
    await store.close()


async def test_a_folder_of_the_previous_engine_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "meta.json").write_text("{}")

    for _ in range(2):
        with pytest.raises(FolderInUseError, match="older version"):
            await open_vectors(str(tmp_path), None, space="test", dimensions=DIMENSIONS)


WRITER = """
import asyncio, sys
from stores.vectors.engine import open_vectors
from tests.support.fakes_knowledge import DIMENSIONS
from tests.integration.stores.test_vectors import chunk

async def write():
    store = await open_vectors(sys.argv[1], None, space="test", dimensions=DIMENSIONS)
    for number in range(1, 100_000):
        await store.upsert("acme", [chunk(index, f"d{number}") for index in range(3)])
        await store.publish_version("acme", f"d{number}", 1)
        await store.delete("acme", f"d{number - 5}")
        print(number, flush=True)

asyncio.run(write())
"""


async def test_a_killed_process_loses_no_acknowledged_write(tmp_path):
    """`kill -9` between calls or within one, before any flush."""
    path = str(tmp_path / "qdrant")
    writer = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, path, stdout=subprocess.PIPE)
    async with asyncio.timeout(60):
        while (line := await writer.stdout.readline()) != b"100\n":
            assert line
        writer.kill()
        printed = (await writer.stdout.read()).split()
        await writer.wait()
    last = int(printed[-1]) if printed else 100

    store = await open_vectors(path, None, space="test", dimensions=DIMENSIONS)
    found = await texts(store, limit=100)
    kept = {number: await store.count("acme", f"d{number}") for number in range(1, last + 1)}
    await store.close()

    # The interrupted delete may have removed documents up to `last - 4`.
    sure = range(last - 3, last + 1)
    assert {text for text in found if int(text.split()[1][1:]) in sure} == {
        f"text d{number} 1 {index}" for number in sure for index in range(3)
    }
    assert [number for number in range(1, last - 4) if kept[number]] == []


async def test_spaces_do_not_mix(tmp_path):
    path = str(tmp_path / "qdrant")
    store = await open_vectors(path, None, space="one", dimensions=DIMENSIONS)
    await store.upsert("acme", [chunk()])
    await store.publish_version("acme", "doc", 1)
    await store.close()

    store = await open_vectors(path, None, space="two", dimensions=8)
    assert await store.search("acme", np.ones(8, np.float32), 5) == []
    await store.close()
