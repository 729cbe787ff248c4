"""The rules of a test run itself."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[2] / "conftest.py"
SKIPPING = """
import pytest

def test_called():
    pytest.skip("no browser")

@pytest.mark.skip(reason="marked")
def test_marked():
    pass
"""


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skip_is_a_failure_in_ci(tmp_path, ci, code):
    """Neither form slips through there; on a developer's machine both do."""
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "ignore", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "CI": ci},
        timeout=60,
    )

    assert ended.returncode == code
    assert ("skipped in CI: Skipped: no browser" in ended.stdout) == bool(ci)
    assert ("skipped in CI: Skipped: marked" in ended.stdout) == bool(ci)
    assert "../shared is absent" in ended.stdout
