"""Every reader of a session receives its questions, not only its answers."""

from uuid import uuid4

from schemas.events import QuestionAsked
from tests.support.gateway_running import ScriptedWorker, answer_of, events_of

QUESTION = "What did I just ask?"


async def as_worker(question):
    """Publishes what `handlers.answering.handler` does."""
    yield asked_of(question)
    for event in answer_of(question, "This."):
        yield event


def asked_of(question):
    return QuestionAsked(
        client_id=question.client_id,
        session_id=question.session_id,
        message_id=question.message_id,
        question=question.text,
        asked_at=question.requested_at,
    )


def completed(event, _):
    return event == "completed"


async def test_a_second_tab_receives_the_question_and_the_asking_one_does_not(running, own):
    keys = await running.seed(f"c-{uuid4().hex}")
    headers, session = {"authorization": f"Bearer {keys.secret}"}, uuid4().hex
    events = f"/sessions/{session}/events"
    async with (
        ScriptedWorker(own, as_worker) as worker,
        running.http.stream("GET", events, headers=headers) as second_tab,
        running.http.stream(
            "POST", "/chat/stream", headers=headers, json={"message": QUESTION, "sessionId": session}
        ) as first_tab,
    ):
        own_events = await events_of(first_tab)
        received = await events_of(second_tab, completed)
        async with running.http.stream("GET", events, headers=headers) as late:
            found = await events_of(late, lambda event, _: event == "snapshot")
        (question,) = worker.questions

    (asked,) = [data for event, data, _ in received if event == "asked"]
    assert [event for event, _, _ in received][:2] == ["asked", "started"]
    assert (asked["question"], asked["messageId"]) == (QUESTION, str(question.message_id))
    assert (asked["attempt"], asked["seq"]) == (0, 0)
    assert "asked" not in [event for event, _, _ in own_events]
    (_, snapshot, _) = found[-1]
    assert (snapshot["question"], snapshot["askedAt"]) == (QUESTION, asked["askedAt"])


async def test_a_question_repeated_with_a_later_attempt_is_sent_only_once(running, own):
    keys = await running.seed(f"c-{uuid4().hex}")
    headers, session = {"authorization": f"Bearer {keys.secret}"}, uuid4().hex

    async def twice(question):
        yield asked_of(question)
        for event in answer_of(question, "Broken off.")[:3]:
            yield event
        yield asked_of(question)
        for event in answer_of(question, "This.", attempt=2):
            yield event

    async with (
        ScriptedWorker(own, twice),
        running.http.stream("GET", f"/sessions/{session}/events", headers=headers) as tab,
    ):
        await running.http.post(
            "/chat", headers=headers | {"prefer": "respond-async"}, json={"message": QUESTION, "sessionId": session}
        )
        received = await events_of(tab, completed)

    assert [event for event, _, _ in received].count("asked") == 1
    assert received[-1][1]["attempt"] == 2
