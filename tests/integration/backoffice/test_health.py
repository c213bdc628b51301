"""The probes say what is, and why not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client

from offers.models import OutboxMessage, SendingSwitch
from offers.queries import health
from tests.integration.backoffice.office import Office
from tests.integration.wallet.conftest import make_coupon

OK = {"database": "ok", "migrations": "ok", "queue": "ok"}


def test_the_process_answers_without_a_database(client: Client) -> None:
    response = client.get("/healthz")  # no database mark: a query would be an error
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_a_service_that_can_work_is_ready(db: None, client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "checks": OK, "alerts": []})


def test_a_queue_that_nobody_empties_is_named(office: Office, client: Client) -> None:
    office.put("customers/C1", {})
    make_coupon(office, customer="C1")
    OutboxMessage.objects.update(due_at=datetime.now(UTC) - timedelta(seconds=500, milliseconds=400))
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"] == "2"
    assert response.json()["code"] == "unavailable"
    assert response.json()["checks"] == {**OK, "queue": "the oldest due message has waited 500 s"}
    SendingSwitch.objects.update_or_create(id=1, defaults={"is_stopped": True})
    assert client.get("/readyz").status_code == 200


def test_a_missing_migration_is_named(db: None, client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'offers'")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"].endswith("not applied")


def test_a_read_only_database_is_not_ready(db: None, client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    response = client.get("/readyz")
    assert (response.status_code, response.json()["checks"]) == (503, {"database": "read-only"})


def test_an_unreachable_database_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> bool:
        raise OperationalError("could not connect")

    monkeypatch.setattr(health, "is_writable", away)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["checks"]) == (503, {"database": "unreachable"})
