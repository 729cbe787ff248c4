"""Events that the tests publish themselves."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from bench.soak_site import DOCUMENT
from schemas.events import ChatRequested, ChatRetrieved
from schemas.passages import Passage
from tests.faults.conftest import question


def asked(site, session_id, name, message=None):
    return ChatRequested(
        client_id=site.client_id, message_id=UUID(message) if message else uuid4(), session_id=session_id,
        text=question(name), requested_at=datetime.now(UTC),
    )  # fmt: skip


def retrieved(request):
    passage = Passage(document_id="d", title="zebra.txt", text=DOCUMENT, score=0.9)
    return ChatRetrieved(
        client_id=request.client_id, session_id=request.session_id, request=request, query=request.text,
        passages=[passage], confidence=1.8, retrieval_ms=1,
    )  # fmt: skip
