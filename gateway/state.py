"""What the routes work with: opened once in `app.lifespan`, read by every request."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from gateway.admission.access import Access, Caller
from gateway.admission.api_keys import KeyHolders
from gateway.admission.concurrency import Places
from gateway.admission.key_revocation import KeyWatch
from gateway.admission.session_ownership import Opening
from gateway.admission.tickets import Tickets
from gateway.replay.buffers import Rings
from gateway.replay.pending_questions import Questions
from gateway.replay.subscriptions import Attachments
from gateway.replay.tail import Tail
from gateway.replay.waiting_lines import Queue
from gateway.streaming.progress_hub import DocumentNews
from gateway.streaming.stream import Sources
from gateway.web.drain import Drain
from gateway.web.publishing import Outbox
from schemas.settings import Settings
from stores.chat_logs import ChatLogs
from stores.clients import Clients
from stores.database import Database
from stores.documents import Documents
from stores.limits import Limits
from stores.sessions import Sessions
from stores.uploads import Uploads
from streams.reading.topic_watch import TopicWatch


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway process."""

    settings: Settings
    engine: Database
    clients: Clients
    chat_logs: ChatLogs
    documents: Documents
    document_news: DocumentNews
    uploads: Uploads
    outbox: Outbox
    access: Access
    keys: KeyHolders
    limits: Limits
    streams: Places
    waiting: Places
    document_streams: Places
    uploading: Places
    tickets: Tickets
    rings: Rings
    tail: Tail
    questions: Questions
    queue: Queue
    attachments: Attachments
    drain: Drain
    sessions: Sessions
    opening: Opening
    key_watch: KeyWatch
    topic_watch: TopicWatch


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves this request."""
    return cast("Gateway", request.app.state.gateway)


def caller_of(request: Request) -> Caller:
    """Who sent this, as `gateway.endpoints.guard` has recognised it."""
    return cast("Caller", request.state.caller)


def stream_sources(gateway: Gateway, key_hash: str | None) -> Sources:
    """What a stream reads from, and what may end it: the revocation of this key, too."""
    return Sources(gateway.rings, gateway.tail, gateway.drain, gateway.queue, gateway.key_watch, key_hash)
