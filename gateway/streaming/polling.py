"""The long-poll form of a session's events, for networks that let no stream through. Same ids, same rules."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from gateway.replay.subscriptions import Attached, Session
from gateway.streaming.next_frame import next_frame
from gateway.streaming.stream import Sources

_EVENT = b'{"id":"%b","event":"%b","data":%b}'


async def poll(
    sources: Sources, request: Request, session: Session, attached: Attached, wait_seconds: float
) -> Response:
    """Everything after the client's place, as soon as there is anything, and the place after that (`next`)."""
    until = asyncio.get_running_loop().time() + wait_seconds
    while not (found := _events(sources, session, attached)) and not sources.drain.is_on:
        if session.incarnation != sources.tail.incarnation:
            break
        is_late = asyncio.get_running_loop().time() >= until
        if is_late or not await next_frame(sources.rings, session, request.receive, until):
            break
    place = sources.tail.place(session.key, session.partition)
    if session.incarnation != sources.tail.incarnation:
        return _reply([], place.unfinished_id)
    ring = sources.rings.get(session.key)
    frames = ring.after(attached.cursor, None) if ring else []
    arrived = frames[-1].offset if frames else max(attached.cursor, sources.tail.position(session.partition))
    # Whatever left the ring while we waited is made up for by the next poll's snapshots.
    following = place.unfinished_id if place.floor > attached.cursor else place.event_id(arrived)
    return _reply(found, following)


def _reply(found: list[bytes], following: str) -> Response:
    body = b'{"events":[%b],"next":"%b"}' % (b",".join(found), following.encode())
    return Response(body, media_type="application/json")


def _events(sources: Sources, session: Session, attached: Attached) -> list[bytes]:
    place = sources.tail.place(session.key, session.partition)
    ring = sources.rings.get(session.key)
    snapshots = [
        _EVENT % (place.event_id(attached.cursor).encode(), b"snapshot", answer.snapshot())
        for answer in attached.answers
    ]
    frames = [
        _EVENT % (place.event_id(frame.offset).encode(), frame.event.encode(), frame.data)
        for frame in (ring.after(attached.cursor, None) if ring else [])
    ]
    return snapshots + frames
