"""HTTP callers of a site's gateway: a page, or the client's server."""

import httpx


def connect(site):
    return httpx.AsyncClient(base_url=site.urls[0], trust_env=False, timeout=30)


def server(site):
    return {"authorization": f"Bearer {site.keys.secret}"}


def page(site):
    return {"x-api-key": site.keys.publishable, "origin": "http://x"}
