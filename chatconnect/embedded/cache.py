"""The folder for what any data folder may share: where Kafka's jars are, which stack ran last."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/chatconnect`, made if need be."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chatconnect"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
