"""What comes before every endpoint: who is it, and how often does it come."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.admission.access import Caller
from gateway.admission.rate_limits import Rate, take, take_address, take_refusal, take_unrouted
from gateway.state import Gateway, gateway_of
from gateway.web import problems
from gateway.web.problems import Problem, render

UNROUTED = (404, 405)

Endpoint = Callable[[Request], Awaitable[Response | ASGIApp]]


class AnyText(StringConvertor):
    """A parameter that may hold a slash or the end of a line, so that its endpoint judges it, not the router."""

    regex = r"[\s\S]*"


register_url_convertor("any", AnyText())


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
                await take_address(gateway.admission.rate_limits, request, rate)
            case "internal":
                _require_internal(gateway, request)
                await take_address(gateway.admission.rate_limits, request, rate)
            case _:
                caller = request.state.caller = await _recognised(gateway, request, rate)
                await take(gateway.admission.rate_limits, request, caller, rate)
        return await endpoint(request)

    return enter


async def on_http_exception(request: Request, error: Exception) -> Response:
    """A refusal of Starlette's own; an address has only so many unknown paths and methods."""
    assert isinstance(error, HTTPException)
    if error.status_code in UNROUTED:
        try:
            take_unrouted(gateway_of(request).admission.rate_limits, request)
        except Problem as refusal:
            return render(refusal)
    return await problems.on_http_exception(request, error)


def _require_internal(gateway: Gateway, request: Request) -> None:
    try:
        gateway.admission.access.require_internal(request)
    except Problem:
        take_refusal(gateway.admission.rate_limits, request)
        raise


async def _recognised(gateway: Gateway, request: Request, rate: Rate) -> Caller:
    try:
        if rate.who == "renewing":
            return await gateway.admission.access.renewing(request)
        return await gateway.admission.access.caller(request)
    except Problem as problem:
        if problem.status in (401, 403):
            take_refusal(gateway.admission.rate_limits, request)
        raise
