"""The long-poll form of a session's events, for networks that block streams. Same ids, same rules."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from gateway.replay.subscriptions import Session, StreamStart
from gateway.streaming.next_frame import next_frame
from gateway.streaming.stream import StreamDependencies

_EVENT = b'{"id":"%b","event":"%b","data":%b}'


async def poll(
    dependencies: StreamDependencies, request: Request, session: Session, start: StreamStart, wait_seconds: float
) -> Response:
    """Every event after the client's position, as soon as there is one, and the id for the next poll (`next`)."""
    until = asyncio.get_running_loop().time() + wait_seconds
    while not (found := _events(dependencies, session, start)) and not dependencies.drain.is_on:
        if session.incarnation != dependencies.tail.incarnation:
            break
        is_late = asyncio.get_running_loop().time() >= until
        if is_late or not await next_frame(dependencies.buffers, session, request.receive, until):
            break
    position = dependencies.tail.stream_position(session.key, session.partition)
    if session.incarnation != dependencies.tail.incarnation:
        return _reply([], position.unfinished_id)
    buffer = dependencies.buffers.get(session.key)
    frames = buffer.after(start.cursor, None) if buffer else []
    arrived = frames[-1].offset if frames else max(start.cursor, dependencies.tail.position(session.partition))
    # Frames that were evicted while this poll waited are replaced by the next poll's snapshots.
    following = position.unfinished_id if position.floor > start.cursor else position.event_id(arrived)
    return _reply(found, following)


def _reply(found: list[bytes], following: str) -> Response:
    body = b'{"events":[%b],"next":"%b"}' % (b",".join(found), following.encode())
    return Response(body, media_type="application/json")


def _events(dependencies: StreamDependencies, session: Session, start: StreamStart) -> list[bytes]:
    position = dependencies.tail.stream_position(session.key, session.partition)
    buffer = dependencies.buffers.get(session.key)
    snapshots = [
        _EVENT % (position.event_id(start.cursor).encode(), b"snapshot", answer.snapshot()) for answer in start.answers
    ]
    frames = [
        _EVENT % (position.event_id(frame.offset).encode(), frame.event.encode(), frame.data)
        for frame in (buffer.after(start.cursor, None) if buffer else [])
    ]
    return snapshots + frames
