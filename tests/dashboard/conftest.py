"""The dashboard, installed from its lockfile outside the repository, before a real gateway and worker."""

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from schemas.settings import Settings
from tests.faults.conftest import Site, postgres, site
from tests.support import processes
from tests.support.patience import SECONDS

__all__ = ["postgres", "site"]

ROOT = Path(__file__).parents[2]
INSTALL_SECONDS = 110


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dashboard's folder, with its packages, beside a link to `docs`."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node and npm on this machine: install Node 20 or newer")
    folder = tmp_path_factory.mktemp("node") / "dashboard"
    shutil.copytree(ROOT / "dashboard", folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder.parent / "docs").symlink_to(ROOT / "docs")
    made = subprocess.run(
        ["npm", "ci", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS
    )
    assert made.returncode == 0, made.stderr
    built = subprocess.run(["npm", "run", "build"], cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    assert built.returncode == 0, built.stderr
    return folder


class Dashboard(processes.Part):
    """The Express server, before a gateway that runs or not."""

    def __init__(self, folder: Path, settings: Settings, gateway_url: str, log: Path) -> None:
        port = processes.free_port()
        self.address = f"http://127.0.0.1:{port}"
        variables = processes.environment(settings, PORT=str(port), GATEWAY_URL=gateway_url)
        super().__init__(
            [str(folder / "node"), str(folder / "server" / "index.ts")],
            variables,
            f"{self.address}/health/live",
            log,
        )

    async def first_start(self) -> str:
        """The token of the link that the log shows while nobody has an account."""
        async with asyncio.timeout(SECONDS):
            while not (found := re.search(r"/setup#(\S+)", self.last_lines(1_000))):
                await asyncio.sleep(0.05)
        return found[1]


@pytest.fixture
async def dashboard(installed, site):
    """With worker, gateway and one document about zebras; `site` stops them."""
    return await start_dashboard(installed, site)


async def start_dashboard(installed: Path, site: Site, **more: str) -> Dashboard:
    """The same; `more` are variables of the worker."""
    worker, gateway = site.part("worker", **more), site.part("gateway")
    await asyncio.gather(worker.start(), gateway.start())
    await site.learn()
    server = Dashboard(installed, site.settings, site.urls[0], site.folder / "dashboard.log")
    site.parts["dashboard"] = server
    await server.start()
    return server


@pytest.fixture
async def http(dashboard):
    """A client of the dashboard, with the publishable key."""
    async with httpx.AsyncClient(base_url=dashboard.address, trust_env=False, timeout=60) as client:
        yield client
