"""A file comes in: streamed to the store, registered, announced on the log."""

import asyncio
import mimetypes
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import BinaryIO

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from uuid_utils.compat import uuid7

from gateway.endpoints.idempotency import idempotency_key
from gateway.state import Gateway
from gateway.web import bodies
from gateway.web.problems import Problem
from schemas.events import DocumentProgress, DocumentUploaded
from schemas.formats import UnknownFormatError, format_of
from schemas.http import DocumentByUri, DocumentFields
from stores.postgres.documents import Document
from stores.uploads import EmptyFileError, FileTooLargeError, ForeignUriError, Stored

MAX_FILE_BYTES = 100 * 1024 * 1024
# Boundaries and fields come on top of the file.
MAX_FORM_BYTES = MAX_FILE_BYTES + 1024 * 1024
MAX_FIELDS = 64
READ_BYTES = 256 * 1024
MAX_NAME_CHARACTERS = 255
MAX_READ_CHARACTERS = 4_096
# Marks that turn the direction of what follows, so that a name shows another ending than it has.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
UNKNOWN_MEDIA_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """Which document, and which version of it, a file becomes."""

    client_id: str
    document_id: str
    version: int


async def receive_file(gateway: Gateway, request: Request, client_id: str) -> Document:
    """The multipart form: stored and on its way. Raises `Problem`."""
    receive = bodies.limited(request, MAX_FORM_BYTES)
    form = Request(request.scope, receive).form(max_files=1, max_fields=MAX_FIELDS, max_part_size=bodies.MAX_JSON_BYTES)
    async with form as parts:
        file = parts.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise Problem(422, "The form has no file: send it in the field `file`.")
        fields = bodies.parse(_fields(parts), DocumentFields)
        filename = shown_name(file.filename)
        media_type = _media_type(filename, file.content_type)
        await asyncio.to_thread(_check_format, file.file, filename, media_type)
        if earlier := await _earlier(gateway, request, client_id, fields.external_id, file):
            return earlier
        target = await _upload_target(gateway, client_id, fields.external_id, _key(request))
        stored = await _store(gateway, target, filename, file)
        return await register_upload(gateway, _event(target, stored, filename, media_type, fields))


async def receive_uri(gateway: Gateway, request: Request, client_id: str) -> Document:
    """JSON that names a file in the client's own part of the store. Raises `Problem`."""
    body = await bodies.read(request, DocumentByUri)
    if not gateway.uploads.belongs_to(client_id, body.uri):
        raise Problem(422, "The uri does not lead to an uploaded file of this client: upload the file first.")
    filename = shown_name(body.filename)
    media_type = _media_type(filename, body.media_type)
    stored = await _measure(gateway, body.uri, filename, media_type)
    target = await _upload_target(gateway, client_id, body.external_id, None)
    return await register_upload(gateway, _event(target, stored, filename, media_type, body))


async def register_upload(gateway: Gateway, uploaded: DocumentUploaded) -> Document:
    """Announce, then register: a gateway that dies in between leaves no document that waits forever, because
    ingestion registers what it reads. When it cannot be announced the row says so, and the caller may retry it.
    """
    before = await gateway.documents.get(uploaded.client_id, uploaded.document_id)
    if before and before.version >= uploaded.version and before.uri != uploaded.uri:
        raise Problem(
            409, "Another upload took this version of the document: upload yours again.", slug="version-taken"
        )
    try:
        await gateway.publisher.publish(uploaded)
    except BaseException:
        await gateway.documents.register(uploaded)
        await gateway.documents.advance(_not_queued(uploaded))
        raise
    return await gateway.documents.register(uploaded)


def shown_name(filename: str) -> str:
    """A file's name on one line, cut before its ending where it is long; whatever it is, a file may be called so."""
    name = " ".join(_INVISIBLE.sub("", bodies.clean(filename)).split())[-MAX_READ_CHARACTERS:] or "file"
    stem, ending = PurePath(name).stem, PurePath(name).suffix
    if len(name) <= MAX_NAME_CHARACTERS or len(ending) >= MAX_NAME_CHARACTERS:
        return name[:MAX_NAME_CHARACTERS]
    return stem[: MAX_NAME_CHARACTERS - len(ending) - 1] + "…" + ending


def _fields(parts: FormData) -> dict[str, object]:
    texts = {key: bodies.clean(value) for key, value in parts.items() if isinstance(value, str) and value}
    tags = [tag.strip() for text in parts.getlist("tags") if isinstance(text, str) for tag in re.split(r"[,\n]", text)]
    return {**texts, "tags": [bodies.clean(tag) for tag in tags if tag]}


