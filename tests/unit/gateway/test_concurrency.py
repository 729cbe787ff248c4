import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from gateway.admission.access import Caller
from gateway.admission.concurrency import ConcurrencyCaps, ConcurrencyLimit
from gateway.admission.shedding import FullError, is_event_source, on_full
from gateway.web.addresses import address_of
from gateway.web.handoff import StreamHandoff
from stores.postgres.clients import Client

CAPS = ConcurrencyCaps("streams", session=2, address=3, client=4, process=6)
A, B = (Client(name, name, "free", ("*",)) for name in "ab")


def scope(address="192.0.2.1", method="GET", **headers):
    pairs = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    return {"type": "http", "method": method, "headers": pairs, "client": (address, 1)}


class Crowd:
    """Requests that hold a slot until the test ends them: done, cancelled or broken."""

    def __init__(self, caps=CAPS):
        self.places = ConcurrencyLimit(caps)
        self.open = []

    async def enter(self, caller, session_id, address="192.0.2.1"):
        held, end = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def app(scope, receive, send):
            self.places.acquire(Request(scope), caller, session_id)
            held.set()
            await end

        task = asyncio.create_task(StreamHandoff(app)(scope(address), None, None))
        entered = asyncio.create_task(held.wait())
        await asyncio.wait([task, entered], return_when=asyncio.FIRST_COMPLETED)
        if not held.is_set():
            entered.cancel()
            await task
        self.open.append((task, end))

    async def leave(self, index, how):
        task, end = self.open.pop(index % len(self.open))
        if how == "cancelled":
            task.cancel()
        elif how == "broken":
            end.set_exception(ZeroDivisionError())
        else:
            end.set_result(None)
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() is None or how == "broken"


visitors = st.tuples(
    st.sampled_from([Caller(A, "publishable"), Caller(B, "publishable"), Caller(A, "secret")]),
    st.sampled_from("stu"),
    st.sampled_from(["192.0.2.1", "192.0.2.2"]),
)
steps = st.one_of(visitors, st.tuples(st.integers(0, 9), st.sampled_from(["done", "cancelled", "broken"])))


@given(st.lists(steps, max_size=40))
def test_however_requests_end_only_open_ones_hold_slots(script):
    async def run():
        crowd, inside = Crowd(), []
        for step in script:
            if isinstance(step[0], int):
                if inside:
                    await crowd.leave(step[0], step[1])
                    inside.pop(step[0] % len(inside))
                continue
            caller, session, address = step
            mine = [other for other in inside if other[0].client is caller.client]
            same_address = [other for other in mine if other[0].is_visitor and other[2] == address]
            is_full = (
                sum(other[1] == session for other in mine) >= CAPS.session
                or (caller.is_visitor and len(same_address) >= CAPS.address)
                or len(mine) >= CAPS.client
                or len(inside) >= CAPS.process
            )
            if is_full:
                with pytest.raises(FullError):
                    await crowd.enter(caller, session, address)
            else:
                await crowd.enter(caller, session, address)
                inside.append(step)
            assert len(crowd.places) == len(inside)
        while inside:
            await crowd.leave(0, "done")
            inside.pop(0)
        assert crowd.places.owners == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    ("visits", "status", "detail"),
    [
        ([("a", "s")] * 2, 429, "session"),
        ([("a", name) for name in "stu"], 429, "address"),
        ([("b", name) for name in "stus"] + [("a", name) for name in "tu"], 503, "instance"),
    ],
)
async def test_the_refusal_names_the_full_limit_and_when_to_retry(visits, status, detail):
    crowd = Crowd()
    for client, session in visits:
        await crowd.enter(Caller(A, "publishable") if client == "a" else Caller(B, "secret"), session)
    with pytest.raises(FullError) as refused:
        await crowd.enter(Caller(A, "publishable"), "s")
    while crowd.open:
        await crowd.leave(0, "done")

    assert refused.value.status == status
    assert detail in refused.value.detail
    assert 5 <= int(refused.value.headers["retry-after"]) <= 15


@pytest.mark.parametrize(
    ("asked", "is_native"),
    [
        (scope(accept="text/event-stream"), True),
        (scope(accept="text/event-stream", x_internal_secret="s", x_client_id="c"), True),
        (scope(accept="text/event-stream", authorization="Bearer t"), False),
        (scope(accept="text/event-stream", x_api_key="pk_x"), False),
        (scope(accept="text/event-stream, */*"), False),
        (scope(accept="*/*"), False),
        (scope(), False),
        (scope(method="POST", accept="text/event-stream"), False),
    ],
)
async def test_only_a_native_event_source_is_refused_with_a_stream(asked, is_native):
    request = Request(asked)
    with pytest.raises(FullError) as refused:
        crowd = Crowd(ConcurrencyCaps("streams", session=0, address=0, client=0, process=0))
        await crowd.enter(Caller(A, "secret"), "s")
    response = await on_full(request, refused.value)

    assert is_event_source(request) == is_native
    assert response.status_code == (200 if is_native else 429)
    if is_native:
        field, _, milliseconds = response.body.decode().strip().partition(": ")
        assert field == "retry"
        assert 5_000 <= int(milliseconds) <= 15_000
        assert response.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_network_counts_as_one_address(host, counted):
    assert address_of(Request(scope(host))) == counted


def test_a_missing_address_is_called_unknown():
    assert address_of(Request({**scope(), "client": None})) == "unknown"
