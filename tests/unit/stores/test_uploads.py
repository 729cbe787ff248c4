"""Files are stored whole, measured, in their client's folder; nothing outside can be reached."""

import hashlib
from uuid import uuid4

import fsspec
import pytest

from stores.uploads import EmptyFileError, FileTooLargeError, ForeignUriError, Uploads, safe_name
from tests.support.fakes_knowledge import stream_of

PLACE = ("acme", "doc_1", 1, "a.txt")


@pytest.fixture(params=["file", "memory"])
def url(request, tmp_path):
    return (tmp_path / "uploads").as_uri() if request.param == "file" else f"memory://{uuid4().hex}"


@pytest.fixture
def uploads(url):
    return Uploads(url)


def stored_files(url):
    """What is in the storage itself."""
    files, root = fsspec.core.url_to_fs(url)
    return files.find(root)


async def content(uploads, uri, tmp_path):
    await uploads.fetch(uri, tmp_path / "fetched")
    return (tmp_path / "fetched").read_bytes()


async def test_a_stored_stream_is_read_back_unchanged(uploads, tmp_path):
    pieces = [b"x" * 700_000, b"", b"y" * 700_000]

    stored = await uploads.put(*PLACE, stream_of(*pieces), max_bytes=2_000_000)

    assert stored.size_bytes == 1_400_000
    assert stored.sha256 == hashlib.sha256(b"".join(pieces)).hexdigest()
    assert await content(uploads, stored.uri, tmp_path) == b"".join(pieces)
    assert uploads.belongs_to("acme", stored.uri)
    assert not uploads.belongs_to("acm", stored.uri)


@pytest.mark.parametrize(
    ("pieces", "error"), [([], EmptyFileError), ([b""], EmptyFileError), ([b"123", b"456"], FileTooLargeError)]
)
async def test_a_refused_stream_leaves_nothing_behind(uploads, url, pieces, error):
    with pytest.raises(error, match=r"\.$"):
        await uploads.put(*PLACE, stream_of(*pieces), max_bytes=5)

    assert stored_files(url) == []


async def test_a_broken_stream_leaves_nothing_behind(uploads, url):
    async def broken():
        yield b"some"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await uploads.put(*PLACE, broken(), max_bytes=100)

    assert stored_files(url) == []


async def test_deleting_removes_one_file_or_all_versions_and_may_be_repeated(uploads, url, tmp_path):
    first = await uploads.put("acme", "doc_1", 1, "a.txt", stream_of(b"1"), max_bytes=9)
    second = await uploads.put("acme", "doc_1", 2, "a.txt", stream_of(b"2"), max_bytes=9)
    assert len(stored_files(url)) == 2
    await uploads.delete(first.uri)
    await uploads.delete(first.uri)

    with pytest.raises(FileNotFoundError):
        await uploads.fetch(first.uri, tmp_path / "gone")
    assert await content(uploads, second.uri, tmp_path) == b"2"
    await uploads.delete_document("acme", "doc_1")
    await uploads.delete_document("acme", "doc_1")
    assert stored_files(url) == []


async def test_uris_outside_the_root_are_refused(tmp_path):
    (tmp_path / "secret").write_text("s")
    uploads = Uploads((tmp_path / "uploads").as_uri())

    for uri in (
        (tmp_path / "secret").as_uri(),
        (tmp_path / "uploads").as_uri() + "/../secret",
        "file:///etc/passwd",
        "/etc/passwd",
        "memory://uploads/x",
        (tmp_path / "uploads2" / "x").as_uri(),
    ):
        with pytest.raises(ForeignUriError):
            await uploads.fetch(uri, tmp_path / "out")
        assert not uploads.belongs_to("acme", uri)


async def test_hostile_names_stay_inside_and_apart(uploads):
    first = await uploads.put("../a", "..", 1, "../../x/..\\evil.md", stream_of(b"1"), max_bytes=9)
    second = await uploads.put("a/b", "c", 1, ".htaccess", stream_of(b"1"), max_bytes=9)

    assert uploads.belongs_to("../a", first.uri)
    assert not uploads.belongs_to("a", second.uri)
    assert first.uri.endswith("/evil.md")
    assert second.uri.endswith("/htaccess")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Bericht für März [1]*.pdf", "Bericht für März _1__.pdf"),
        ("", "file"),
        ("...", "file"),
        ("a\x00b\n.txt", "a_b_.txt"),
    ],
)
def test_names_are_made_safe(name, safe):
    assert safe_name(name) == safe


def test_long_names_keep_their_extension_and_fit_a_file_system():
    name = safe_name("報" * 300 + ".pdf")

    assert name.endswith(".pdf")
    assert len(name.encode()) <= 255
