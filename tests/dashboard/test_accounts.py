"""Accounts, roles and the one place that authorises: Express and Postgres, without a gateway."""

import asyncio
import json
import re
import subprocess
from contextlib import AsyncExitStack

import asyncpg
import httpx
import pytest

from tests.dashboard.conftest import Dashboard
from tests.dashboard.people import PASSWORD, Person
from tests.support.patience import SECONDS

RANKS = {"viewer": 0, "editor": 1, "owner": 2}
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
async def server(installed, site):
    dashboard = Dashboard(installed, site.settings, NOWHERE, site.folder / "dashboard.log")
    site.parts["dashboard"] = dashboard
    await dashboard.start()
    return dashboard


@pytest.fixture
async def people(server, site):
    """`owner`, `editor`, `viewer` of the site's client, a `stranger` who owns another client, and `nobody`."""
    async with AsyncExitStack() as stack:

        async def person(client_id=site.client_id):
            return await stack.enter_async_context(Person(server.address, client_id))

        owner = await person()
        assert (await owner.set_up(await server.first_start())).status_code == 200
        found = {"owner": owner, "nobody": await person(), "stranger": await person()}
        for role in ("editor", "viewer"):
            found[role] = await person()
            invited = await owner.post("/invitations", json={"email": f"{role}@example.com", "role": role})
            await accept(found[role], invited)
        await _add_stranger(site.settings.database_url)
        assert (await found["stranger"].sign_in("stranger@example.com")).status_code == 200
        yield found


async def accept(person, invited, password=PASSWORD):
    token = invited.json()["link"].partition("#")[2]
    return await person.post("/invitations/accept", json={"token": token, "name": "Somebody", "password": password})


async def _add_stranger(database_url):
    database = await asyncpg.connect(database_url)
    await database.execute("INSERT INTO clients (client_id, name) VALUES ('other', 'Other')")
    await database.execute(
        "WITH one AS (INSERT INTO users (email, name, password_hash) SELECT 'stranger@example.com', 'S', password_hash"
        " FROM users LIMIT 1 RETURNING user_id)"
        " INSERT INTO memberships (client_id, user_id, role) SELECT 'other', user_id, 'owner' FROM one"
    )
    await database.close()


def routes(installed):
    printed = subprocess.run(
        [installed / "node", "scripts/routes.ts"], cwd=installed, capture_output=True, text=True, timeout=60, check=True
    )
    return [(one["method"].upper(), one["path"], one["access"]) for one in json.loads(printed.stdout)]


async def test_every_route_refuses_who_may_not_and_a_stranger_finds_no_other_client(installed, people):
    found = routes(installed)
    assert len(found) > 25
    for method, path, access in found:
        if access == "public" or path == "/sign-out":
            continue
        place = re.sub(":[a-z]+", "doc_x", path)
        statuses = {
            name: (await person.request(method, place, json={} if method in {"POST", "PUT"} else None)).status_code
            for name, person in people.items()
        }
        assert statuses["nobody"] == 401, path
        if access == "signed-in":
            assert 401 not in {statuses[name] for name in ("stranger", "viewer")}, path
            continue
        assert statuses["stranger"] == 403, path
        for role, rank in RANKS.items():
            is_allowed = rank >= RANKS[access]
            assert (statuses[role] not in {401, 403}) == is_allowed, (path, role, statuses[role])


async def test_without_a_client_named_a_person_gets_the_own_one(server, people):
    async with Person(server.address) as person:
        await person.sign_in("stranger@example.com")
        me = (await person.get("/me")).json()

        assert [(one["clientId"], one["role"]) for one in me["clients"]] == [("other", "owner")]
        assert [one["email"] for one in (await person.get("/members")).json()["members"]] == ["stranger@example.com"]


async def test_the_first_account_is_made_once_with_the_link_of_the_log(server):
    token = await server.first_start()
    async with Person(server.address) as first, Person(server.address) as second:
        assert (await second.set_up("guessed")).status_code == 403
        made = await first.set_up(token)
        assert made.status_code == 200
        cookie = made.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        again = await second.set_up(token, "second@example.com")

    assert (again.status_code, again.json()["detail"]) == (409, "Somebody has an account already: sign in.")


