"""Idempotency-Key: the first answer, byte for byte, for 72 h, to whom it was given."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from customers.models import Consent, IdempotencyRecord
from tests.integration.customers.factories import make_customer, token_client

pytestmark = pytest.mark.django_db
WORD = {"purpose": "push", "granted": True, "text_version": "v1", "source": "app"}


def send(client: APIClient, body: Any = WORD, *, key: str = "k1") -> Any:
    return client.post("/v1/me/consents", body, headers={"Idempotency-Key": key})


@pytest.fixture
def phone() -> APIClient:
    return token_client(make_customer())


def test_the_same_key_and_body_get_the_first_answer_byte_for_byte(phone: APIClient) -> None:
    first = send(phone)
    again = send(phone, dict(reversed(WORD.items())))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert Consent.objects.count() == 1


def test_the_same_key_with_another_body_is_422(phone: APIClient) -> None:
    send(phone)

    answer = send(phone, {**WORD, "granted": False})

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Consent.objects.count() == 1


def test_a_key_belongs_to_the_credential_that_sent_it(phone: APIClient) -> None:
    send(phone)

    assert send(token_client(make_customer("C2"))).status_code == 201
    assert Consent.objects.count() == 2


def test_a_refused_body_leaves_the_key_free(phone: APIClient) -> None:
    refused = send(phone, {**WORD, "purpose": "fax"})

    assert refused.status_code == 400
    assert not IdempotencyRecord.objects.exists()
    assert send(phone).status_code == 201


def test_without_the_header_each_request_is_its_own(phone: APIClient) -> None:
    for _ in range(2):
        assert phone.post("/v1/me/consents", WORD).status_code == 201
    assert Consent.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_none_is_refused(phone: APIClient, key: str) -> None:
    answer = send(phone, key=key)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


def test_a_key_is_forgotten_after_72_hours(phone: APIClient) -> None:
    send(phone)
    made = IdempotencyRecord.objects.get().created_at

    with time_machine.travel(made + timedelta(hours=71, minutes=59)):
        send(phone)
    assert Consent.objects.count() == 1
    with time_machine.travel(made + timedelta(hours=72, seconds=1)):
        send(phone, {**WORD, "granted": False})
    assert Consent.objects.count() == 2


def test_an_incident_leaves_neither_effect_nor_answer(
    phone: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.raise_request_exception = False
    monkeypatch.setattr("customers.api.shapes.render_consents", lambda consents: 1 / 0)

    assert send(phone).status_code == 500
    assert not Consent.objects.exists()
    monkeypatch.undo()
    assert send(phone).status_code == 201
