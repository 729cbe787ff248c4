"""What the routes work with: opened once in `app.lifespan`, read by every request."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from gateway.access import Access, Caller
from gateway.attach import Attachments
from gateway.caps import Places
from gateway.document_news import DocumentNews
from gateway.drain import Drain
from gateway.key_watch import KeyWatch
from gateway.keyholders import KeyHolders
from gateway.opening import Opening
from gateway.outbox import Outbox
from gateway.questions import Questions
from gateway.rings import Rings
from gateway.stream import Sources
from gateway.tail import Tail
from gateway.tickets import Tickets
from gateway.waiting import Queue
from schemas.settings import Settings
from stores.chat_logs import ChatLogs
from stores.clients import Clients
from stores.database import Database
from stores.documents import Documents
from stores.limits import Limits
from stores.sessions import Sessions
from stores.uploads import Uploads
from streams.topic_watch import TopicWatch


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
    """Who sent this, as `gateway.guard` has recognised it."""
    return cast("Caller", request.state.caller)


def stream_sources(gateway: Gateway, key_hash: str | None) -> Sources:
    """What a stream reads from, and what may end it: the revocation of this key, too."""
    return Sources(gateway.rings, gateway.tail, gateway.drain, gateway.queue, gateway.key_watch, key_hash)
