"""The long-poll form of a session's events, for networks that let no stream through. Same ids, same rules."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from gateway.attach import Attached, Session
from gateway.news import next_frame
from gateway.state import Gateway

_EVENT = b'{"id":"%b","event":"%b","data":%b}'


async def poll(
    gateway: Gateway, request: Request, session: Session, attached: Attached, wait_seconds: float
) -> Response:
    """Everything after the client's place, as soon as there is anything, and the place after that (`next`)."""
    until = asyncio.get_running_loop().time() + wait_seconds
    while not (found := _events(gateway, session, attached)) and not gateway.drain.is_on:
        if session.incarnation != gateway.tail.incarnation:
            break
        is_late = asyncio.get_running_loop().time() >= until
        if is_late or not await next_frame(gateway.rings, session, request.receive, until):
            break
    place = gateway.tail.place(session.key, session.partition)
    if session.incarnation != gateway.tail.incarnation:
        return _reply([], place.unfinished_id)
    ring = gateway.rings.get(session.key)
    frames = ring.after(attached.cursor, None) if ring else []
    arrived = frames[-1].offset if frames else max(attached.cursor, gateway.tail.position(session.partition))
    # Whatever left the ring while we waited is made up for by the next poll's snapshots.
    following = place.unfinished_id if place.floor > attached.cursor else place.event_id(arrived)
    return _reply(found, following)


def _reply(found: list[bytes], following: str) -> Response:
    body = b'{"events":[%b],"next":"%b"}' % (b",".join(found), following.encode())
    return Response(body, media_type="application/json")


def _events(gateway: Gateway, session: Session, attached: Attached) -> list[bytes]:
    place = gateway.tail.place(session.key, session.partition)
    ring = gateway.rings.get(session.key)
    snapshots = [
        _EVENT % (place.event_id(attached.cursor).encode(), b"snapshot", answer.snapshot())
        for answer in attached.answers
    ]
    frames = [
        _EVENT % (place.event_id(frame.offset).encode(), frame.event.encode(), frame.data)
        for frame in (ring.after(attached.cursor, None) if ring else [])
    ]
    return snapshots + frames
