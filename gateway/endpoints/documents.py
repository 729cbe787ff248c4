"""The knowledge base: upload, list, watch, delete, try again. For servers only."""

from dataclasses import asdict
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from gateway.admission.access import Caller
from gateway.endpoints.upload import receive_file, receive_uri, register_upload
from gateway.state import Gateway, caller_of, gateway_of
from gateway.streaming.document_events import ProgressStream, view_in_line
from gateway.web import bodies
from gateway.web.problems import Problem
from gateway.web.responses import json_reply
from schemas.cursor import PageCursor
from schemas.events import DocumentDeleted, DocumentUploaded
from schemas.http import DocumentAccepted, DocumentList, DocumentPage, DocumentView
from stores.postgres.documents import Document

MAX_LISTED = 1_000
LISTED = 100


async def process(request: Request) -> Response:
    """POST /process-document: a multipart file, or JSON that names one which is there already."""
    gateway, caller = _server(request)
    gateway.admission.uploads.acquire(request, caller, "")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        document = await receive_file(gateway, request, caller.client.client_id)
    elif media_type == "application/json":
        document = await receive_uri(gateway, request, caller.client.client_id)
    else:
        raise Problem(415, "Send the file as multipart/form-data, or its uri as application/json.")
    return _accepted(document)


async def index(request: Request) -> Response:
    """GET /documents."""
    gateway, caller = _server(request)
    limit = max(1, bodies.number(request, "limit", LISTED, MAX_LISTED))
    before = bodies.parse({key: value for key, value in request.query_params.items() if value}, DocumentPage).before
    found = await gateway.documents.list(caller.client.client_id, limit, before=before)
    following = str(PageCursor(found[-1].created_at, found[-1].document_id)) if len(found) == limit else None
    return json_reply(DocumentList(documents=[_view(document) for document in found], next=following))


async def show(request: Request) -> Response:
    """GET /documents/{document_id}."""
    gateway, caller = _server(request)
    document = await _find(gateway, caller, request)
    ahead = (await view_in_line(gateway.documents, document)).ahead
    return json_reply(_view(document).model_copy(update={"ahead": ahead}))


async def status(request: Request) -> Response:
    """GET /documents/{document_id}/status."""
    gateway, caller = _server(request)
    document = await _find(gateway, caller, request)
    return json_reply(await view_in_line(gateway.documents, document))


async def events(request: Request) -> Response:
    """GET /documents/{document_id}/events."""
    gateway, caller = _server(request)
    document = await _find(gateway, caller, request)
    gateway.admission.document_streams.acquire(request, caller, document.document_id)
    return ProgressStream(gateway.documents, gateway.progress_hub, gateway.drain, gateway.stream_timing, document)


async def delete(request: Request) -> Response:
    """DELETE /documents/{document_id}: hidden at once, removed soon. Again: the same."""
    gateway, caller = _server(request)
    document = await _find(gateway, caller, request)
    await gateway.documents.delete(document.client_id, document.document_id)
    await gateway.publisher.publish(DocumentDeleted(client_id=document.client_id, document_id=document.document_id))
    return json_reply(DocumentAccepted(id=document.document_id, status="deleted", filename=document.filename), 202)


async def retry(request: Request) -> Response:
    """POST /documents/{document_id}/retry: read the same file once more; a run that is under way gives way to it."""
    gateway, caller = _server(request)
    document = await _find(gateway, caller, request)
    if document.status == "deleted":
        raise Problem(409, "The document is deleted: upload its file again.")
    _, version = await gateway.documents.take_version(document.client_id, document.document_id, document.external_id)
    fields = asdict(document) | {"version": version, "uploaded_at": datetime.now(UTC)}
    return _accepted(await register_upload(gateway, DocumentUploaded.model_validate(fields)))


def _server(request: Request) -> tuple[Gateway, Caller]:
    gateway = gateway_of(request)
    caller = caller_of(request)
    caller.require_server()
    return gateway, caller


async def _find(gateway: Gateway, caller: Caller, request: Request) -> Document:
    document_id = bodies.clean(request.path_params["document_id"])
    document = await gateway.documents.get(caller.client.client_id, document_id)
    if document is None:
        raise Problem(404, "There is no such document: see GET /documents for the ids.")
    return document


def _accepted(document: Document) -> Response:
    body = DocumentAccepted(id=document.document_id, status=document.status, filename=document.filename)
    return json_reply(body, 202, {"location": f"/documents/{document.document_id}/status"})


def _view(document: Document) -> DocumentView:
    return DocumentView(id=document.document_id, **asdict(document))
