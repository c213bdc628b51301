"""Who may call what: every door against no credentials, wrong ones, a phone's token and each scope."""

import pytest

from tests.integration.backoffice.office import ALL_SCOPES, CIRCLE, OFFER, Office, codes

GTIN = "3033490004521"
STORES_READ = {"stores:write", "offers:write", "reports:read"}
CATALOGUE_READ = {"catalogue:write", "stores:write", "offers:write", "reports:read"}
OFFERS_READ = {"offers:write", "reports:read"}
MATRIX = [
    ("GET", "stores", STORES_READ),
    ("GET", "stores/S1", STORES_READ),
    ("PUT", "stores/S1", {"stores:write"}),
    ("DELETE", "stores/S1", {"stores:write"}),
    ("POST", "stores/bulk", {"stores:write"}),
    ("GET", "stores/S1/aisles", STORES_READ),
    ("PUT", "stores/S1/aisles/a", {"stores:write"}),
    ("DELETE", "stores/S1/aisles/a", {"stores:write"}),
    ("POST", "stores/S1/aisles/bulk", {"stores:write"}),
    ("GET", "categories", CATALOGUE_READ),
    ("PUT", "categories/c", {"catalogue:write"}),
    ("DELETE", "categories/c", {"catalogue:write"}),
    ("POST", "categories/bulk", {"catalogue:write"}),
    ("GET", "products", CATALOGUE_READ),
    ("PUT", f"products/{GTIN}", {"catalogue:write"}),
    ("DELETE", f"products/{GTIN}", {"catalogue:write"}),
    ("POST", "products/bulk", {"catalogue:write"}),
    ("GET", "offers", OFFERS_READ),
    ("GET", "offers/O1", OFFERS_READ),
    ("PUT", "offers/O1", {"offers:write"}),
    ("DELETE", "offers/O1", {"offers:write"}),
    ("POST", "offers/bulk", {"offers:write"}),
    ("POST", "offers/O1/publish", {"offers:write"}),
    ("POST", "offers/O1/pause", {"offers:write"}),
    ("POST", "offers/O1/resume", {"offers:write"}),
    ("POST", "offers/O1/end", {"offers:write"}),
    ("POST", "purchases", {"purchases:write"}),
    ("GET", "customers", {"customers:write"}),
    ("GET", "customers/C1", {"customers:write"}),
    ("PUT", "customers/C1", {"customers:write"}),
    ("DELETE", "customers/C1", {"customers:write"}),
    ("POST", "customers/bulk", {"customers:write"}),
    ("POST", "customers/C1/tokens", {"customers:write"}),
]
PHONE_ONLY = [
    ("GET", "me"),
    ("DELETE", "me"),
    ("GET", "me/decisions"),
    ("GET", "coupons"),
    ("GET", "coupons/0000-0000-0000-0000"),
    ("GET", "coupons/0000-0000-0000-0000/why"),
    ("POST", "coupons/0000-0000-0000-0000/feedback"),
]


@pytest.mark.parametrize(("method", "path", "scopes"), MATRIX)
def test_a_back_office_door_opens_to_its_scopes_alone(
    db: None, method: str, path: str, scopes: set[str]
) -> None:
    for scope in ALL_SCOPES:
        status, body = Office(scopes=(scope,))._call(method, path, None, {})
        if scope in scopes:
            assert status not in (401, 403), scope
        else:
            assert (status, body["code"]) == (403, "missing_scope"), scope


@pytest.mark.parametrize(("method", "path"), [*[(method, path) for method, path, _ in MATRIX], *PHONE_ONLY])
@pytest.mark.parametrize("header", ["Bearer nonsense", "Api-Key nonsense", "Basic eDp5", "Bearer", "x"])
def test_every_door_is_shut_to_credentials_that_do_not_hold(
    db: None, method: str, path: str, header: str
) -> None:
    answer = Office(authorization=header)._call(method, path, None, {})
    assert codes(answer) == (401, "invalid_credentials", [])


@pytest.mark.parametrize(("method", "path"), PHONE_ONLY)
def test_a_phones_door_is_shut_to_api_keys(office: Office, method: str, path: str) -> None:
    assert codes(office._call(method, path, None, {})) == (403, "missing_scope", [])


@pytest.mark.parametrize(("method", "path", "scopes"), MATRIX)
def test_a_back_office_door_is_shut_to_phones(
    office: Office, method: str, path: str, scopes: set[str]
) -> None:
    office.put("customers/C1", {})
    token = office.post("customers/C1/tokens", {"device_id": "phone"})[1]["token"]
    answer = Office(authorization=f"Bearer {token}")._call(method, path, None, {})
    assert codes(answer) == (403, "missing_scope", [])


def test_nothing_is_written_by_a_key_without_the_scope(office: Office) -> None:
    reader = Office(scopes=("reports:read",))
    reader.put("stores/S1", CIRCLE)
    reader.put("offers/O1", OFFER)
    assert office.get("stores")[1]["results"] == []
    assert office.get("offers")[1]["results"] == []


@pytest.mark.parametrize("path", ["nothing", "stores/S1/aisles/a/b", "me/nothing", "stores/"])
def test_an_unknown_address_is_a_problem_in_json(office: Office, path: str) -> None:
    response = office.client.get(f"/v1/{path}")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
