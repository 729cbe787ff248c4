"""What the routes work with: opened once in `app.lifespan`, read by every request."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from gateway.admission.access import Caller
from gateway.admission.admission import Admission
from gateway.replay.buffers import ReplayBuffers
from gateway.replay.pending_questions import PendingQuestions
from gateway.replay.subscriptions import Subscriptions
from gateway.replay.tail import Tail
from gateway.streaming.progress_hub import ProgressHub
from gateway.streaming.stream import StreamDependencies
from gateway.streaming.timing import StreamTiming
from gateway.web.drain import Drain
from schemas.settings import Settings
from stores.postgres.chat_logs import ChatLogs
from stores.postgres.clients import Clients
from stores.postgres.database import Database
from stores.postgres.documents import Documents
from stores.uploads import Uploads
from streams.publisher import Publisher
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
    publisher: Publisher
    admission: Admission
    buffers: ReplayBuffers
    tail: Tail
    questions: PendingQuestions
    subscriptions: Subscriptions
    drain: Drain
    topic_watch: TopicWatch
    stream_timing: StreamTiming


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves this request."""
    return cast("Gateway", request.app.state.gateway)


def caller_of(request: Request) -> Caller:
    """The caller that `gateway.endpoints.guard` has recognised."""
    return cast("Caller", request.state.caller)


def stream_dependencies(gateway: Gateway, key_hash: str | None) -> StreamDependencies:
    """What a stream reads from, and what may end it, including the revocation of this key."""
    return StreamDependencies(
        buffers=gateway.buffers,
        tail=gateway.tail,
        drain=gateway.drain,
        questions=gateway.questions,
        keys=gateway.admission.key_revocations,
        key_hash=key_hash,
        timing=gateway.stream_timing,
    )
