"""Makes the ahead-of-time cache, by a broker that starts and ends: about 15 seconds, once on a machine."""

import signal
from pathlib import Path
from tempfile import TemporaryDirectory

from chatconnect.embedded.aot_cache import aot_cache
from chatconnect.embedded.cache import cache_folder
from chatconnect.embedded.folders import installed
from chatconnect.embedded.jars import kafka_class_path
from chatconnect.embedded.kafka import JAVA, Kafka

# The JVM writes the cache when it ends.
WRITE_SECONDS = 120


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
