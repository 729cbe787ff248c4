"""What comes before every endpoint: who is it, and how often does it come."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.access import Caller
from gateway.limits import Rate, take, take_address, take_refusal
from gateway.problems import Problem
from gateway.state import Gateway, gateway_of

Endpoint = Callable[[Request], Awaitable[Response | ASGIApp]]


class GuardedRoute(Route):
    """A route whose endpoint is reached only by whom `rate` lets in; `request.state.caller` is who that is."""

    def __init__(self, path: str, endpoint: Endpoint, rate: Rate, *, method: str = "GET") -> None:
        self.rate = rate
        super().__init__(path, _guarded(endpoint, rate), methods=[method])


def _guarded(endpoint: Endpoint, rate: Rate) -> Endpoint:
    @wraps(endpoint)
    async def enter(request: Request) -> Response | ASGIApp:
        gateway = gateway_of(request)
        match rate.who:
            case "anyone":
                await take_address(gateway.limits, request, rate)
            case "part":
                gateway.access.require_internal(request)
                await take_address(gateway.limits, request, rate)
            case _:
                caller = request.state.caller = await _recognised(gateway, request, rate)
                await take(gateway.limits, request, caller, rate)
        return await endpoint(request)

    return enter


async def _recognised(gateway: Gateway, request: Request, rate: Rate) -> Caller:
    try:
        if rate.who == "renewing":
            return await gateway.access.renewing(request)
        return await gateway.access.caller(request)
    except Problem as problem:
        if problem.status in (401, 403):
            take_refusal(gateway.limits, request)
        raise
