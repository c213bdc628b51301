"""Each dialect's request, what each of its answers means, and what a phone sent back."""

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from offers.gateways.fcm_answers import Verdict
from offers.gateways.http import Answer
from offers.gateways.port import Outcome
from offers.gateways.sms_dialects import DIALECTS, Account, Inbound, Sms

from .messages import NOW

SMS = Sms(
    message_id="6e3c3a5e-0f5c-4e0b-9c0e-3a4f6a0b1c2d",
    to="+33612345678",
    sender="Carotte",
    text="-30 % à 2 €",
    is_gsm=True,
)
ACCOUNT = Account(path="", user="AC1", secret="s3cret")
BASIC = f"Basic {base64.b64encode(b'AC1:s3cret').decode()}"
SERVICE = f"MG{'0a' * 16}"


def changed(sms: Sms, **changes: Any) -> Sms:
    fields = {name: getattr(sms, name) for name in ("message_id", "to", "sender", "text", "is_gsm")}
    return Sms(**{**fields, **changes})


def test_our_own_dialect_names_the_message_and_its_key() -> None:
    request = DIALECTS["rayon"].request(SMS, ACCOUNT)
    assert request.path == "/v1/messages"
    assert request.headers == {
        "content-type": "application/json",
        "idempotency-key": SMS.message_id,
        "authorization": BASIC,
    }
    assert json.loads(request.content) == {
        "id": SMS.message_id,
        "to": "+33612345678",
        "from": "Carotte",
        "text": "-30 % à 2 €",
        "encoding": "gsm7",
    }
    anonymous = Account(path="/in/sms", user="", secret="")
    plain = DIALECTS["rayon"].request(changed(SMS, is_gsm=False), anonymous)
    assert (plain.path, "authorization" in plain.headers) == ("/in/sms", False)
    assert json.loads(plain.content)["encoding"] == "ucs2"


@pytest.mark.parametrize(("sender", "field"), [("Carotte", "From"), (SERVICE, "MessagingServiceSid")])
def test_twilio_gets_a_form(sender: str, field: str) -> None:
    request = DIALECTS["twilio"].request(changed(SMS, sender=sender), ACCOUNT)
    assert request.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert request.headers == {
        "content-type": "application/x-www-form-urlencoded",
        "authorization": BASIC,
    }
    assert parse_qs(request.content.decode()) == {
        "To": ["+33612345678"],
        field: [sender],
        "Body": ["-30 % à 2 €"],
    }


@pytest.mark.parametrize(("is_gsm", "more"), [(True, {}), (False, {"type": "unicode"})])
def test_vonage_gets_its_credentials_in_the_body(is_gsm: bool, more: dict[str, str]) -> None:
    request = DIALECTS["vonage"].request(changed(SMS, is_gsm=is_gsm), ACCOUNT)
    assert (request.path, dict(request.headers)) == ("/sms/json", {"content-type": "application/json"})
    assert json.loads(request.content) == {
        "api_key": "AC1",
        "api_secret": "s3cret",
        "from": "Carotte",
        "to": "33612345678",
        "text": "-30 % à 2 €",
        "client-ref": SMS.message_id,
        **more,
    }


def of_vonage(status: object, **more: Any) -> dict[str, Any]:
    return {"message-count": "1", "messages": [{"to": "33612345678", "status": status, **more}]}


