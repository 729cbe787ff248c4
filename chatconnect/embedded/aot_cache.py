"""The ahead-of-time cache of Kafka's JVM (JEP 483, 514, 515): classes that are loaded and linked, and profiles.

With it Kafka starts in half the time, with half the processor time. The JVM ignores a cache that does not fit.
"""

from hashlib import sha256
from pathlib import Path

from chatconnect.embedded.cache import cache_folder

# The JVM warns of single methods that it cannot take from the cache.
QUIET = ("-Xlog:disable", "-Xlog:all=error:stderr")


def aot_cache(java: Path, class_path: str) -> Path:
    """Where the cache of this JVM and class path is, once there is one."""
    release = (java.parent.parent / "release").read_text()
    return cache_folder() / f"kafka-{sha256(f'{release}{class_path}'.encode()).hexdigest()[:8]}.aot"


def aot_options(java: Path, class_path: str) -> tuple[str, ...]:
    """Options of the JVM that use the cache, none while there is no cache."""
    cache = aot_cache(java, class_path)
    return (f"-XX:AOTCache={cache}", *QUIET) if cache.exists() else ()
