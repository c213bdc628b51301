"""The customers' doors, through HTTP."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from push_notifications.models import GCMDevice, WebPushDevice
from rest_framework.test import APIClient

from customers.models import (
    Affinity,
    BearerToken,
    Consent,
    Customer,
    CustomerRef,
    Device,
    Purchase,
    PushTokenClaim,
)
from customers.operations import record_consent, record_purchases
from customers.operations.dead_addresses import DeadAddress, retire_addresses
from tests.integration.customers.factories import (
    NOW,
    key_client,
    make_customer,
    make_device,
    receipt,
    token_client,
)

pytestmark = pytest.mark.django_db
SUBSCRIPTION: dict[str, Any] = {
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/abc",
    "expirationTime": None,
    # RFC 8291, section 5: the example's user agent.
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}
POINT = base64.urlsafe_b64decode(SUBSCRIPTION["keys"]["p256dh"] + "=")
# the point at infinity, compressed, cut short, of another curve's length, off the curve by one bit, zeros, beyond the field
NO_POINTS = [
    base64.urlsafe_b64encode(raw).decode()
    for raw in (
        b"\x00",
        b"\x02" + POINT[1:33],
        POINT[:-1],
        POINT + bytes(32),
        POINT[:-1] + bytes([POINT[-1] ^ 1]),
        b"\x04" + bytes(64),
        b"\x04" + b"\xff" * 64,
    )
]


def with_keys(**changes: str) -> dict[str, Any]:
    keys = {**SUBSCRIPTION["keys"], **changes}
    return {"platform": "webpush", "subscription": {**SUBSCRIPTION, "keys": keys}}


def test_a_customer_is_created_then_updated_and_absent_fields_stay() -> None:
    office = key_client("customers:write")

    created = office.put(
        "/v1/customers/C1", {"name": "Ada", "email": "a@example.org", "time_zone": "Europe/Paris"}
    )
    updated = office.put("/v1/customers/C1", {"email": None, "birth_year": 1990})

    assert (created.status_code, updated.status_code) == (201, 200)
    body = updated.json()
    times = {name: body.pop(name) for name in ("created_at", "updated_at")}
    assert times["created_at"].endswith("Z")
    assert body == {
        "ref": "C1",
        "name": "Ada",
        "email": None,
        "phone": None,
        "birth_year": 1990,
        "language": "fr",
        "time_zone": "Europe/Paris",
        "loyalty_card": None,
    }
    assert office.get("/v1/customers/C1").json() == {**body, **times}
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"nickname": "x"}, "nickname", "unknown_field"),
        ({"birth_year": True}, "birth_year", "invalid"),
        ({"birth_year": "1990"}, "birth_year", "invalid"),
        ({"birth_year": 10**400}, "birth_year", "max_value"),
        ({"birth_year": 1e400}, "birth_year", "invalid"),
        ({"email": "nobody"}, "email", "invalid"),
        ({"email": 7}, "email", "invalid"),
        ({"name": "a\0b"}, "name", "null_characters_not_allowed"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone", "unknown_time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "unknown_time_zone"),
        ({"language": "de"}, "language", "invalid_choice"),
        ({"language": None}, "language", "null"),
        ({"language": ["fr"]}, "language", "invalid_choice"),
        ([], "", "invalid"),
        ("C1", "", "invalid"),
    ],
)
def test_a_bad_customer_is_refused_by_field_and_nothing_is_written(body: Any, field: str, code: str) -> None:
    raw = json.dumps(body).replace("Infinity", "1e400")

    answer = key_client("customers:write").put("/v1/customers/C1", raw, content_type="application/json")

    assert answer.status_code == 400
    problem = answer.json()
    assert problem["code"] == "invalid"
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]
    assert not CustomerRef.objects.exists()


def test_a_ref_that_cannot_be_a_key_is_refused_when_put_and_unknown_when_read() -> None:
    office = key_client("customers:write")

    for ref in ("x" * 129, "a%00b", "a%0Ab", "%20a"):
        assert office.put(f"/v1/customers/{ref}", {}).json()["code"] == "invalid"
        assert office.get(f"/v1/customers/{ref}").json()["code"] == "not_found"


def test_customers_in_bulk_are_judged_line_by_line() -> None:
    make_customer("C2")
    lines = b'{"ref":"C1","name":"A"}\n{"ref":\n{"ref":"C2","name":"B"}\n{"ref":"C3","x":1}\n'

    answer = key_client("customers:write").post(
        "/v1/customers/bulk", lines, content_type="application/x-ndjson"
    )

    assert answer.status_code == 200
    results = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    assert [(result["line"], result["status"], result["error"]) for result in results] == [
        (1, "created", None),
        (2, "rejected", "malformed_json"),
        (3, "updated", None),
        (4, "rejected", "invalid"),
    ]
    assert sorted(Customer.objects.values_list("ref", "name")) == [("C1", "A"), ("C2", "B")]


def test_customers_are_listed_in_pages() -> None:
    for number in range(3):
        make_customer(f"C{number}")
    office = key_client("customers:write")

    first = office.get("/v1/customers?limit=2").json()
    second = office.get(first["next"]).json()

    assert [customer["ref"] for customer in first["results"]] == ["C0", "C1"]
    assert first["previous"] is None
    assert [customer["ref"] for customer in second["results"]] == ["C2"]
    assert second["next"] is None
    assert office.get(second["previous"]).json()["results"] == first["results"]


def test_a_new_token_kills_the_devices_old_one_only() -> None:
    make_customer()
    office = key_client("customers:write")

    def issue(device_id: str) -> dict[str, str]:
        answer = office.post(
            "/v1/customers/C1/tokens", {"device_id": device_id}, headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == 201
        return dict(answer.json())

    old, other, new = issue("phone"), issue("tablet"), issue("phone")

    def status(token: str) -> int:
        return int(APIClient().get("/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code)

    assert [status(issued["token"]) for issued in (old, other, new)] == [401, 200, 200]
    assert set(new) == {"token", "expires_at"}
    assert not any(
        new["token"].encode() in bytes(digest) for (digest,) in BearerToken.objects.values_list("digest")
    )
    assert office.post("/v1/customers/nobody/tokens", {"device_id": "x"}).status_code == 404


def test_an_expired_token_is_no_credential() -> None:
    phone = token_client(make_customer())
    BearerToken.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))

    assert phone.get("/v1/me").json()["code"] == "invalid_credentials"


def test_preferences_begin_as_the_houses_and_absent_fields_keep_their_value() -> None:
    phone = token_client(make_customer(time_zone="Europe/Paris"))

    before = phone.get("/v1/me/preferences").json()
    phone.patch("/v1/me/preferences", {"topics": ["yoghurt", "yoghurt"], "max_pushes_per_day": 5})
    after = phone.patch(
        "/v1/me/preferences",
        {"quiet_hours": {"from": "22:30", "to": "07:00"}, "paused_until": "2026-07-01T00:00:00+02:00"},
    ).json()

    assert before == {
        "language": "fr",
        "time_zone": "Europe/Paris",
        "topics": [],
        "keywords": [],
        "muted_brands": [],
        "muted_categories": [],
        "quiet_hours": {"from": "21:00", "to": "08:00"},
        "max_pushes_per_day": 1,
        "max_pushes_per_week": 3,
        "channels": ["push"],
        "paused_until": None,
    }
    assert after == {
        **before,
        "topics": ["yoghurt"],
        "max_pushes_per_day": 5,
        "quiet_hours": {"from": "22:30", "to": "07:00"},
        "paused_until": "2026-06-30T22:00:00Z",
    }


def test_quiet_hours_of_null_mean_none() -> None:
    phone = token_client(make_customer())

    phone.patch("/v1/me/preferences", {"quiet_hours": None})

    assert phone.get("/v1/me/preferences").json()["quiet_hours"] is None
    customer = Customer.objects.get()
    assert (customer.has_own_quiet_hours, customer.quiet_from) == (True, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"quiet_hours": {"from": "25:00", "to": "08:00"}}, "quiet_hours.from"),
        ({"quiet_hours": {"from": "21:00"}}, "quiet_hours.to"),
        ({"quiet_hours": {"from": "21:00", "to": "08:00", "zone": "x"}}, "quiet_hours.zone"),
        ({"paused_until": "2026-07-01T00:00:00"}, "paused_until"),
        ({"channels": ["push", "pigeon"]}, "channels.1"),
        ({"topics": "yoghurt"}, "topics"),
        ({"topics": ["ok", 5]}, "topics.1"),
        ({"max_pushes_per_day": -1}, "max_pushes_per_day"),
    ],
)
def test_a_bad_preference_is_refused_with_its_path(body: dict[str, Any], field: str) -> None:
    answer = token_client(make_customer()).patch("/v1/me/preferences", body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_consents_are_appended_and_the_newest_word_holds() -> None:
    customer = make_customer()
    phone = token_client(customer)
    word = {"purpose": "push", "granted": True, "text_version": "v1", "source": "app"}

    given = phone.post("/v1/me/consents", word)
    phone.post("/v1/me/consents", {**word, "purpose": "geolocation"})
    phone.post("/v1/me/consents", {**word, "granted": False})

    assert given.status_code == 201
    assert {**given.json(), "recorded_at": None} == {**word, "recorded_at": None}
    listed = phone.get("/v1/me/consents").json()["results"]
    assert [(row["purpose"], row["granted"]) for row in listed] == [
        ("push", False),
        ("geolocation", True),
        ("push", True),
    ]
    customer.refresh_from_db()
    assert customer.granted == ["geolocation"]
    assert phone.post("/v1/me/consents", {**word, "granted": "true"}).status_code == 400
    assert Consent.objects.count() == 3


def test_a_device_is_registered_renewed_rotated_and_removed() -> None:
    phone = token_client(make_customer())
    body = {"platform": "fcm", "token": "first", "app_version": "1.0", "os_version": "14"}

    created = phone.put("/v1/me/devices/phone", body)
    renewed = phone.put("/v1/me/devices/phone", body)
    rotated = phone.put("/v1/me/devices/phone", {**body, "token": "second"})

    assert [answer.status_code for answer in (created, renewed, rotated)] == [201, 200, 200]
    assert list(GCMDevice.objects.values_list("registration_id", flat=True)) == ["second"]
    assert PushTokenClaim.objects.count() == 1
    listed = phone.get("/v1/me/devices")
    assert [(row["device_id"], row["platform"], row["active"]) for row in listed.json()["results"]] == [
        ("phone", "fcm", True)
    ]
    assert set(listed.json()["results"][0]) == {"device_id", "platform", "active", "last_seen_at"}
    assert b"second" not in rotated.content + listed.content

    assert phone.delete("/v1/me/devices/phone").status_code == 204
    assert phone.delete("/v1/me/devices/phone").status_code == 404
    assert not GCMDevice.objects.exists()
    assert not PushTokenClaim.objects.exists()


def test_a_push_address_that_moves_leaves_its_old_owner() -> None:
    old, new = make_customer("C1"), make_customer("C2")
    make_device(old, token="shared")

    answer = token_client(new).put("/v1/me/devices/hers", {"platform": "fcm", "token": "shared"})

    assert answer.status_code == 201
    left = Device.objects.get(customer=old)
    assert (left.active, left.fcm) == (False, None)
    assert GCMDevice.objects.count() == 1
    assert PushTokenClaim.objects.get().customer_id == new.pk


def test_an_address_called_dead_lives_again_when_registered_again() -> None:
    customer = make_customer()
    device = make_device(customer, token="same")
    Device.objects.update(active=False)
    GCMDevice.objects.update(active=False)

    token_client(customer).put("/v1/me/devices/phone", {"platform": "fcm", "token": "same"})

    device.refresh_from_db()
    assert device.active
    assert device.registered_at > NOW - timedelta(days=1) and device.registered_at != NOW
    assert GCMDevice.objects.get().active


def test_an_address_that_is_confirmed_outlives_an_answer_about_what_was_sent_before() -> None:
    customer = make_customer()
    device = make_device(customer, token="same")
    dead = DeadAddress(customer_id=customer.pk, device_id=device.pk, registered_at=device.registered_at)

    token_client(customer).put("/v1/me/devices/phone", {"platform": "fcm", "token": "same"})

    assert retire_addresses([dead]) == 0
    device.refresh_from_db()
    assert device.active
    assert GCMDevice.objects.get().registration_id == "same"


def test_a_browser_is_registered_by_its_subscription() -> None:
    phone = token_client(make_customer())

    answer = phone.put("/v1/me/devices/web", {"platform": "webpush", "subscription": SUBSCRIPTION})

    assert answer.status_code == 201
    row = WebPushDevice.objects.get()
    assert (row.registration_id, row.browser) == (SUBSCRIPTION["endpoint"], "FIREFOX")
    assert phone.put("/v1/me/devices/web", {"platform": "apns", "token": "ab" * 32}).status_code == 200
    assert not WebPushDevice.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"platform": "fcm"}, "token"),
        ({"platform": "fcm", "token": "two words secret"}, "token"),
        ({"platform": "fcm", "token": 5}, "token"),
        ({"platform": "apns", "token": "not-hex-secret"}, "token"),
        ({"platform": "webpush", "token": "secret"}, "token"),
        ({"platform": "webpush"}, "subscription"),
        ({"platform": "fcm", "token": "secret", "subscription": SUBSCRIPTION}, "subscription"),
        (
            {
                "platform": "webpush",
                "subscription": {**SUBSCRIPTION, "endpoint": "http://169.254.169.254/secret"},
            },
            "subscription.endpoint",
        ),
        (
            {
                "platform": "webpush",
                "subscription": {**SUBSCRIPTION, "keys": {"p256dh": "secret", "auth": "A" * 22}},
            },
            "subscription.keys.p256dh",
        ),
        *((with_keys(p256dh=key), "subscription.keys.p256dh") for key in NO_POINTS),
        *(
            (with_keys(auth=auth), "subscription.keys.auth")
            for auth in ("", "A" * 20, "A" * 24, "A" * 21 + "!")
        ),
    ],
)
def test_a_bad_push_address_is_refused_and_never_echoed(body: dict[str, Any], field: str) -> None:
    answer = token_client(make_customer()).put("/v1/me/devices/phone", body)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert b"secret" not in answer.content
    assert not Device.objects.exists()


def test_erasure_leaves_a_pseudonym_and_the_consents() -> None:
    customer = make_customer(name="Ada", email="a@example.org", birth_year=1990)
    phone = token_client(customer)
    make_device(customer)
    record_consent(
        customer_id=customer.pk, purpose="push", granted=True, text_version="v1", source="app", now=NOW
    )
    record_purchases([receipt()], now=NOW)

    answer = phone.delete("/v1/me")

    assert answer.status_code == 202
    assert phone.get("/v1/me").status_code == 401
    left = Customer.objects.get()
    assert left.ref.startswith("erased-")
    assert (left.name, left.email, left.birth_year, left.granted) == ("", "", None, [])
    assert left.erased_at is not None
    assert Consent.objects.count() == 1
    for model in (Purchase, Affinity, Device, GCMDevice, PushTokenClaim, BearerToken, CustomerRef):
        assert not model.objects.exists(), model


def test_an_erased_customers_key_can_be_given_again() -> None:
    office = key_client("customers:write")
    office.put("/v1/customers/C1", {"name": "Ada"})

    assert office.delete("/v1/customers/C1").status_code == 202
    assert office.delete("/v1/customers/C1").status_code == 404
    assert office.put("/v1/customers/C1", {}).json()["name"] is None
    assert Customer.objects.count() == 2
