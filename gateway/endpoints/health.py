"""Is this process well, and what it needs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from importlib.metadata import version

import httpx
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from gateway.state import Gateway, gateway_of
from gateway.web.responses import json_reply
from schemas.http import Check, Health
from schemas.providers import configured
from schemas.settings import Settings
from stores.postgres.database import DATABASE_ERRORS

CHECK_SECONDS = 2.0
# Without these no question is answered; the others are the workers' and matter less to a gateway.
VITAL = ("kafka", "postgres")


async def health(request: Request) -> Response:
    """GET /health: 503 when answers cannot flow."""
    gateway = gateway_of(request)
    postgres, redis_, qdrant = await asyncio.gather(
        _timed(_postgres, gateway), _timed(_redis, gateway), _timed(_qdrant, gateway)
    )
    kafka = _kafka(gateway)
    checks = {
        "kafka": kafka,
        "postgres": postgres,
        "redis": redis_,
        "qdrant": qdrant,
        "models": _models(gateway.settings),
    }
    failed = [name for name, check in checks.items() if check.status == "down"]
    is_degraded = failed or gateway.topic_watch.missing
    status = "down" if any(name in VITAL for name in failed) else "degraded" if is_degraded else "ok"
    body = Health(status=status, version=version("chatconnect"), checks=checks)
    return json_reply(body, 503 if status == "down" else 200)


async def live(_: Request) -> Response:
    """GET /health/live: the process answers."""
    return Response("ok", media_type="text/plain")


async def ready(request: Request) -> Response:
    """GET /health/ready: send requests here. 503 while it drains, does not receive the log, or a topic is missing."""
    gateway = gateway_of(request)
    if gateway.drain.is_on:
        return Response("draining", 503, media_type="text/plain")
    if not gateway.tail.is_alive:
        return Response("not hearing the log", 503, media_type="text/plain")
    if missing := gateway.topic_watch.missing_vital:
        return Response(_lacks(missing), 503, media_type="text/plain")
    return Response("ready", media_type="text/plain")


async def _timed(check: Callable[[Gateway], Awaitable[Check]], gateway: Gateway) -> Check:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check(gateway)
    except TimeoutError:
        return Check(status="down", detail=f"No answer within {CHECK_SECONDS:.0f} s.")
    except (*DATABASE_ERRORS, httpx.HTTPError) as error:
        return Check(status="down", detail=type(error).__name__)


def _lacks(topics: Iterable[str]) -> str:
    return f"The log lacks {', '.join(sorted(topics))}: run `chatconnect topics`."


def _kafka(gateway: Gateway) -> Check:
    if missing := gateway.topic_watch.missing_vital:
        return Check(status="down", detail=_lacks(missing))
    if gateway.tail.is_alive:
        missing = gateway.topic_watch.missing
        return Check(status="ok", detail=_lacks(missing) if missing else f"{gateway.tail.lag} records behind")
    return Check(status="down", detail="The log has not been heard for a while.")


async def _postgres(gateway: Gateway) -> Check:
    async with gateway.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return Check(status="ok")


async def _redis(gateway: Gateway) -> Check:
    if await gateway.admission.rate_limits.ping():
        return Check(status="ok")
    return Check(status="down", detail="limits are kept per process")


async def _qdrant(gateway: Gateway) -> Check:
    url = gateway.settings.qdrant_url
    if not url.startswith(("http://", "https://")):
        return Check(status="unknown", detail="Embedded in the worker, which alone can see it.")
    async with httpx.AsyncClient() as client:
        response = await client.get(f"{url.rstrip('/')}/readyz")
    return Check(status="ok" if response.is_success else "down")


def _models(settings: Settings) -> Check:
    providers = [provider.name for provider in configured(settings)]
    return Check(status="ok", detail=", ".join(providers) or "extractive: no model key is set")
