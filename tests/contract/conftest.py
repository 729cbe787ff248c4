"""The npm packages, installed from their lockfile, outside the repository."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "node"
INSTALL_SECONDS = 100


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `node/` with its packages."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node and npm on this machine: install Node 20 or newer")
    folder = tmp_path_factory.mktemp("node") / "contract"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules"))
    made = subprocess.run(["npm", "ci"], cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    assert made.returncode == 0, made.stderr
    return folder
