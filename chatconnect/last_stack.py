"""Where the last started stack wrote its `dev.env`, so that `ask` and `ingest` need no flags."""

from pathlib import Path

from chatconnect.embedded.cache import cache_folder

POINTER = "last-dev-env"


def remember(path: Path) -> None:
    """Makes this `dev.env` the one that `read` reads."""
    (cache_folder() / POINTER).write_text(str(path.resolve()))


def read() -> dict[str, str]:
    """The variables of that `dev.env`; empty when no stack was started or its folder is gone."""
    try:
        return read_env(Path((cache_folder() / POINTER).read_text()))
    except FileNotFoundError:
        return {}


def read_env(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a file. Raises `FileNotFoundError`."""
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name: value for name, _, value in pairs}


def write_env(path: Path, values: dict[str, str]) -> None:
    """Replaces the file atomically; only its owner may read it, because it holds keys."""
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    fresh.replace(path)
