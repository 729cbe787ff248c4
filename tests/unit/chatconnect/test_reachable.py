import stat
from pathlib import Path

import pytest

from chatconnect.embedded.reachable import reachable


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A package with a binary and its libraries, in a folder closed to others."""
    closed, temporary = tmp_path / "closed", tmp_path / "tmp"
    for folder in (closed / "pg" / "install" / "bin", closed / "pg.libs", temporary):
        folder.mkdir(parents=True)
    (closed / "pg" / "install" / "bin" / "postgres").write_text("binary")
    (closed / "pg.libs" / "libpq.so").write_text("library")
    closed.chmod(0o700)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    return closed / "pg" / "install"


def test_a_folder_closed_to_others_is_copied_once_with_its_libraries(wheel):
    first = reachable(wheel)

    assert first != wheel
    assert (first / "bin" / "postgres").read_text() == "binary"
    assert (first.parents[1] / "pg.libs" / "libpq.so").read_text() == "library"
    assert first.parents[1].stat().st_mode & stat.S_IXOTH
    assert reachable(wheel) == first


def test_a_folder_open_to_everybody_is_not_copied():
    assert reachable(Path("/usr/lib")) == Path("/usr/lib")
