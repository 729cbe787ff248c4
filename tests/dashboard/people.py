"""People with a browser at the dashboard."""

import httpx

PASSWORD = "correct horse battery"


class Person(httpx.AsyncClient):
    """A browser: keeps its cookie, and says where its requests come from."""

    def __init__(self, address: str, client_id: str | None = None) -> None:
        headers = {"sec-fetch-site": "same-origin"} | ({"x-client-id": client_id} if client_id else {})
        super().__init__(base_url=f"{address}/api/dashboard", headers=headers, trust_env=False, timeout=60)

    async def set_up(self, token: str, email: str = "owner@example.com") -> httpx.Response:
        """Makes the first account."""
        body = {"token": token, "name": "Olga Owner", "email": email, "password": PASSWORD}
        return await self.post("/setup", json=body)

    async def sign_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """Keeps the cookie when it succeeds."""
        return await self.post("/sign-in", json={"email": email, "password": password})
