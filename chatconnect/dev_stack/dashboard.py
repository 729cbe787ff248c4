"""The Express dashboard beside the stack: installed and built where that is new, and left out where Node is missing."""

import asyncio
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from chatconnect.dev_stack.data_folder import POLL_SECONDS, DataFolder, try_lock
from chatconnect.dev_stack.services import Say
from chatconnect.dev_stack.supervisor import Supervisor
from chatconnect.embedded.ports import LOOPBACK, is_free
from chatconnect.embedded.process import PartError, Process

FOLDER = Path(__file__).parents[2] / "dashboard"
INSTALL_SECONDS = 300
READY_SECONDS = 30
FIRST_START = re.compile(r"^first start: (\S+)$", re.MULTILINE)


class Dashboard:
    """Prepared while the other parts start, started when they are ready. `port` 0: left out."""

    def __init__(self, folder: DataFolder, port: int, say: Say) -> None:
        self._folder = folder
        self._port = port
        self._say = say

    async def prepare(self) -> bool:
        """Installs the packages and builds the pages. False, and a sentence, where it cannot be had."""
        if self._port == 0 or not (FOLDER / "package.json").exists():
            return False
        if missing := self._missing():
            self._say(f"without the dashboard: {missing}")
            return False
        try:
            await self._install()
        except (PartError, OSError) as error:
            self._say(f"without the dashboard: {error}")
            return False
        return True

    async def start(self, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
        """Returns when it listens, having said where; or that it does not start, which leaves the stack as it is."""
        process = await Process.start(
            "The dashboard",
            (str(FOLDER / "node"), str(FOLDER / "server" / "index.ts")),
            log=self._folder.logs / "dashboard.log",
            environment={**environment, "PORT": str(self._port), "HOST": LOOPBACK},
        )

        async def listens() -> bool:
            return process.has_logged("ready http")

        try:
            await process.until(listens, READY_SECONDS)
        except PartError as error:
            await process.stop()
            self._say(f"without the dashboard: {error}")
            return
        supervisor.add(process, process.stop)
        self._say(f"dashboard: {self._address(process.log)}")

    def _address(self, log: Path) -> str:
        """The link that makes the first account, while there is none; it is logged before `ready`."""
        found = FIRST_START.search(log.read_text(errors="replace"))
        return f"make the first account at {found[1]}" if found else f"http://{LOOPBACK}:{self._port}"

    def _missing(self) -> str:
        if not (shutil.which("node") and shutil.which("npm")):
            return "it needs Node 22.22 or newer with npm"
        if not is_free(self._port):
            return f"port {self._port} is in use, choose another one with --dashboard-port"
        return ""

    async def _install(self) -> None:
        with (FOLDER / ".install.lock").open("w") as lock:
            await _acquire(lock)
            if _is_older(FOLDER / "node_modules" / ".package-lock.json", [FOLDER / "package-lock.json"]):
                self._say("installing the dashboard's packages (the first time)")
                await self._npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
            if _is_older(FOLDER / "dist" / "index.html", _sources()):
                await self._npm("run", "build")

    async def _npm(self, *arguments: str) -> None:
        log = self._folder.logs / "dashboard-install.log"
        process = await Process.start("npm", ("npm", *arguments), log=log, folder=FOLDER)
        await process.wait_for_success(INSTALL_SECONDS, f"npm {arguments[0]} did not end")


async def _acquire(lock: IO[str]) -> None:
    """Two stacks that start at once install one after the other; closing the file unlocks."""
    try:
        async with asyncio.timeout(INSTALL_SECONDS):
            while not try_lock(lock.fileno()):
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise PartError(f"another stack has been installing it for {INSTALL_SECONDS} s") from None


def _sources() -> Iterable[Path]:
    return (FOLDER / "package-lock.json", FOLDER / "vite.config.ts", *(FOLDER / "client").rglob("*.*"))


def _is_older(made: Path, sources: Iterable[Path]) -> bool:
    return not made.exists() or any(source.stat().st_mtime > made.stat().st_mtime for source in sources)
