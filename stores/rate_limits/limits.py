"""How much is left of a limit: counted here first, then in Redis, which counts for all instances."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from time import monotonic, time
from typing import Any, TypeAlias, cast
from urllib.parse import quote

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from stores.rate_limits.counts import WINDOW_SECONDS, Counts
from stores.rate_limits.pipelined_redis import DOWN, PipelinedRedis

TRY_AGAIN_SECONDS = 5.0
NAMESPACE = "chatconnect"
LUMPS = 100
MAX_UNSENT = 50_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Policy:
    """So many a minute. `name` is what callers are told."""

    name: str
    per_minute: int
    item: RateLimitItemPerMinute = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "item", RateLimitItemPerMinute(self.per_minute, namespace=NAMESPACE))


@dataclass(frozen=True, slots=True)
class LimitRequest:
    """One more for `owner` (a session, an address, …) under this policy."""

    policy: Policy
    owner: str = ""


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """The claim that has least left. `reset_seconds` is when more is; when refused, when one is."""

    policy: Policy
    is_allowed: bool
    left: int
    reset_seconds: int


Names: TypeAlias = tuple[str, ...]
Keyed: TypeAlias = tuple[Policy, Names]
HitBatch: TypeAlias = tuple[Policy, Names, int]


class Limits:
    """Sliding windows of a minute. `is_shared` says whether Redis counts; if not, each process counts for itself.

    Counting here first keeps a flood off Redis, a refused claim from using up the wider ones after it, and the
    counts at hand for when Redis goes. The rest is one round trip, which wide limits make for a hundredth of themselves
    at a time: so much may pass too many at each instance, and a server's questions do not wait for Redis.
    """

    def __init__(self, redis_url: str) -> None:
        self._redis = PipelinedRedis(redis_url)
        self._windows = SlidingWindowCounterRateLimiter(_Storage(self._redis, redis_url))
        self._counts = Counts()
        self._unsent: OrderedDict[Names, int] = OrderedDict()
        self._try_at = 0.0
        self.is_shared = True

    async def take(self, client_id: str, wanted: Sequence[LimitRequest]) -> LimitStatus:
        """One of each, narrowest first. Never raises: without Redis the process's own counts decide.

        A claim that is refused here takes nothing from the others; one that Redis alone refuses does, which `n`
        instances bound to `n` times the narrowest limit.
        """
        return await self._take("client", client_id, wanted)

    async def take_unknown(self, one: LimitRequest) -> LimitStatus:
        """For somebody of whom it is not known whose visitor it is."""
        return await self._take("unknown", "", [one])

    def take_here(self, one: LimitRequest) -> LimitStatus:
        """One of this, counted by this process alone: for what is not worth a trip."""
        return self._take_here([(one.policy, ("here", "", one.policy.name, one.owner))])

    async def ping(self) -> bool:
        """Whether Redis answers now; if it does, limits are shared again."""
        try:
            await self._redis.ping()
        except DOWN as error:
            self._fall_back(error)
            return False
        self.is_shared = True
        return True

    async def close(self) -> None:
        """Ends the connection."""
        await self._redis.close()

    async def _take(self, kind: str, client_id: str, wanted: Sequence[LimitRequest]) -> LimitStatus:
        keyed: list[Keyed] = [(one.policy, (kind, client_id, one.policy.name, one.owner)) for one in wanted]
        own = self._take_here(keyed)
        if not own.is_allowed or not self._may_ask() or not (lumps := self._due(keyed)):
            return own
        try:
            shared = await self._take_shared(lumps)
        except DOWN as error:
            self._fall_back(error)
            return own
        self.is_shared = True
        return min(own, shared, key=_share_left)

    def _take_here(self, keyed: list[Keyed]) -> LimitStatus:
        for policy, names in keyed:
            if self._counts.left(names, policy.per_minute) == 0:
                return self._status_here(policy, names, is_allowed=False)
        for _, names in keyed:
            self._counts.add(names)
        statuses = [self._status_here(policy, names, is_allowed=True) for policy, names in keyed]
        return min(statuses, key=_share_left)

    def _due(self, keyed: list[Keyed]) -> list[HitBatch]:
        """What Redis has to be told now: what has come together of each, where it is enough."""
        lumps = []
        for policy, names in keyed:
            unsent = self._unsent.pop(names, 0) + 1
            if unsent >= policy.per_minute // LUMPS:
                lumps.append((policy, names, unsent))
            else:
                self._unsent[names] = unsent
        while len(self._unsent) > MAX_UNSENT:
            self._unsent.popitem(last=False)
        return lumps

    def _status_here(self, policy: Policy, names: Names, *, is_allowed: bool) -> LimitStatus:
        reset_seconds = ceil(self._counts.reset_seconds(names, policy.per_minute))
        return LimitStatus(policy, is_allowed, self._counts.left(names, policy.per_minute), reset_seconds)

    async def _take_shared(self, lumps: list[HitBatch]) -> LimitStatus:
        # Quoted, for `limits` joins them with slashes, and no name must be read as another's.
        names = {policy: [quote(name, "") for name in names] for policy, names, _ in lumps}
        hits, stats = await asyncio.gather(
            asyncio.gather(*(self._windows.hit(policy.item, *names[policy], cost=cost) for policy, _, cost in lumps)),
            asyncio.gather(*(self._windows.get_window_stats(policy.item, *names[policy]) for policy in names)),
        )
        if all(hits):
            statuses = [
                LimitStatus(policy, is_allowed=True, left=left, reset_seconds=_seconds_until(reset_at))
                for policy, (reset_at, left) in zip(names, stats, strict=True)
            ]
            return min(statuses, key=_share_left)
        refusing = lumps[hits.index(False)][0]
        reset_at, _ = await self._windows.get_window_stats(refusing.item, *names[refusing])
        # `limits` says when the window moves; then a slot's time passes before its oldest is forgotten.
        reset_at += WINDOW_SECONDS / refusing.per_minute
        return LimitStatus(refusing, is_allowed=False, left=0, reset_seconds=_seconds_until(reset_at))

    def _may_ask(self) -> bool:
        """While it is down one caller in `TRY_AGAIN_SECONDS` finds out whether it still is."""
        if self.is_shared:
            return True
        if monotonic() < self._try_at:
            return False
        self._try_at = monotonic() + TRY_AGAIN_SECONDS
        return True

    def _fall_back(self, error: BaseException) -> None:
        if self.is_shared:
            log.warning("limits_kept_per_process", error=repr(error))
        self.is_shared = False
        self._try_at = monotonic() + TRY_AGAIN_SECONDS


class _Storage(RedisStorage):
    """`limits` with our client in place of one of its own."""

    def __init__(self, client: PipelinedRedis, redis_url: str) -> None:
        self._client = client
        super().__init__(f"async+{redis_url}", implementation="redispy")

    def configure_bridge(self) -> None:
        """Called by `limits`."""
        assert isinstance(self.bridge, RedispyBridge)
        # The bridge types a client of its own making more narrowly than it uses one.
        client = cast("Any", self._client)
        self.bridge.connection_getter = lambda _: client


def _share_left(status: LimitStatus) -> float:
    return status.left / status.policy.per_minute if status.is_allowed else -1.0


def _seconds_until(moment: float) -> int:
    return max(1, ceil(moment - time()))
