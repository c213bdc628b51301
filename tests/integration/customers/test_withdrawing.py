"""Consent taken back without a login: by a link, by a STOP; and addresses where nothing arrives."""

from base64 import b64encode
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Consent, Customer
from customers.operations import erase_customer, record_consent
from customers.operations.dead_contacts import DeadContact, retire_contacts
from customers.operations.withdrawing import LINK, STOP, withdraw_consent, withdraw_sms_of
from customers.unsubscribing import NotOurs, Word, read_word, unsubscribe_path

from .factories import NOW, key_client, make_customer

pytestmark = pytest.mark.django_db

NUMBER = "+33612345678"
LATER = NOW + timedelta(hours=1)


def consenting(ref: str = "C1", *purposes: str, **fields: Any) -> Customer:
    customer = make_customer(ref, **fields)
    for purpose in purposes or ("push", "email", "sms"):
        record_consent(
            customer_id=customer.pk, purpose=purpose, granted=True, text_version="1", source="app", now=NOW
        )
    customer.refresh_from_db()
    return customer


def words(customer: Customer) -> list[tuple[str, bool, str, str]]:
    """Return what the customer took back, oldest first."""
    taken_back = Consent.objects.filter(customer=customer, granted=False).order_by("id")
    return list(taken_back.values_list("purpose", "granted", "text_version", "source"))


def granted(customer: Customer) -> list[str]:
    return sorted(Customer.objects.get(pk=customer.pk).granted)


# --- the link ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_link_says_whom_and_what_and_no_more(channel: str) -> None:
    path = unsubscribe_path(customer_id=4711, channel=channel)
    assert path.startswith(f"/u/{channel}-4711.")
    assert read_word(path.removeprefix("/u/")) == Word(customer_id=4711, channel=channel)


@pytest.mark.parametrize(
    "damage",
    [
        lambda signed: signed[:-1],
        lambda signed: signed.replace("-12.", "-13."),
        lambda signed: signed.replace("email", "sms"),
        lambda signed: signed + "x",
        lambda signed: "",
        lambda signed: "email-12",
    ],
)
def test_a_link_that_was_tampered_with_is_not_ours(damage: Callable[[str], str]) -> None:
    signed = unsubscribe_path(customer_id=12, channel="email").removeprefix("/u/")
    with pytest.raises(NotOurs):
        read_word(damage(signed))


def test_looking_changes_nothing(client: Client) -> None:
    customer = consenting(email="ada@example.net", name="Ada Lovelace")

    page = client.get(unsubscribe_path(customer_id=customer.pk, channel="email"))

    assert (page.status_code, granted(customer), words(customer)) == (200, ["email", "push", "sms"], [])
    told = page.content.decode()
    assert "Ne plus recevoir d’offres par e-mail ?" in told and "No more offers by e-mail?" in told
    assert told.count('<form method="post"><button type="submit">') == 2
    assert not [
        word for word in ("<script", "http://", "https://", "Ada", "ada@", "C1", "csrf") if word in told
    ]
    assert page.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


@pytest.mark.parametrize(("channel", "left"), [("email", ["push", "sms"]), ("sms", ["email", "push"])])
def test_the_button_takes_the_consent_back(client: Client, channel: str, left: list[str]) -> None:
    customer = consenting()

    page = client.post(unsubscribe_path(customer_id=customer.pk, channel=channel))

    assert page.status_code == 200
    assert "C’est fait." in page.content.decode() and "Done." in page.content.decode()
    assert granted(customer) == left
    assert words(customer) == [(channel, False, LINK, "web")]


