"""Makes the ahead-of-time cache, by a broker that starts and ends: about 15 seconds, once on a machine."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from chatconnect.embedded.aot_cache import aot_cache
from chatconnect.embedded.cache import cache_folder
from chatconnect.embedded.folders import installed
from chatconnect.embedded.jars import kafka_class_path
from chatconnect.embedded.kafka import JAVA, Kafka
from chatconnect.embedded.process import PartError

# Whoever waited for the first start wants the machine now.
DELAY_SECONDS = 60.0
# The JVM writes the cache when it ends.
WRITE_SECONDS = 120


async def prepare_next_start(say: Callable[[str], None], delay_seconds: float = DELAY_SECONDS) -> None:
    """Makes the cache when the first questions are over. A stack runs without it, too, so a failure is only said."""
    await asyncio.sleep(delay_seconds)
    try:
        await make_aot_cache()
    except (PartError, OSError) as error:
        say(f"Kafka's next start will not be faster: {error}")


async def make_aot_cache() -> None:
    """Returns at once when it is there. Raises `PartError` when Kafka does not start."""
    made = aot_cache(installed(*JAVA), await kafka_class_path(print))
    if made.exists():
        return
    with TemporaryDirectory(dir=cache_folder(), prefix="training-") as name:
        folder = Path(name)
        unfinished = folder / made.name
        log = folder / "kafka.log"
        kafka = await Kafka.start(folder / "kafka", log, print, options=[f"-XX:AOTCacheOutput={unfinished}"])
        await kafka.process.stop(signal.SIGTERM, WRITE_SECONDS)
        if unfinished.exists():
            unfinished.replace(made)
