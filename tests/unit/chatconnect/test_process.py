"""Messages about dead parts, and checks before a stack starts."""

import shutil
import sys
from typing import NamedTuple

import pytest

from chatconnect.dev_stack.data_folder import opened
from chatconnect.embedded.folders import fresh_folder
from chatconnect.embedded.process import PartError, Process


class Usage(NamedTuple):
    """The result type of `shutil.disk_usage`."""

    total: int
    used: int
    free: int


async def _exit_reason(tmp_path, code: str) -> str:
    process = await Process.start("Redis", [sys.executable, "-c", code], log=tmp_path / "logs" / "redis.log")
    await process.wait()
    return process.exit_reason()


async def test_an_early_death_is_reported_with_its_exit_code_and_last_lines(tmp_path):
    """The wait for readiness ends at once, and the message contains the last lines."""
    code = "import sys; print('line 1'); print('no such option', file=sys.stderr); sys.exit(3)"
    process = await Process.start("Redis", [sys.executable, "-c", code], log=tmp_path / "redis.log")

    async def never() -> bool:
        return False

    with pytest.raises(PartError, match=r"Redis ended with exit code 3\. Its last lines in .*redis\.log:\n") as caught:
        await process.until(never, timeout_seconds=20)
    assert "no such option" in str(caught.value)


async def test_a_part_that_never_gets_ready_is_reported(tmp_path):
    """The deadline ends the wait."""
    process = await Process.start("Redis", ["sleep", "60"], log=tmp_path / "redis.log")

    async def never() -> bool:
        return False

    try:
        with pytest.raises(PartError, match="Redis was not ready within 0 s"):
            await process.until(never, timeout_seconds=0.2)
    finally:
        await process.stop(grace_seconds=0)


async def test_a_missing_shared_library_is_named(tmp_path):
    """The loader's error becomes a sentence that says what to do."""
    words = "redis-server: error while loading shared libraries: libssl.so.9: cannot open shared object file"
    message = await _exit_reason(tmp_path, f"import sys; sys.exit({words!r})")

    assert message == "Redis cannot start: the shared library libssl.so.9 is missing; install it and try again."


async def test_a_full_disk_is_named(tmp_path):
    """Whatever else the part printed."""
    message = await _exit_reason(tmp_path, "import sys; sys.exit('write failed: No space left on device')")

    assert message == f"Redis ended because the disk is full: free some space under {tmp_path}."


async def test_a_missing_executable_is_named(tmp_path):
    """The leash reports it in the part's log."""
    process = await Process.start("Redis", [str(tmp_path / "nowhere")], log=tmp_path / "redis.log")
    await process.wait()

    assert "ended with exit code 127" in process.exit_reason()
    assert "No such file or directory" in process.exit_reason()


def test_too_little_space_is_reported_before_anything_starts(tmp_path, monkeypatch):
    """The message says how much space is left and how much is needed."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 120_000_000))

    with pytest.raises(PartError, match="has 120 MB left and 500 MB are needed"), opened(tmp_path):
        pass


def test_an_unusable_folder_is_reported(tmp_path):
    """A file in its place."""
    (tmp_path / "file").touch()

    with pytest.raises(PartError, match="cannot be used"), opened(tmp_path / "file"):
        pass


def test_an_interrupted_first_start_starts_over(tmp_path):
    """An interrupted attempt leaves nothing for the next one, and no half-filled folder under the final name."""

    def interrupted() -> None:
        with fresh_folder(tmp_path / "postgres") as unfinished:
            (unfinished / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert not (tmp_path / "postgres").exists()

    with fresh_folder(tmp_path / "postgres") as unfinished:
        left = list(unfinished.iterdir())

    assert left == []
    assert (tmp_path / "postgres").exists()


async def test_a_folder_stays_locked_until_its_last_process_is_gone(tmp_path):
    """Parts of a killed stack may still write during the next start."""
    with opened(tmp_path):
        process = await Process.start("Redis", ["sleep", "60"], log=tmp_path / "redis.log")
    with pytest.raises(PartError, match="is in use by another stack"), opened(tmp_path):
        pass
    await process.stop(grace_seconds=0)

    with opened(tmp_path) as folder:
        assert folder.path == tmp_path
