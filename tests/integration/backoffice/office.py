"""A back office at its desk: an API key, and calls that answer (status, body)."""

import json
from typing import Any

from django.test import Client

from customers.models import ApiKey

ALL_SCOPES = (
    "stores:write",
    "catalogue:write",
    "customers:write",
    "purchases:write",
    "offers:write",
    "redemptions:write",
    "reports:read",
    "simulations:run",
)
Answer = tuple[int, Any]

CIRCLE = {
    "name": "Rayon Bastille",
    "location": {"lat": 48.853, "lon": 2.369},
    "radius_m": 120,
    "time_zone": "Europe/Paris",
}
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[2.369, 48.853], [2.371, 48.853], [2.371, 48.855], [2.369, 48.855], [2.369, 48.853]]],
}
OFFER: dict[str, Any] = {
    "title": {"fr": "-20 % sur les yaourts", "en": "20 % off yoghurt"},
    "body": {"fr": "Au rayon frais.", "en": "In the chilled aisle."},
    "benefit": {"kind": "percent", "value_bp": 2000},
    "target": {"brand": "Alsace Lait"},
    "valid": {"from": "2020-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z"},
}


class Office:
    """One API key. `authorization` may be any other header's value."""

    def __init__(
        self, *, scopes: tuple[str, ...] = ALL_SCOPES, stores: tuple[str, ...] = (), authorization: str = ""
    ) -> None:
        if not authorization:
            _, key = ApiKey.objects.create_key(name="office", scopes=list(scopes), store_refs=list(stores))
            authorization = f"Api-Key {key}"
        self.client = Client(headers={"Authorization": authorization})

    def get(self, path: str, **headers: str) -> Answer:
        return self._call("GET", path, None, headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self._call("PUT", path, body, headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return self._call("PATCH", path, body, headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self._call("POST", path, body, headers)

    def delete(self, path: str) -> Answer:
        return self._call("DELETE", path, None, {})

    def bulk(self, path: str, lines: list[Any]) -> Answer:
        """Send objects as lines, and bytes as they are; answer one object per line."""
        raw = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
        response = self.client.post(f"/v1/{path}", raw, content_type="application/x-ndjson")
        if response.status_code != 200:
            return response.status_code, json.loads(response.content)
        return 200, [json.loads(line) for line in response.getvalue().splitlines()]

    def _call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.client.generic(
            method, f"/v1/{path}", raw, content_type="application/json", headers=named
        )
        raw = response.getvalue()
        return response.status_code, json.loads(raw) if raw else None


def codes(answer: Answer) -> tuple[int, str, list[tuple[str, str]]]:
    """Return a refusal's status, code, and (field, code) of each error."""
    status, body = answer
    return status, body["code"], [(error["field"], error["code"]) for error in body.get("errors", [])]


def statuses(answer: Answer) -> list[tuple[int, str, str | None]]:
    """Return (line, status, error) of each line of a bulk answer."""
    status, lines = answer
    assert status == 200
    return [(line["line"], line["status"], line["error"]) for line in lines]
