"""Between our own parts: whose key is this, and a ticket for a visitor."""

from starlette.requests import Request
from starlette.responses import Response
from uuid_utils.compat import uuid7

from gateway.admission.access import allows
from gateway.admission.api_keys import RELAYED_KEYS
from gateway.state import gateway_of
from gateway.web import bodies
from gateway.web.addresses import address_of
from gateway.web.problems import Problem
from gateway.web.responses import json_reply
from schemas.http import TicketIssued, TicketRequest, Validated, ValidateRequest, WidgetView


async def validate_client(request: Request) -> Response:
    """POST /internal/validate-client. A publishable key is valid for the client's own origins only."""
    gateway = gateway_of(request)
    body = await bodies.read(request, ValidateRequest)
    found = await gateway.admission.keys.find(body.api_key, address_of(request), RELAYED_KEYS)
    if found is None or (found[1] == "publishable" and not allows(found[0], body.origin)):
        return json_reply(Validated(valid=False))
    client = found[0]
    widget = await gateway.clients.widget(client.client_id, None)
    return json_reply(
        Validated(
            valid=True,
            client_id=client.client_id,
            tier=client.tier,
            widget=WidgetView(widget_id=widget.widget_id, theme=widget.theme),
        )
    )


async def issue_ticket(request: Request) -> Response:
    """POST /internal/tickets."""
    gateway = gateway_of(request)
    body = await bodies.read(request, TicketRequest)
    if await gateway.clients.get(body.client_id) is None:
        raise Problem(422, f"There is no client {body.client_id}.")
    session = gateway.subscriptions.session(body.client_id, body.session_id)
    ownership = gateway.admission.ownership
    visitor_id = await ownership.visitor_for_ticket(session, body.visitor_id, otherwise=str(uuid7()))
    encoded, ticket = gateway.admission.tickets.issue(body.client_id, body.session_id, visitor_id)
    return json_reply(TicketIssued(ticket=encoded, expires_at=ticket.expires_at))
