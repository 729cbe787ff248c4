"""Everything that decides whether a request is let in: credentials, ownership, limits."""

from dataclasses import dataclass, field
from functools import partial
from secrets import token_bytes
from typing import Self

import structlog

from gateway.admission.access import Access
from gateway.admission.api_keys import ApiKeys
from gateway.admission.concurrency import DOCUMENT_STREAMS, STREAMS, UPLOADS, WAITING, ConcurrencyLimit
from gateway.admission.key_revocation import KeyRevocations
from gateway.admission.session_ownership import SessionOwnership
from gateway.admission.tickets import Tickets
from gateway.replay.subscriptions import Subscriptions
from schemas.settings import Settings
from stores.postgres.clients import Clients
from stores.postgres.sessions import Sessions
from stores.rate_limits.limits import Limits

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Admission:
    """One per gateway process. The owner runs `key_revocations` and closes `rate_limits`."""

    access: Access
    keys: ApiKeys
    key_revocations: KeyRevocations
    tickets: Tickets
    ownership: SessionOwnership
    rate_limits: Limits
    streams: ConcurrencyLimit = field(default_factory=partial(ConcurrencyLimit, STREAMS))
    waiting: ConcurrencyLimit = field(default_factory=partial(ConcurrencyLimit, WAITING))
    document_streams: ConcurrencyLimit = field(default_factory=partial(ConcurrencyLimit, DOCUMENT_STREAMS))
    uploads: ConcurrencyLimit = field(default_factory=partial(ConcurrencyLimit, UPLOADS))

    @classmethod
    def build(
        cls,
        settings: Settings,
        clients: Clients,
        sessions: Sessions,
        subscriptions: Subscriptions,
        key_revocations: KeyRevocations,
    ) -> Self:
        """Opens nothing."""
        if not settings.internal_secrets:
            log.warning("internal_secret_missing", consequence="tickets are valid only until this process ends")
        tickets = Tickets(settings.ticket_secrets or (token_bytes(32),))
        rate_limits = Limits(settings.redis_url)
        keys = ApiKeys(clients, rate_limits)
        return cls(
            access=Access(clients, keys, tickets, settings.internal_secrets),
            keys=keys,
            key_revocations=key_revocations,
            tickets=tickets,
            ownership=SessionOwnership(sessions, subscriptions, tickets),
            rate_limits=rate_limits,
        )