def _key(request: Request) -> str | None:
    headers = request.headers.getlist("idempotency-key")
    return idempotency_key(headers) if headers else None


async def _earlier(
    gateway: Gateway, request: Request, client_id: str, external_id: str | None, file: UploadFile
) -> Document | None:
    """The document of the first request with this `Idempotency-Key`. Raises `Problem` when its file was another."""
    key = _key(request)
    if key is None:
        return None
    if external_id is not None:
        found = await gateway.documents.by_external_id(client_id, external_id)
    else:
        found = await gateway.documents.get(client_id, _document_id(gateway, client_id, key))
    if found is None or found.status in ("deleted", "failed"):
        return None
    if await asyncio.to_thread(_sha256, file.file) == found.sha256:
        return found
    if external_id is not None:
        return None
    raise Problem(422, "This Idempotency-Key was sent with another file: send a new one for each file.")


def _document_id(gateway: Gateway, client_id: str, key: str) -> str:
    return f"doc_{gateway.admission.tickets.name('document', client_id, key).hex}"


async def _upload_target(gateway: Gateway, client_id: str, external_id: str | None, key: str | None) -> UploadTarget:
    if key and external_id is None:
        document_id = _document_id(gateway, client_id, key)
        before = await gateway.documents.get(client_id, document_id)
        return UploadTarget(client_id, document_id, before.version + 1 if before else 1)
    fresh = f"doc_{uuid7().hex}"
    if external_id is None:
        return UploadTarget(client_id, fresh, 1)
    return UploadTarget(client_id, *await gateway.documents.take_version(client_id, fresh, external_id))


async def _store(gateway: Gateway, target: UploadTarget, filename: str, file: UploadFile) -> Stored:
    try:
        return await gateway.uploads.put(
            target.client_id, target.document_id, target.version, filename, _chunks(file), max_bytes=MAX_FILE_BYTES
        )
    except EmptyFileError as error:
        raise Problem(422, str(error), slug="empty-file") from error
    except FileTooLargeError as error:
        raise Problem(413, str(error)) from error


async def _measure(gateway: Gateway, uri: str, filename: str, media_type: str) -> Stored:
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        try:
            await gateway.uploads.fetch(uri, copy)
        except (ForeignUriError, FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise Problem(422, "There is no uploaded file at this uri: upload it first.") from error
        size = copy.stat().st_size
        if not 0 < size <= MAX_FILE_BYTES:
            raise Problem(422, f"The file has {size} bytes: it must have some, and at most {MAX_FILE_BYTES}.")
        with copy.open("rb") as file:
            await asyncio.to_thread(_check_format, file, filename, media_type)
            return Stored(uri, await asyncio.to_thread(_sha256, file), size)


def _sha256(file: BinaryIO) -> str:
    digest = sha256()
    file.seek(0)
    while block := file.read(READ_BYTES):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _check_format(file: BinaryIO, filename: str, media_type: str) -> None:
    try:
        format_of(file, filename, media_type)
    except UnknownFormatError as error:
        if error.code == "no_text":
            raise Problem(422, "The file is empty: choose one with content.", slug="empty-file") from error
        raise Problem(415, str(error)) from error


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(READ_BYTES):
        yield chunk


def _media_type(filename: str, announced: str | None) -> str:
    if announced and announced != UNKNOWN_MEDIA_TYPE:
        return announced.partition(";")[0].strip().lower()
    return mimetypes.guess_type(filename)[0] or UNKNOWN_MEDIA_TYPE


def _event(
    target: UploadTarget, stored: Stored, filename: str, media_type: str, fields: DocumentFields
) -> DocumentUploaded:
    return DocumentUploaded(
        client_id=target.client_id,
        document_id=target.document_id,
        version=target.version,
        uri=stored.uri,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        media_type=media_type,
        filename=filename,
        title=fields.title or filename,
        description=fields.description,
        tags=fields.tags,
        external_id=fields.external_id,
        uploaded_at=datetime.now(UTC),
    )


def _not_queued(uploaded: DocumentUploaded) -> DocumentProgress:
    return DocumentProgress(
        client_id=uploaded.client_id,
        document_id=uploaded.document_id,
        version=uploaded.version,
        status="failed",
        stage="queued",
        progress=0,
        current_step="Not queued",
        reason="The file is stored, but it could not be queued for reading: try it again.",
        retryable=True,
        at=datetime.now(UTC),
    )