def test_a_mail_program_does_it_with_one_click_without_cookie_or_token() -> None:
    customer = consenting()
    strict = Client(enforce_csrf_checks=True)

    page = strict.post(
        unsubscribe_path(customer_id=customer.pk, channel="email"),
        data="List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )

    assert (page.status_code, granted(customer)) == (200, ["push", "sms"])


def test_twice_is_once(client: Client) -> None:
    customer = consenting()
    path = unsubscribe_path(customer_id=customer.pk, channel="email")

    pages = [client.post(path) for _ in range(3)]

    assert {page.status_code for page in pages} == {200}
    assert len(words(customer)) == 1


def test_a_consent_given_again_can_be_taken_back_again(client: Client) -> None:
    customer = consenting()
    path = unsubscribe_path(customer_id=customer.pk, channel="email")
    client.post(path)
    record_consent(
        customer_id=customer.pk, purpose="email", granted=True, text_version="2", source="app", now=NOW
    )

    client.post(path)

    assert (granted(customer), len(words(customer))) == (["push", "sms"], 2)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("signed", ["email-1.forged", "x", "%00", "email-1"])
def test_a_forged_link_does_nothing(client: Client, method: str, signed: str) -> None:
    customer = consenting()

    page = getattr(client, method)(f"/u/{signed}")

    assert (page.status_code, words(customer)) == (404, [])
    assert "Ce lien n’est pas complet." in page.content.decode()


def test_other_methods_are_refused(client: Client) -> None:
    answer = client.delete(unsubscribe_path(customer_id=1, channel="email"))
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST")


def test_the_link_of_one_who_was_erased_is_answered_and_does_nothing(client: Client) -> None:
    customer = consenting()
    erase_customer(customer_id=customer.pk, now=NOW)

    page = client.post(unsubscribe_path(customer_id=customer.pk, channel="email"))

    assert (page.status_code, words(customer)) == (200, [])


# --- many at once ------------------------------------------------------------------------------------------


def test_many_withdrawals_cost_two_statements(
    count_queries: Callable[[], AbstractContextManager[CaptureQueriesContext]],
) -> None:
    customers = [consenting(f"C{n}", "sms") for n in range(12)]
    costs = []
    for some in (customers[:2], customers[2:]):
        with count_queries() as seen:
            count = withdraw_consent(
                customer_ids=[one.pk for one in some], purpose="sms", text_version=STOP, now=LATER
            )
        costs.append(len([each for each in seen if "SAVEPOINT" not in each["sql"]]))
        assert count == len(some)
    assert costs == [2, 2]


def test_nobody_to_withdraw_for_is_zero() -> None:
    assert withdraw_consent(customer_ids=[], purpose="sms", text_version=STOP, now=LATER) == 0
    assert withdraw_sms_of("+33699999999", now=LATER) == 0


# --- STOP --------------------------------------------------------------------------------------------------

KEY = "a-key-of-the-gateway-0123456789"


@pytest.fixture
def inbound(settings: Any) -> None:
    sms = replace(settings.PROVIDERS.sms, inbound_key=KEY)
    settings.PROVIDERS = replace(settings.PROVIDERS, sms=sms)


def stop(text: str = "STOP", *, number: str = NUMBER, auth: str = f"Bearer {KEY}") -> Any:
    return Client(enforce_csrf_checks=True).post(
        "/v1/sms/inbound",
        data={"from": number, "text": text},
        content_type="application/json",
        headers={"authorization": auth},
    )


@pytest.mark.usefixtures("inbound")
def test_a_stop_takes_sms_back_for_everyone_with_the_number() -> None:
    shared = [consenting(ref, phone=NUMBER) for ref in ("C1", "C2")]
    other = consenting("C3", phone="+33612345679")
    never = make_customer("C4", phone=NUMBER)

    answer = stop()

    assert (answer.status_code, answer.json()) == (200, {"stopped": True})
    assert [granted(one) for one in (*shared, other, never)] == [
        ["email", "push"],
        ["email", "push"],
        ["email", "push", "sms"],
        [],
    ]
    assert [words(one) for one in (*shared, other, never)] == [
        [("sms", False, STOP, "web")],
        [("sms", False, STOP, "web")],
        [],
        [],
    ]


@pytest.mark.usefixtures("inbound")
def test_another_text_stops_nothing_and_an_unknown_number_is_answered_alike() -> None:
    customer = consenting(phone=NUMBER)

    answers = [stop("Merci !"), stop(number="+33699999999"), stop(number="+33699999999")]

    assert [answer.json() for answer in answers] == [{"stopped": False}, {"stopped": True}, {"stopped": True}]
    assert words(customer) == []


@pytest.mark.usefixtures("inbound")
@pytest.mark.parametrize(
    "auth",
    [
        "",
        "Bearer",
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        f"Api-Key {KEY}",
        "Basic !!!",
        "Basic Og==",
        "Bearer é",
    ],
)
def test_another_key_opens_nothing(auth: str) -> None:
    customer = consenting(phone=NUMBER)

    answer = stop(auth=auth)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert answer.headers["WWW-Authenticate"]
    assert words(customer) == []


@pytest.mark.usefixtures("inbound")
def test_the_key_may_be_the_password_of_a_callback_address() -> None:
    customer = consenting(phone=NUMBER)

    answer = stop(auth=f"Basic {b64encode(f'gateway:{KEY}'.encode()).decode()}")

    assert (answer.status_code, granted(customer)) == (200, ["email", "push"])


@pytest.mark.usefixtures("inbound")
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"\xff", b'{"from": "0612345678", "text": "STOP"}', b'{"from": 1, "text": "STOP"}'],
)
def test_what_is_no_sms_is_refused(body: bytes) -> None:
    answer = Client().post(
        "/v1/sms/inbound",
        data=body,
        content_type="application/json",
        headers={"authorization": f"Bearer {KEY}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.usefixtures("inbound")
def test_too_much_is_refused() -> None:
    answer = Client().post(
        "/v1/sms/inbound",
        data=b"x" * (64 * 1024 + 1),
        content_type="application/json",
        headers={"authorization": f"Bearer {KEY}"},
    )
    assert answer.status_code == 413


@pytest.mark.usefixtures("inbound")
def test_the_door_speaks_the_gateways_dialect(settings: Any) -> None:
    settings.PROVIDERS = replace(settings.PROVIDERS, sms=replace(settings.PROVIDERS.sms, provider="twilio"))
    customer = consenting(phone=NUMBER)

    answer = Client().post(
        "/v1/sms/inbound",
        data=f"From=%2B{NUMBER[1:]}&Body=Stop",
        content_type="application/x-www-form-urlencoded",
        headers={"authorization": f"Bearer {KEY}"},
    )

    assert (answer.json(), granted(customer)) == ({"stopped": True}, ["email", "push"])


def test_without_a_key_there_is_no_door() -> None:
    assert django_settings.PROVIDERS.sms.inbound_key == ""
    answers = [stop(auth=auth) for auth in ("", "Bearer ", f"Bearer {KEY}")]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 3


@pytest.mark.usefixtures("inbound")
def test_a_stop_finds_its_customers_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM customers_customer WHERE phone = %s", [NUMBER])
        assert "customer_phone" in "\n".join(line for (line,) in cursor.fetchall())


# --- addresses where nothing arrives -----------------------------------------------------------------------


def dead(customer: Customer, *, channel: str = "email", address: str = "ada@example.net") -> DeadContact:
    return DeadContact(customer_id=customer.pk, channel=channel, address=address)


def since(customer: Customer) -> tuple[datetime | None, datetime | None]:
    found = Customer.objects.get(pk=customer.pk)
    return found.email_dead_at, found.phone_dead_at


def test_a_dead_address_is_noted_and_kept() -> None:
    ada = make_customer("C1", email="ada@example.net", phone=NUMBER)
    bob = make_customer("C2", email="bob@example.net", phone="+33612345679")

    noted = retire_contacts([dead(ada), dead(bob, channel="sms", address="+33612345679")], now=LATER)

    assert (noted, since(ada), since(bob)) == (2, (LATER, None), (None, LATER))
    assert Customer.objects.get(pk=ada.pk).email == "ada@example.net"


def test_both_addresses_of_one_customer_can_be_dead() -> None:
    ada = make_customer(email="ada@example.net", phone=NUMBER)
    assert retire_contacts([dead(ada), dead(ada), dead(ada, channel="sms", address=NUMBER)], now=LATER) == 2
    assert since(ada) == (LATER, LATER)


def test_an_address_that_changed_meanwhile_is_left_alone() -> None:
    ada = make_customer(email="new@example.net")
    assert retire_contacts([dead(ada)], now=LATER) == 0
    assert since(ada) == (None, None)


def test_the_first_word_on_an_address_stands() -> None:
    ada = make_customer(email="ada@example.net")
    retire_contacts([dead(ada)], now=NOW)
    assert retire_contacts([dead(ada)], now=LATER) == 0
    assert since(ada) == (NOW, None)


def test_who_was_erased_is_passed_over() -> None:
    ada = make_customer(email="ada@example.net")
    erase_customer(customer_id=ada.pk, now=NOW)
    assert retire_contacts([dead(ada)], now=LATER) == 0
    assert retire_contacts([], now=LATER) == 0


def test_another_address_is_alive_and_the_same_one_stays_dead() -> None:
    ada = make_customer(email="ada@example.net", phone=NUMBER)
    retire_contacts([dead(ada), dead(ada, channel="sms", address=NUMBER)], now=LATER)
    office = key_client("customers:write")

    office.put("/v1/customers/C1", {"email": "ada@example.net", "name": "Ada"}, format="json")
    assert since(ada) == (LATER, LATER)
    office.put("/v1/customers/C1", {"email": "lovelace@example.net"}, format="json")
    assert since(ada) == (None, LATER)
    office.put("/v1/customers/C1", {"phone": None}, format="json")
    assert since(ada) == (None, None)
