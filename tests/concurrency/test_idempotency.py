"""One key, many requests at once."""

import time
from typing import Any

import pytest
from django.db import connection

from customers.api import me
from customers.models import Consent, IdempotencyRecord
from tests.concurrency.test_purchases import at_once
from tests.integration.customers.factories import make_customer, token_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

WORD = {"purpose": "push", "granted": True, "text_version": "v1", "source": "app"}
SENDERS = 6


def send(phone: Any, key: str | None) -> Any:
    return phone.post("/v1/me/consents", WORD, headers={} if key is None else {"Idempotency-Key": key})


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A phone whose consents take a moment to write, so that requests overlap."""
    record = me.operations.record_consent

    def slowly(**given: Any) -> Any:
        time.sleep(0.3)
        return record(**given)

    monkeypatch.setattr(me.operations, "record_consent", slowly)
    return token_client(make_customer())


def test_without_a_key_each_request_writes(phone: Any) -> None:
    at_once([lambda: send(phone, None)] * SENDERS)

    assert Consent.objects.count() == SENDERS


def test_with_a_key_one_writes_and_the_others_are_told_to_wait(phone: Any) -> None:
    answers = at_once([lambda: send(phone, "k")] * SENDERS)

    assert sorted(answer.status_code for answer in answers) == [201, *[409] * (SENDERS - 1)]
    [first] = [answer for answer in answers if answer.status_code == 201]
    others = [answer for answer in answers if answer.status_code == 409]
    assert {answer.json()["code"] for answer in others} == {"idempotency_in_flight"}
    assert {answer.headers["Retry-After"] for answer in others} == {"1"}
    assert Consent.objects.count() == 1
    assert send(phone, "k").content == first.content


def test_a_request_whose_connection_dies_leaves_the_key_free(
    phone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(**given: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as broken:
        broken.setattr(me.operations, "record_consent", die)
        [lost] = at_once([lambda: send(phone, "k")])

    assert (lost.status_code, lost.json()["code"]) == (503, "unavailable")
    assert not IdempotencyRecord.objects.exists()
    assert send(phone, "k").status_code == 201
    assert Consent.objects.count() == 1
