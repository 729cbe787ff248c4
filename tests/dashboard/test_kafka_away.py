"""A Kafka that is away: an answer within three seconds that says so."""

import time

import httpx

from schemas.settings import Settings
from tests.dashboard.conftest import Dashboard
from tests.faults.conftest import question
from tests.support import processes


async def test_a_question_gets_503_within_three_seconds_and_the_next_one_is_answered(dashboard, site, installed):
    away = f"127.0.0.1:{processes.free_port()}"
    settings = Settings(**site.settings.model_dump() | {"kafka_bootstrap_servers": away})
    other = Dashboard(installed, settings, site.urls[0], site.folder / "away.log")
    site.parts["away"] = other
    await other.start()
    headers = {"x-api-key": site.keys.publishable}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        began = time.monotonic()
        refused = await http.post(f"{other.address}/api/widget/chat", json={"message": "Hi"}, headers=headers)
        took = time.monotonic() - began
        answered = await http.post(
            f"{dashboard.address}/api/widget/chat", json={"message": question("k1")}, headers=headers
        )

    assert refused.status_code == 503
    assert "Kafka" in refused.json()["detail"]
    assert refused.headers["retry-after"]
    assert took < 3.5
    assert answered.status_code == 200
