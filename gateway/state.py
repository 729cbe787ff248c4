"""What the routes work with: opened once in `app.lifespan`, read by every request."""

from dataclasses import dataclass
from typing import cast

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request

from gateway.access import Access
from gateway.attach import Attachments
from gateway.drain import Drain
from gateway.outbox import Outbox
from gateway.questions import Questions
from gateway.rings import Rings
from gateway.tail import Tail
from gateway.tickets import Tickets
from schemas.settings import Settings
from stores.chat_logs import ChatLogs
from stores.clients import Clients
from stores.documents import Documents
from stores.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway process."""

    settings: Settings
    engine: AsyncEngine
    clients: Clients
    chat_logs: ChatLogs
    documents: Documents
    uploads: Uploads
    outbox: Outbox
    access: Access
    tickets: Tickets
    rings: Rings
    tail: Tail
    questions: Questions
    attachments: Attachments
    drain: Drain


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves this request."""
    return cast("Gateway", request.app.state.gateway)
