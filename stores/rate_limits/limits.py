"""Rate limits: counted in this process first, then in Redis for all instances."""

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
from stores.rate_limits.pipelined_redis import DEADLINE_SECONDS, REDIS_ERRORS, PipelinedRedis

RETRY_INTERVAL_SECONDS = 5.0
NAMESPACE = "chatconnect"
BATCHES_PER_LIMIT = 100
MAX_UNSENT = 50_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit per minute. `name` is shown to callers."""

    name: str
    per_minute: int
    item: RateLimitItemPerMinute = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "item", RateLimitItemPerMinute(self.per_minute, namespace=NAMESPACE))


@dataclass(frozen=True, slots=True)
class LimitRequest:
    """One request of `owner` (a session, an address, …) under this policy."""

    policy: Policy
    owner: str = ""


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """The policy with the least left. `reset_seconds`: until more is left; if refused, until one is."""

    policy: Policy
    is_allowed: bool
    left: int
    reset_seconds: int


KeyParts: TypeAlias = tuple[str, ...]
KeyedPolicy: TypeAlias = tuple[Policy, KeyParts]
HitBatch: TypeAlias = tuple[Policy, KeyParts, int]


class Limits:
    """Sliding windows of a minute. `is_shared`: Redis counts for all; else each process counts for itself.

    Counting here first keeps a flood off Redis, keeps a refused request from using up wider limits, and has the counts
    ready when Redis fails. The rest is one round trip. Wide limits report to Redis in batches of a hundredth: each
    instance may exceed them by so much, and a server's questions do not wait for Redis.
    """

    def __init__(self, redis_url: str, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._redis = PipelinedRedis(redis_url, deadline_seconds=deadline_seconds)
        self._windows = SlidingWindowCounterRateLimiter(_Storage(self._redis, redis_url))
        self._counts = Counts()
        self._unsent: OrderedDict[KeyParts, int] = OrderedDict()
        self._try_at = 0.0
        self.is_shared = True

    async def take(self, client_id: str, wanted: Sequence[LimitRequest]) -> LimitStatus:
        """Takes one of each, narrowest first. Never raises: without Redis this process's counts decide.

        A request refused here takes nothing from the other limits; one that only Redis refuses does, with `n`
        instances at most `n` times the narrowest limit.
        """
        return await self._take("client", client_id, wanted)

    async def take_unknown(self, one: LimitRequest) -> LimitStatus:
        """For a caller whose client is unknown."""
        return await self._take("unknown", "", [one])

    def take_locally(self, one: LimitRequest) -> LimitStatus:
        """Counted by this process alone, for what is not worth a round trip."""
        return self._take_locally([(one.policy, ("here", "", one.policy.name, one.owner))])

    async def ping(self) -> bool:
        """Whether Redis answers now; if it does, limits are shared again."""
        try:
            await self._redis.ping()
        except REDIS_ERRORS as error:
            self._fall_back(error)
            return False
        self.is_shared = True
        return True

    async def close(self) -> None:
        """Ends the connection."""
        await self._redis.close()

    async def _take(self, kind: str, client_id: str, wanted: Sequence[LimitRequest]) -> LimitStatus:
        keyed: list[KeyedPolicy] = [(one.policy, (kind, client_id, one.policy.name, one.owner)) for one in wanted]
        own = self._take_locally(keyed)
        if not own.is_allowed or not self._may_try_redis() or not (batches := self._due_batches(keyed)):
            return own
        try:
            shared = await self._take_shared(batches)
        except REDIS_ERRORS as error:
            self._fall_back(error)
            return own
        self.is_shared = True
        return min(own, shared, key=_share_left)

    def _take_locally(self, keyed: list[KeyedPolicy]) -> LimitStatus:
        for policy, names in keyed:
            if self._counts.left(names, policy.per_minute) == 0:
                return self._local_status(policy, names, is_allowed=False)
        for _, names in keyed:
            self._counts.add(names)
        statuses = [self._local_status(policy, names, is_allowed=True) for policy, names in keyed]
        return min(statuses, key=_share_left)

    def _due_batches(self, keyed: list[KeyedPolicy]) -> list[HitBatch]:
        """The hits to send to Redis now: those of each limit that has enough of them."""
        batches = []
        for policy, names in keyed:
            unsent = self._unsent.pop(names, 0) + 1
            if unsent >= policy.per_minute // BATCHES_PER_LIMIT:
                batches.append((policy, names, unsent))
            else:
                self._unsent[names] = unsent
        while len(self._unsent) > MAX_UNSENT:
            self._unsent.popitem(last=False)
        return batches

    def _local_status(self, policy: Policy, names: KeyParts, *, is_allowed: bool) -> LimitStatus:
        reset_seconds = ceil(self._counts.reset_seconds(names, policy.per_minute))
        return LimitStatus(policy, is_allowed, self._counts.left(names, policy.per_minute), reset_seconds)

    async def _take_shared(self, batches: list[HitBatch]) -> LimitStatus:
        # Quoted, because `limits` joins them with slashes, and no two keys may be equal.
        names = {policy: [quote(name, "") for name in names] for policy, names, _ in batches}
        hits, stats = await asyncio.gather(
            asyncio.gather(*(self._windows.hit(policy.item, *names[policy], cost=cost) for policy, _, cost in batches)),
            asyncio.gather(*(self._windows.get_window_stats(policy.item, *names[policy]) for policy in names)),
        )
        if all(hits):
            statuses = [
                LimitStatus(policy, is_allowed=True, left=left, reset_seconds=_seconds_until(reset_at))
                for policy, (reset_at, left) in zip(names, stats, strict=True)
            ]
            return min(statuses, key=_share_left)
        refusing = batches[hits.index(False)][0]
        reset_at, _ = await self._windows.get_window_stats(refusing.item, *names[refusing])
        # `limits` says when the window moves; the first slot is free one slot's share of the window later.
        reset_at += WINDOW_SECONDS / refusing.per_minute
        return LimitStatus(refusing, is_allowed=False, left=0, reset_seconds=_seconds_until(reset_at))

    def _may_try_redis(self) -> bool:
        """While Redis is down, one caller every `RETRY_INTERVAL_SECONDS` tries it."""
        if self.is_shared:
            return True
        if monotonic() < self._try_at:
            return False
        self._try_at = monotonic() + RETRY_INTERVAL_SECONDS
        return True

    def _fall_back(self, error: BaseException) -> None:
        if self.is_shared:
            log.warning("limits_kept_per_process", error=repr(error))
        self.is_shared = False
        self._try_at = monotonic() + RETRY_INTERVAL_SECONDS


class _Storage(RedisStorage):
    """The Redis storage of `limits`, with our client."""

    def __init__(self, client: PipelinedRedis, redis_url: str) -> None:
        self._client = client
        super().__init__(f"async+{redis_url}", implementation="redispy")

    def configure_bridge(self) -> None:
        """Called by `limits`."""
        assert isinstance(self.bridge, RedispyBridge)
        # The bridge declares a narrower client type than it needs.
        client = cast("Any", self._client)
        self.bridge.connection_getter = lambda _: client


def _share_left(status: LimitStatus) -> float:
    return status.left / status.policy.per_minute if status.is_allowed else -1.0


def _seconds_until(moment: float) -> int:
    return max(1, ceil(moment - time()))
