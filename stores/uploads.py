"""The uploaded files, in any fsspec file system. Events carry the uri, never the bytes (claim check)."""

import asyncio
import hashlib
import posixpath
import re
import unicodedata
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote
from uuid import uuid4

import fsspec

WRITE_BYTES = 1024 * 1024
MAX_NAME_BYTES = 200


class FileTooLargeError(Exception):
    """The file is larger than the limit."""


class EmptyFileError(Exception):
    """The file holds no bytes."""


class ForeignUriError(Exception):
    """The uri is not inside the uploads."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A completely stored file."""

    uri: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of one version of a document."""

    client_id: str
    document_id: str
    version: int
    uri: str
    modified_at: datetime


class Uploads:
    """Files under one root, as `<client>/<document>/<version>/<filename>`."""

    def __init__(self, uploads_url: str) -> None:
        self._files: Any
        self._files, root = fsspec.core.url_to_fs(uploads_url)
        self._root = str(root).rstrip("/")

    async def put(
        self,
        client_id: str,
        document_id: str,
        version: int,
        filename: str,
        source: AsyncIterator[bytes],
        *,
        max_bytes: int,
    ) -> Stored:
        """Store a stream; it appears whole or not at all.

        Raises `EmptyFileError`, and `FileTooLargeError` as soon as the limit is passed, with a sentence for the
        uploader.
        """
        folder = f"{self._root}/{_segment(client_id)}/{_segment(document_id)}/{version}"
        temporary = f"{self._root}/.incoming/{uuid4().hex}"
        try:
            digest, size = await self._write(temporary, source, max_bytes)
            target = f"{folder}/{safe_name(filename)}"
            await asyncio.to_thread(self._move, temporary, target)
        except BaseException:
            await asyncio.to_thread(self._remove, temporary)
            raise
        return Stored(str(self._files.unstrip_protocol(target)), digest, size)

    async def fetch(self, uri: str, target: Path) -> None:
        """Copy to a local file. Raises `ForeignUriError`, `FileNotFoundError` when there is no such file, and `OSError`
        when the storage is unavailable.
        """
        await asyncio.to_thread(self._copy, self._inside(uri), str(target))

    async def delete(self, uri: str) -> None:
        """Remove a file if it exists. Raises `ForeignUriError`."""
        await asyncio.to_thread(self._remove, self._inside(uri))

    async def delete_document(self, client_id: str, document_id: str) -> None:
        """Remove every stored version of a document."""
        folder = f"{self._root}/{_segment(client_id)}/{_segment(document_id)}"
        await asyncio.to_thread(self._remove, folder)

    async def delete_older(self, client_id: str, document_id: str, version: int, *, keep: str) -> None:
        """Remove the files of lower versions except `keep`, because a version may use an older one's file."""
        folder = f"{self._root}/{_segment(client_id)}/{_segment(document_id)}"
        await asyncio.to_thread(self._remove_older, folder, version, self._inside(keep))

    async def files(self) -> list[StoredFile]:
        """Every stored file of every client: for audits."""
        return await asyncio.to_thread(lambda: list(self._found()))

    def belongs_to(self, client_id: str, uri: str) -> bool:
        """Whether the uri lies in this client's folder: no client reads another's files by naming them."""
        try:
            return self._inside(uri).startswith(f"{self._root}/{_segment(client_id)}/")
        except ForeignUriError:
            return False

    async def _write(self, path: str, source: AsyncIterator[bytes], max_bytes: int) -> tuple[str, int]:
        digest, size, pending = hashlib.sha256(), 0, bytearray()
        await asyncio.to_thread(self._files.makedirs, posixpath.dirname(path), exist_ok=True)
        file: IO[bytes] = await asyncio.to_thread(self._files.open, path, "wb")
        try:
            async for piece in source:
                size += len(piece)
                if size > max_bytes:
                    raise FileTooLargeError(
                        f"The file is larger than {max_bytes // 1024**2} MB: split it or compress it."
                    )
                pending += piece
                if len(pending) >= WRITE_BYTES:
                    await asyncio.to_thread(_append, file, digest, bytes(pending))
                    pending.clear()
            await asyncio.to_thread(_append, file, digest, bytes(pending))
        finally:
            await asyncio.to_thread(file.close)
        if not size:
            raise EmptyFileError("The file is empty: choose one with content.")
        return digest.hexdigest(), size

    def _found(self) -> Iterator[StoredFile]:
        for path in self._files.find(self._root) if self._files.exists(self._root) else ():
            parts = str(path).removeprefix(f"{self._root}/").split("/")
            if len(parts) == 4 and parts[2].isdecimal():
                client_id, document_id = map(unquote, parts[:2])
                modified_at = self._files.modified(path)
                uri = str(self._files.unstrip_protocol(path))
                yield StoredFile(client_id, document_id, int(parts[2]), uri, modified_at)

    def _copy(self, source: str, target: str) -> None:
        if not self._files.isfile(source):
            raise FileNotFoundError(f"there is no file at {source}")
        self._files.get_file(source, target)

    def _remove_older(self, folder: str, version: int, kept: str) -> None:
        if not self._files.isdir(folder):
            return
        for path in self._files.ls(folder, detail=False):
            number = posixpath.basename(str(path).rstrip("/"))
            if number.isdecimal() and int(number) < version and not kept.startswith(f"{folder}/{number}/"):
                self._remove(f"{folder}/{number}")

    def _move(self, source: str, target: str) -> None:
        self._files.makedirs(posixpath.dirname(target), exist_ok=True)
        self._files.mv(source, target)

    def _remove(self, path: str) -> None:
        if self._files.exists(path):
            self._files.rm(path, recursive=True)

    def _inside(self, uri: str) -> str:
        protocol, _ = fsspec.core.split_protocol(uri)
        protocols = self._files.protocol if isinstance(self._files.protocol, tuple) else (self._files.protocol,)
        path = posixpath.normpath(str(self._files._strip_protocol(uri)))  # noqa: SLF001 - fsspec has no public name for it
        if protocol not in protocols or not path.startswith(f"{self._root}/"):
            raise ForeignUriError("The uri does not lead into the uploads of this system: upload the file first.")
        return path


def safe_name(filename: str) -> str:
    """The last part of a path, at most 200 bytes, with special characters replaced; the extension is kept."""
    name = unicodedata.normalize("NFC", filename.replace("\\", "/").rsplit("/", 1)[-1])
    name = re.sub(r"[^\w.() -]", "_", name).strip(" .") or "file"
    suffix = posixpath.splitext(name)[1][:16]
    stem = name[: len(name) - len(suffix)] if suffix else name
    return _shortened(stem, MAX_NAME_BYTES - len(suffix.encode())) + suffix


def _shortened(text: str, max_bytes: int) -> str:
    return text.encode()[:max_bytes].decode(errors="ignore")


def _segment(identifier: str) -> str:
    # Percent-encoding keeps ids distinct and each inside its own folder, even `..`.
    return quote(identifier, safe="").replace(".", "%2E")


def _append(file: IO[bytes], digest: Any, data: bytes) -> None:
    file.write(data)
    digest.update(data)
