"""The data folder of a development stack: its lock, its secrets, its addresses."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex, token_urlsafe

from chatconnect import last_stack
from chatconnect.embedded.process import PartError

NEEDED_BYTES = 500_000_000
# The parts of a killed stack need this long to end, and hold its lock until then.
LEFTOVER_SECONDS = 15
POLL_SECONDS = 0.1


class DataFolder:
    """Created by `opened`, which holds the folder's lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"

    def secrets(self) -> dict[str, str]:
        """Keys and secrets, created at the first start and kept."""
        file = self.path / "secrets.env"
        fresh = {
            "CLIENT_API_KEY": f"pk_{token_urlsafe(24)}",
            "CLIENT_SECRET_KEY": f"sk_{token_urlsafe(24)}",
            "INTERNAL_SECRET": token_urlsafe(32),
            "INSTANCE_ID": f"dev-{token_hex(4)}",
        }
        kept = last_stack.read_env(file) if file.exists() else {}
        secrets = fresh | kept
        if secrets != kept:
            last_stack.write_env(file, secrets)
        return secrets

    def write_addresses(self, values: dict[str, str]) -> Path:
        """Writes `dev.env`, which `ask` and `ingest` then use."""
        file = self.path / "dev.env"
        last_stack.write_env(file, values)
        last_stack.remember(file)
        return file


@contextmanager
def opened(path: Path) -> Iterator[DataFolder]:
    """The folder, created if needed and locked for this process. Raises `PartError`.

    Every child inherits the lock, so it is free only when the last of them has ended.
    """
    path = path.expanduser().resolve()
    _check_name(path)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        _make_private(path)
    except OSError as error:
        raise PartError(f"The data folder {path} cannot be used: {error.strerror}.") from error
    try:
        _check_space(path)
        _acquire(lock, path)
        os.set_inheritable(lock, True)
        yield DataFolder(path)
    finally:
        os.close(lock)


def _check_name(path: Path) -> None:
    # An environment file has one line per value, and fsspec reads `::` as a separator of URLs.
    if not str(path).isprintable() or "::" in str(path):
        raise PartError(f"The data folder {str(path)!r} cannot be used: its name has invisible characters or a `::`.")


def _make_private(path: Path) -> None:
    """Also closes what an earlier version left open."""
    for one in (path, path / "logs"):
        if one.is_dir():
            one.chmod(0o700)


def _check_space(path: Path) -> None:
    free = shutil.disk_usage(path).free
    if free < NEEDED_BYTES:
        raise PartError(
            f"The disk of {path} has {free // 1_000_000} MB left and {NEEDED_BYTES // 1_000_000} MB are needed: "
            "free some space or choose another folder with --data."
        )


def _acquire(lock: int, path: Path) -> None:
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while not try_lock(lock):
        owner = os.pread(lock, 32, 0).decode().strip()
        if _is_alive(owner) or time.monotonic() > deadline:
            raise PartError(
                f"The data folder {path} is in use by another stack (process {owner or 'unknown'}): "
                "stop it or choose another folder with --data."
            )
        time.sleep(POLL_SECONDS)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)


def try_lock(lock: int) -> bool:
    """Whether this process has the lock of the open file now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
