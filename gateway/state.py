"""What the routes work with: opened once in `app.lifespan`, read by every request."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from gateway.admission.access import Access, Caller
from gateway.admission.api_keys import ApiKeys
from gateway.admission.concurrency import ConcurrencyLimit
from gateway.admission.key_revocation import KeyRevocations
from gateway.admission.session_ownership import SessionOwnership
from gateway.admission.tickets import Tickets
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.subscriptions import Subscriptions
from gateway.replay.tail import Tail
from gateway.streaming.progress_hub import ProgressHub
from gateway.streaming.stream import StreamDependencies
from gateway.web.drain import Drain
from gateway.web.publishing import EventPublisher
from schemas.settings import Settings
from stores.postgres.chat_logs import ChatLogs
from stores.postgres.clients import Clients
from stores.postgres.database import Database
from stores.postgres.documents import Documents
from stores.postgres.sessions import Sessions
from stores.rate_limits.limits import Limits
from stores.uploads import Uploads
from streams.reading.topic_watch import TopicWatch


@dataclass(frozen=True, slots=True)
class Gateway:
    """The components of one gateway process."""

    settings: Settings
    engine: Database
    clients: Clients
    chat_logs: ChatLogs
    documents: Documents
    progress_hub: ProgressHub
    uploads: Uploads
    publisher: EventPublisher
    access: Access
    keys: ApiKeys
    limits: Limits
    streams: ConcurrencyLimit
    waiting: ConcurrencyLimit
    document_streams: ConcurrencyLimit
    uploading: ConcurrencyLimit
    tickets: Tickets
    buffers: ReplayBuffers
    tail: Tail
    questions: PendingQuestions
    subscriptions: Subscriptions
    drain: Drain
    sessions: Sessions
    ownership: SessionOwnership
    key_revocations: KeyRevocations
    topic_watch: TopicWatch


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves this request."""
    return cast("Gateway", request.app.state.gateway)


def caller_of(request: Request) -> Caller:
    """The caller that `gateway.endpoints.guard` has recognised."""
    return cast("Caller", request.state.caller)


def stream_dependencies(gateway: Gateway, key_hash: str | None) -> StreamDependencies:
    """What a stream reads from, and what may end it, including the revocation of this key."""
    return StreamDependencies(
        gateway.buffers, gateway.tail, gateway.drain, gateway.questions, gateway.key_revocations, key_hash
    )
