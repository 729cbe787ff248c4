"""The rules of `tests/conftest.py` for test runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
SKIPPING = """
import pytest

def test_called():
    pytest.skip("no browser")

@pytest.mark.skip(reason="marked")
def test_marked():
    pass
"""


SHARED = """
import pytest

@pytest.mark.shared_data
def test_on_what_is_beside_the_clone():
    raise AssertionError

def test_on_what_the_clone_holds():
    pass
"""


def pytest_in_a_clone(folder, tests, ci):
    """The finished pytest process that ran these tests with our conftest."""
    own = folder / "clone" / "tests"
    own.mkdir(parents=True)
    shutil.copy(CONFTEST, own)
    (own / "test_own.py").write_text(tests)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "ignore", "--strict-markers", str(own)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        timeout=60,
    )


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_skip_is_a_failure_in_ci(tmp_path, ci, code):
    """Both ways to skip fail in CI and pass on a developer's machine."""
    ended = pytest_in_a_clone(tmp_path, SKIPPING, ci)

    assert ended.returncode == code
    assert ("skipped in CI: Skipped: no browser" in ended.stdout) == bool(ci)
    assert ("skipped in CI: Skipped: marked" in ended.stdout) == bool(ci)


def test_a_clone_without_the_shared_data_passes_in_ci_and_says_what_was_left_out(tmp_path):
    ended = pytest_in_a_clone(tmp_path, SHARED, "true")

    assert ended.returncode == 0, ended.stdout
    assert "1 passed, 1 deselected" in ended.stdout
    assert "../shared/data is absent" in ended.stdout


def test_beside_the_shared_data_its_tests_run(tmp_path):
    (tmp_path / "shared" / "data").mkdir(parents=True)
    ended = pytest_in_a_clone(tmp_path, SHARED, "true")

    assert "1 failed, 1 passed" in ended.stdout
    assert "../shared/data is absent" not in ended.stdout
