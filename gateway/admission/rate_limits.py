"""The rate limits, and the headers that report them (draft-ietf-httpapi-ratelimit-headers).

`gateway.routes` gives every route one of these rates, and `gateway.endpoints.guard` enforces them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request

from gateway.admission.access import Caller
from gateway.admission.shedding import too_many
from gateway.web.addresses import address_of
from schemas.events import Tier
from stores.rate_limits.counts import WINDOW_SECONDS
from stores.rate_limits.limits import LimitRequest, Limits, LimitStatus, Policy

Who = Literal["caller", "renewing", "internal", "anyone"]

# A visitor types and reads at most one question in three seconds.
SESSION = Policy("session", 20)
# A few visitors behind one address, at full speed.
ADDRESS = Policy("address", 60)
# A site's visitors together: ten at full speed, as each question costs tokens; paying clients more.
VISITORS: dict[Tier, Policy] = {"free": Policy("client", 600), "paid": Policy("client", 3_000)}
# The client's own server acts for many visitors, and limits them itself: more than 200 a second are a mistake.
SERVER = Policy("server", 12_000)
# A client that polls a hundred documents each second.
DOCUMENTS = Policy("documents", 6_000)
# Requests without a valid key or ticket: as many as mistakes explain.
REFUSALS = Policy("refusals", 300)
# Requests for unknown paths and methods.
UNROUTED_REQUESTS = Policy("strays", 600)


@dataclass(frozen=True, slots=True)
class Rate:
    """The limits of a route. `who` must be recognised first. Visitors count against `session` (that of a ticket) and
    `address`, servers against `server`, all others against `address`. `what` names the requests in refusals.
    """

    what: str
    who: Who = "caller"
    session: Policy | None = None
    address: Policy | None = None
    server: Policy | None = None
    is_per_client: bool = False


QUESTIONS = Rate("questions", session=SESSION, address=ADDRESS, server=SERVER, is_per_client=True)
# Many more cancels and ratings than questions are a mistake.
ACTIONS = Rate(
    "cancels and ratings",
    session=Policy("session-actions", 60),
    address=Policy("address-actions", 240),
    server=Policy("server-actions", 12_000),
)
# A page that reconnects after each drop, in a few tabs.
READS = Rate(
    "pages of history",
    session=Policy("session-reads", 120),
    address=Policy("address-reads", 480),
    server=Policy("server-reads", 12_000),
)
# A long poll ends with each frame, so an answer streamed word by word takes a few polls a second.
EVENTS = Rate(
    "streams and polls",
    session=Policy("session-events", 600),
    address=Policy("address-events", 2_400),
    server=Policy("server-events", 12_000),
)
RENEWALS = Rate("renewals", "renewing", session=Policy("session-renewals", 10), address=Policy("address-renewals", 120))
KNOWLEDGE = Rate("requests for this client's documents", server=DOCUMENTS)
INTERNAL = Rate("internal requests", "internal", address=Policy("internal", 12_000))
# These cost a query or some kilobytes each.
PUBLIC = Rate("requests", "anyone", address=Policy("public", 300))
# Load balancers send many, all from one address, and these cost nothing.
PROBES = Rate("probes", "anyone", address=Policy("probes", 12_000))


async def take(limits: Limits, request: Request, caller: Caller, rate: Rate) -> None:
    """Count a request of a recognised caller. Raises `Problem` 429. A server limits its own visitors."""
    await _take(limits, request, caller.client.client_id, _limit_requests(request, caller, rate), rate)


async def take_address(limits: Limits, request: Request, rate: Rate) -> None:
    """Count a request of an address, in this process alone. Raises `Problem` 429."""
    assert rate.address is not None, "an unrecognised caller is counted by address"
    status = _take_locally(limits, request, rate.address)
    _set_limit_headers(request, [rate.address], status)
    _require_allowed(status, f"{rate.what} from this address")


def take_refusal(limits: Limits, request: Request) -> None:
    """Count a request that was not recognised. Raises `Problem` 429."""
    status = _take_locally(limits, request, REFUSALS)
    _require_allowed(status, "requests without a valid key or ticket came from this address")


def take_unrouted(limits: Limits, request: Request) -> None:
    """Count a request for an unknown path or method. Raises `Problem` 429."""
    status = _take_locally(limits, request, UNROUTED_REQUESTS)
    _require_allowed(status, "requests for unknown paths or methods came from this address")


def _take_locally(limits: Limits, request: Request, policy: Policy) -> LimitStatus:
    return limits.take_locally(LimitRequest(policy, address_of(request)))


def _require_allowed(status: LimitStatus, what: str) -> None:
    if not status.is_allowed:
        raise too_many(status, what)


def _limit_requests(request: Request, caller: Caller, rate: Rate) -> list[LimitRequest]:
    if not caller.is_visitor:
        return [LimitRequest(rate.server)] if rate.server else []
    wanted = []
    if caller.ticket is not None and rate.session is not None:
        # Without a ticket the session is new, or may belong to another visitor.
        wanted.append(LimitRequest(rate.session, caller.ticket.session_id))
    if rate.address is not None:
        wanted.append(LimitRequest(rate.address, address_of(request)))
    if rate.is_per_client:
        wanted.append(LimitRequest(VISITORS[caller.client.tier]))
    return wanted


async def _take(limits: Limits, request: Request, client_id: str, wanted: Sequence[LimitRequest], rate: Rate) -> None:
    if not wanted:
        return
    status = await limits.take(client_id, wanted)
    _set_limit_headers(request, [one.policy for one in wanted], status)
    _require_allowed(status, f"{rate.what} {_counted_by(status.policy, rate)}".strip())


def _counted_by(policy: Policy, rate: Rate) -> str:
    if policy == rate.session:
        return "in this session"
    if policy == rate.address:
        return "from this address"
    if policy == rate.server:
        return "" if rate is KNOWLEDGE else "from this client's server"
    return "from visitors of this client"


def _set_limit_headers(request: Request, policies: Sequence[Policy], status: LimitStatus) -> None:
    described = (f'"{policy.name}";q={policy.per_minute};w={WINDOW_SECONDS}' for policy in policies)
    request.state.limit_headers = {
        "ratelimit-policy": ", ".join(described),
        "ratelimit": f'"{status.policy.name}";r={status.left};t={status.reset_seconds}',
    }
