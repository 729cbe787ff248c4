"""The cache that all data folders share: where Kafka's jars are, which stack was started last."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/chatconnect`, created if needed."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chatconnect"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