DEAD, OURS, LANE, LATER = (
    Outcome.DEAD_TOKEN,
    Outcome.OUR_FAULT,
    Outcome.LANE_STOPPED,
    Outcome.TRY_LATER,
)
# dialect, status, body, Retry-After; outcome, code, seconds to wait (of TRY_LATER)
ANSWERS: list[tuple[str, int, Any, str | None, Outcome, str, int | None]] = [
    ("rayon", 400, {"code": "invalid_number"}, None, DEAD, "INVALID_NUMBER", None),
    ("rayon", 422, {"code": "not_a_mobile"}, None, DEAD, "NOT_A_MOBILE", None),
    ("rayon", 403, {"code": "blocked"}, None, DEAD, "BLOCKED", None),
    ("rayon", 400, {"code": "opted_out"}, None, DEAD, "OPTED_OUT", None),
    ("rayon", 500, {"code": "opted_out"}, None, LATER, "OPTED_OUT", 10),  # what broke may say anything
    ("rayon", 400, {"code": "bad_sender"}, None, OURS, "BAD_SENDER", None),
    (
        "rayon",
        400,
        {"code": "Invalid number +33612345678"},
        None,
        OURS,
        "HTTP_400",
        None,
    ),  # no text from outside
    ("rayon", 400, [], None, OURS, "HTTP_400", None),
    ("rayon", 413, None, None, OURS, "HTTP_413", None),
    ("rayon", 401, None, None, LANE, "HTTP_401", None),
    ("rayon", 402, {"code": "no_credit"}, None, LANE, "NO_CREDIT", None),
    ("rayon", 403, None, None, LANE, "HTTP_403", None),
    ("rayon", 404, None, None, LANE, "HTTP_404", None),
    ("rayon", 302, None, None, LANE, "HTTP_302", None),
    ("rayon", 408, None, None, LATER, "HTTP_408", 10),
    ("rayon", 500, None, None, LATER, "HTTP_500", 10),
    ("rayon", 503, None, "120", LATER, "HTTP_503", 120),
    ("rayon", 202, {}, None, LATER, "MALFORMED_ANSWER", 10),
    ("rayon", 202, None, None, LATER, "MALFORMED_ANSWER", 10),
    ("twilio", 400, {"code": 21211}, None, DEAD, "TWILIO_21211", None),
    ("twilio", 400, {"code": 21614}, None, DEAD, "TWILIO_21614", None),
    ("twilio", 400, {"code": 21610}, None, DEAD, "TWILIO_21610", None),
    ("twilio", 400, {"code": 21635}, None, DEAD, "TWILIO_21635", None),
    ("twilio", 400, {"code": 21265}, None, DEAD, "TWILIO_21265", None),
    ("twilio", 400, {"code": 21606}, None, OURS, "TWILIO_21606", None),
    ("twilio", 400, {"code": 21408}, None, OURS, "TWILIO_21408", None),
    ("twilio", 400, {"code": "21610"}, None, OURS, "HTTP_400", None),
    ("twilio", 401, {"code": 20003}, None, LANE, "TWILIO_20003", None),
    ("twilio", 201, {"sid": 7}, None, LATER, "MALFORMED_ANSWER", 10),
    ("vonage", 200, of_vonage("7"), None, DEAD, "VONAGE_7", None),
    ("vonage", 200, of_vonage("33"), None, DEAD, "VONAGE_33", None),
    ("vonage", 200, of_vonage("3"), None, OURS, "VONAGE_3", None),
    ("vonage", 200, of_vonage("6"), None, OURS, "VONAGE_6", None),
    ("vonage", 200, of_vonage("15"), None, OURS, "VONAGE_15", None),
    ("vonage", 200, of_vonage("4"), None, LANE, "VONAGE_4", None),
    ("vonage", 200, of_vonage("8"), None, LANE, "VONAGE_8", None),
    ("vonage", 200, of_vonage("9"), None, LANE, "VONAGE_9", None),
    ("vonage", 200, of_vonage("5"), None, LATER, "VONAGE_5", 10),
    ("vonage", 200, of_vonage("10"), None, LATER, "VONAGE_10", 10),
    ("vonage", 200, of_vonage("0"), None, LATER, "MALFORMED_ANSWER", 10),
    ("vonage", 200, of_vonage("no"), None, LATER, "MALFORMED_ANSWER", 10),
    ("vonage", 200, {"messages": ["?"]}, None, LATER, "MALFORMED_ANSWER", 10),
    ("vonage", 401, None, None, LANE, "HTTP_401", None),
    ("vonage", 502, None, None, LATER, "HTTP_502", 10),
]


