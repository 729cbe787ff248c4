"""Clients that misbehave towards a gateway, and tickets that expire (`docs/faults.md`)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from gateway.admission.access import Access
from gateway.admission.tickets import Tickets
from tests.faults.pages import WORDS, follow, how_many, path_of, place, remember, seeded, until
from tests.faults.peer import Peer, began, ended, shown
from tests.support.gateway_running import answer_of


async def test_a_reset_after_half_an_event_harms_no_other_tab_and_is_resumed(opened, running, publisher):
    secret, closed = await seeded(running), how_many("disconnected")
    asked = place(running)
    events = answer_of(asked, WORDS)
    first, second = [await Peer(opened, running.url, path_of(asked), secret).open() for _ in range(2)]
    reading = asyncio.create_task(second.read(ended))
    await first.read(began, piece=1)
    for event in events[:30]:
        await publisher.publish(event)
    await first.read(lambda body: body.count(b"event: delta") > 5 and not body.endswith(b"\n\n\r\n"), 7)
    first.reset()
    for event in events[30:]:
        await publisher.publish(event)
    await reading
    third = await (await Peer(opened, running.url, path_of(asked), secret, first.last_id).open()).read(ended)
    await until(lambda: how_many("disconnected") > closed)

    assert shown(asked, second) == (WORDS + " ", "completed")
    assert shown(asked, first, third) == (WORDS + " ", "completed")


async def test_a_peer_that_stops_reading_is_cut_off_and_another_gets_everything(opened, running, publisher):
    secret, closed = await seeded(running), how_many("stalled")
    asked = place(running)
    stalled = await Peer(opened, running.url, path_of(asked), secret).open(receive_buffer=4_096)
    good = await Peer(opened, running.url, path_of(asked), secret).open()
    reading = asyncio.create_task(follow(opened, running.url, asked, secret, good))
    text = " ".join(["x" * 4_000] * 300)
    await remember(running, asked, text + " ")
    for event in answer_of(asked, text):
        await publisher.publish(event)
    peers = await reading
    await until(lambda: how_many("stalled") > closed)

    assert shown(asked, *peers) == (text + " ", "completed")
    assert len((await stalled.read()).body) < 1_000_000, "it got more than the kernel had buffered"


async def test_a_token_of_a_megabyte_arrives_whole(opened, running, publisher):
    secret = await seeded(running)
    asked = place(running)
    events = answer_of(asked, "small")
    big = '🦓\r\n"' * 65_000
    events[2] = events[2].model_copy(update={"text": big})
    await remember(running, asked, big)
    peer = await Peer(opened, running.url, path_of(asked), secret).open()
    for event in events:
        await publisher.publish(event)

    peers = await follow(opened, running.url, asked, secret, peer)

    assert shown(asked, *peers) == (big, "completed")


async def test_a_stream_ends_cleanly_with_its_ticket_and_goes_on_with_the_next(opened, running, settings, publisher):
    await seeded(running)
    asked = place(running)
    events = answer_of(asked, WORDS)
    accept_no_late_tickets(running, settings)

    def ticket(seconds):
        tickets = Tickets(settings.ticket_secrets, lifetime=timedelta(seconds=seconds))
        return tickets.issue(running.name, asked.session_id, "v")[0]

    short = ticket(3)
    first = await Peer(opened, running.url, path_of(asked), short).open()
    for event in events[:30]:
        await publisher.publish(event)
    await first.read()
    refused = await running.http.get(path_of(asked), headers={"authorization": f"Bearer {short}"})
    for event in events[30:]:
        await publisher.publish(event)
    second = await (await Peer(opened, running.url, path_of(asked), ticket(60), first.last_id).open()).read(ended)

    assert first.content.endswith(b"\n\n")
    assert refused.status_code == 401
    assert shown(asked, first, second) == (WORDS + " ", "completed")


def accept_no_late_tickets(running, settings):
    """As if the clocks of all gateways were the same."""
    gateway = running.gateway
    tickets = Tickets(settings.ticket_secrets, leeway=timedelta(0))
    access = Access(gateway.clients, gateway.admission.keys, tickets, settings.internal_secrets)
    running.use(admission=replace(gateway.admission, tickets=tickets, access=access))
