"""How often one may ask: what the limits are, and how a caller is told (draft-ietf-httpapi-ratelimit-headers)."""

from collections.abc import Sequence

from starlette.requests import Request

from gateway.access import Caller
from gateway.addresses import address_of
from gateway.shedding import too_many
from schemas.events import Tier
from stores.counts import WINDOW_SECONDS
from stores.limits import Claim, Limits, Policy

# Nobody types and reads faster than a question in three seconds.
SESSION = Policy("session", 20)
# A few visitors behind one address, at full speed.
ADDRESS = Policy("address", 60)
# A site's visitors together: ten at full speed, for each costs tokens; paying clients more.
VISITORS: dict[Tier, Policy] = {"free": Policy("client", 600), "paid": Policy("client", 3_000)}
# The client's own server speaks for many visitors, and knows them better: 200 a second are a mistake of its own.
SERVER = Policy("server", 12_000)
# Somebody who watches a hundred documents by polling each second.
DOCUMENTS = Policy("documents", 6_000)

WHAT = {
    SESSION.name: "questions in this session",
    ADDRESS.name: "questions from this address",
    "client": "questions from visitors of this client",
    SERVER.name: "questions from this client's server",
    DOCUMENTS.name: "requests for this client's documents",
}


async def limit_question(limits: Limits, request: Request, caller: Caller) -> None:
    """Count a question. Raises `Problem` 429. A server's visitors are its own to limit."""
    if not caller.is_visitor:
        claims = [Claim(SERVER)]
    else:
        claims = [Claim(ADDRESS, address_of(request)), Claim(VISITORS[caller.client.tier])]
        if caller.ticket is not None:
            # Others open a session with this question, or name one that may be somebody else's.
            claims.insert(0, Claim(SESSION, caller.ticket.session_id))
    await _obey(limits, request, caller, claims)


async def limit_documents(limits: Limits, request: Request, caller: Caller) -> None:
    """Count a request for documents. Raises `Problem` 429."""
    await _obey(limits, request, caller, [Claim(DOCUMENTS)])


async def _obey(limits: Limits, request: Request, caller: Caller, claims: Sequence[Claim]) -> None:
    standing = await limits.take(caller.client.client_id, claims)
    request.state.limit_headers = {
        "ratelimit-policy": ", ".join(_policy(claim.policy) for claim in claims),
        "ratelimit": f'"{standing.policy.name}";r={standing.left};t={standing.reset_seconds}',
    }
    if not standing.is_allowed:
        raise too_many(standing, WHAT[standing.policy.name])


def _policy(policy: Policy) -> str:
    return f'"{policy.name}";q={policy.per_minute};w={WINDOW_SECONDS}'