@pytest.mark.parametrize(("dialect", "status", "body", "retry_after", "outcome", "code", "wait_s"), ANSWERS)
def test_an_answer_means(
    dialect: str,
    status: int,
    body: Any,
    retry_after: str | None,
    outcome: Outcome,
    code: str,
    wait_s: int | None,
) -> None:
    raw = b"<html>" if body is None else json.dumps(body).encode()
    assert DIALECTS[dialect].verdict(Answer(status, raw, retry_after), NOW) == Verdict(
        outcome=outcome,
        code=code,
        status=status,
        retry_in=None if wait_s is None else timedelta(seconds=wait_s),
    )


@pytest.mark.parametrize(
    ("dialect", "status", "body"),
    [
        ("rayon", 200, {"id": "m-1"}),
        ("rayon", 202, {"id": "m-1"}),
        ("twilio", 201, {"sid": "m-1", "status": "queued"}),
        ("vonage", 200, of_vonage("0", **{"message-id": "m-1"})),
    ],
)
def test_an_acceptance_carries_the_gateways_own_id(dialect: str, status: int, body: Any) -> None:
    verdict = DIALECTS[dialect].verdict(Answer(status, json.dumps(body).encode(), None), NOW)
    assert verdict == Verdict(outcome=Outcome.ACCEPTED, status=status, provider_message_id="m-1")


@pytest.mark.parametrize(
    ("dialect", "status", "body", "code"),
    [
        ("rayon", 429, {"code": "throttled"}, "THROTTLED"),
        ("twilio", 429, {"code": 20429}, "TWILIO_20429"),
        ("vonage", 200, of_vonage("1"), "VONAGE_1"),
    ],
)
@pytest.mark.parametrize(("retry_after", "wait_s"), [(None, 60), ("7", 7)])
def test_a_gateway_asked_too_often_slows_the_lane(
    dialect: str, status: int, body: Any, code: str, retry_after: str | None, wait_s: int
) -> None:
    verdict = DIALECTS[dialect].verdict(Answer(status, json.dumps(body).encode(), retry_after), NOW)
    assert verdict == Verdict(
        outcome=LATER, code=code, status=status, retry_in=timedelta(seconds=wait_s), slows_lane=True
    )


@pytest.mark.parametrize(
    ("dialect", "body", "found"),
    [
        ("rayon", b'{"from": "+33612345678", "text": "STOP"}', ("+33612345678", "STOP")),
        ("twilio", b"From=%2B33612345678&Body=Stop&To=36180", ("+33612345678", "Stop")),
        ("vonage", b'{"msisdn": "33612345678", "text": "stop", "to": "36180"}', ("+33612345678", "stop")),
        ("vonage", b"msisdn=33612345678&text=stop", ("+33612345678", "stop")),
        ("rayon", b'{"from": "0612345678", "text": "STOP"}', None),
        ("rayon", b'{"from": "+33612345678"}', None),
        ("rayon", b'{"from": ["+33612345678"], "text": "STOP"}', None),
        ("rayon", b"From=%2B33612345678&Body=Stop", None),
        ("rayon", b"", None),
        ("twilio", b"From=33612345678&Body=Stop", None),
        ("twilio", b"\xff", None),
        ("vonage", b'{"text": "stop"}', None),
        ("vonage", b"[" * 100_000, None),
    ],
)
def test_what_a_phone_sent_is_read(dialect: str, body: bytes, found: tuple[str, str] | None) -> None:
    told = None if found is None else Inbound(sender=found[0], text=found[1])
    assert DIALECTS[dialect].inbound(body) == told


def test_numbers_texts_and_secrets_are_not_shown() -> None:
    shown = repr(SMS) + repr(ACCOUNT) + repr(DIALECTS["vonage"].request(SMS, ACCOUNT))
    shown += repr(DIALECTS["rayon"].inbound(b'{"from": "+33612345678", "text": "STOP"}'))
    assert not [secret for secret in ("612345678", "STOP", "30 %", "s3cret", "Basic") if secret in shown]
