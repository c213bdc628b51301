"""The served document says what API.md says, and the service serves what the document says."""

import io
import re
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import resolve

DOORS = {
    "/v1/me": "delete get",
    "/v1/me/decisions": "get",
    "/v1/me/preferences": "get patch",
    "/v1/me/consents": "get post",
    "/v1/me/devices": "get",
    "/v1/me/devices/{device_id}": "delete put",
    "/v1/events": "post",
    "/v1/coupons": "get",
    "/v1/coupons/{code}": "get",
    "/v1/coupons/{code}/feedback": "post",
    "/v1/coupons/{code}/why": "get",
    "/v1/purchases": "post",
    "/v1/stores": "get",
    "/v1/stores/bulk": "post",
    "/v1/stores/{ref}": "delete get put",
    "/v1/stores/{store_ref}/aisles": "get",
    "/v1/stores/{store_ref}/aisles/bulk": "post",
    "/v1/stores/{store_ref}/aisles/{ref}": "delete get put",
    "/v1/categories": "get",
    "/v1/categories/bulk": "post",
    "/v1/categories/{ref}": "delete get put",
    "/v1/products": "get",
    "/v1/products/bulk": "post",
    "/v1/products/{gtin}": "delete get put",
    "/v1/customers": "get",
    "/v1/customers/bulk": "post",
    "/v1/customers/{ref}": "delete get put",
    "/v1/customers/{ref}/tokens": "post",
    "/v1/offers": "get",
    "/v1/offers/bulk": "post",
    "/v1/offers/{ref}": "delete get put",
    "/v1/offers/{ref}/publish": "post",
    "/v1/offers/{ref}/pause": "post",
    "/v1/offers/{ref}/resume": "post",
    "/v1/offers/{ref}/end": "post",
    "/v1/simulations": "post",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    out = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    return dict(yaml.safe_load(out.getvalue()))


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/v1/")
    ]


def test_every_door_of_the_contract_is_in_the_document(document: dict[str, Any]) -> None:
    said = {path: " ".join(sorted(methods)) for path, methods in document["paths"].items()}
    assert {path: said.get(path) for path in DOORS} == DOORS


def test_every_operation_names_its_credentials_its_problems_and_itself(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["security"] in ([{"customerToken": []}], [{"apiKey": []}]), where
        problem = operation["responses"]["default"]["content"]["application/problem+json"]
        assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}, where
        assert operation["summary"], where
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_every_documented_address_is_served(document: dict[str, Any]) -> None:
    for path, method, _ in operations(document):
        if path == "/v1/events":  # served by the consumer
            continue
        view = resolve(re.sub(r"\{\w+\}", "x", path)).func
        assert hasattr(view.cls, method), f"{method} {path}"  # type: ignore[attr-defined]


def test_the_document_and_its_page_are_served_without_a_cdn(client: Client) -> None:
    assert client.get("/api/schema/").status_code == 200
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert not re.findall(rb"(?:src|href)=\"?https?://", page.content)