async def test_passwords(server, people):
    owner, editor = people["owner"], people["editor"]
    async with Person(server.address) as person:
        wrong = await person.sign_in("editor@example.com", "wrong password")
        unknown = await person.sign_in("unknown@example.com", "wrong password")
        assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json())
        assert wrong.status_code == 401

        await person.post("/password/forgot", json={"email": "Editor@Example.com "})
        token = re.findall(r"/reset#(\S+)", server.last_lines(200))[-1]
        reset = {"token": token, "password": "another password"}
        assert (await owner.post("/password/reset", json=reset | {"password": "short"})).status_code == 422
        assert (await person.post("/password/reset", json=reset)).status_code == 200
        assert (await person.get("/me")).status_code == 200
        assert (await editor.get("/me")).status_code == 401, "a new password signs out everywhere"
        assert (await person.post("/password/reset", json=reset)).status_code == 403, "a link works once"
        forged = token.rpartition(".")[0] + ".AAAA"
        assert (await person.post("/password/reset", json=reset | {"token": forged})).status_code == 403


async def test_guessing_passwords_is_slowed_down(server):
    async with Person(server.address) as person:
        answers = [await person.sign_in("owner@example.com", f"guess {number}") for number in range(22)]

    assert {one.status_code for one in answers[:20]} == {401}
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_other_sites_change_nothing(server, people):
    cookies = people["owner"].cookies
    body = {"origins": ["https://evil.example"]}
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
    ):
        async with httpx.AsyncClient(
            base_url=server.address, cookies=cookies, trust_env=False, headers=headers
        ) as http:
            assert (await http.put("/api/dashboard/origins", json=body)).status_code == 403, headers
    assert (await people["owner"].get("/widget")).json()["origins"] != body["origins"]


async def test_invitations_and_the_last_owner(people, server):
    owner = people["owner"]
    invited = await owner.post("/invitations", json={"email": "New@Example.com", "role": "owner"})
    async with Person(server.address) as newcomer:
        accepted = await accept(newcomer, invited)
        assert accepted.json()["email"] == "new@example.com"
        assert (await accept(newcomer, invited)).status_code == 403, "an invitation is used up"
    members = {one["email"]: one for one in (await owner.get("/members")).json()["members"]}
    mine, other = members["owner@example.com"]["userId"], members["new@example.com"]["userId"]
    assert (await owner.delete(f"/members/{other}")).status_code == 204
    to_myself = await owner.post("/invitations", json={"email": "owner@example.com", "role": "viewer"})
    assert (await accept(owner, to_myself)).status_code == 200
    assert (await owner.get("/members")).status_code == 200, "an invitation is no way around the last owner"
    last = await owner.put(f"/members/{mine}", json={"role": "viewer"})
    assert (last.status_code, last.json()["detail"]) == (
        409,
        "This is the only owner: make somebody else an owner first.",
    )
    withdrawn = await owner.post("/invitations", json={"email": "late@example.com", "role": "viewer"})
    assert (await owner.delete("/invitations/late@example.com")).status_code == 204
    async with Person(server.address) as late:
        assert (await accept(late, withdrawn)).status_code == 403

    entries = [(one["action"], one["subject"]) for one in (await owner.get("/audit")).json()["entries"]]
    assert entries[0] == ("invitation withdrawn", "late@example.com")
    assert ("member invited", "new@example.com as owner") in entries


async def test_the_role_of_the_database_may_do_no_more_than_the_dashboard(people, site):
    database = await asyncpg.connect(site.settings.database_url)
    await database.execute("SET ROLE chatconnect_dashboard")
    for statement in (
        "DELETE FROM clients",
        "UPDATE clients SET tier = 'paid'",
        "SELECT * FROM answer_attempts",
        "SELECT * FROM sessions",
        "DELETE FROM audit_log",
        "UPDATE usage_stats SET answers = 0",
        "UPDATE documents SET status = 'ready'",
        "DELETE FROM chat_logs",
        "CREATE TABLE mine (a int)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(statement)
    await database.close()


async def test_postgres_away_is_a_503_that_says_so(installed, site, postgres):
    dashboard = Dashboard(installed, site.settings, NOWHERE, site.folder / "away.log")
    site.parts["dashboard"] = dashboard
    await dashboard.start()
    async with Person(dashboard.address) as owner:
        await owner.set_up(await dashboard.first_start())
        await postgres.kill()
        answer = await owner.get("/me")
        assert (answer.status_code, answer.json()["detail"]) == (503, "Postgres cannot be reached.")
        assert answer.headers["retry-after"] == "2"
        await postgres.start(port=int(postgres.url.rpartition(":")[2].partition("/")[0]))
        assert (await _until_ok(owner)).json()["email"] == "owner@example.com"


async def _until_ok(person):
    async with asyncio.timeout(SECONDS):
        while (answer := await person.get("/me")).status_code != 200:
            await asyncio.sleep(0.1)
    return answer
