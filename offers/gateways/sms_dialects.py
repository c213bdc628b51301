"""How SMS gateways are spoken to: one request and its answers per dialect, and what a phone sent back.

Sources: docs/delivery/email-and-sms.md (rayon, our own); twilio.com/docs/messaging/api/message-resource and
/docs/api/errors (twilio); developer.vonage.com/messaging/sms/guides/troubleshooting-sms (vonage).
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from .http import Answer
from .port import Outcome
from .sms_answers import accepted, parsed, refused, throttled
from .verdicts import Verdict, lane_stopped, later

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
TWILIO_SERVICE = re.compile(r"MG[0-9a-f]{32}")  # a Messaging Service, which picks the sender itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    message_id: str  # the same for every send of the message
    to: str = field(repr=False)  # E.164
    sender: str
    text: str = field(repr=False)
    is_gsm: bool  # in the GSM 7-bit alphabet; otherwise it goes out as UCS-2


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    path: str  # of the gateway's address; empty: the dialect's own
    user: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    path: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What a phone sent."""

    sender: str = field(repr=False)  # E.164
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dialect:
    request: Callable[[Sms, Account], Request]
    verdict: Callable[[Answer, datetime], Verdict]  # of an answer, at an instant in UTC
    inbound: Callable[[bytes], Inbound | None]  # of the body of a call to our door; None: not understood


# --- rayon -------------------------------------------------------------------------------------------------

RAYON_DEAD = frozenset({"INVALID_NUMBER", "NOT_A_MOBILE", "BLOCKED", "OPTED_OUT"})
_CODE = re.compile(r"[a-z][a-z0-9_]{1,47}")


def _rayon_request(sms: Sms, account: Account) -> Request:
    body = {
        "id": sms.message_id,
        "to": sms.to,
        "from": sms.sender,
        "text": sms.text,
        "encoding": "gsm7" if sms.is_gsm else "ucs2",
    }
    headers = {"content-type": "application/json", "idempotency-key": sms.message_id}
    return Request(
        path=account.path or "/v1/messages",
        headers={**headers, **_basic(account)},
        content=json.dumps(body, ensure_ascii=False).encode(),
    )


def _rayon_verdict(answer: Answer, now: datetime) -> Verdict:
    told = parsed(answer)
    if answer.status in (200, 201, 202):
        return accepted(answer, provider_id=told.get("id"))
    code = told.get("code")
    known = code.upper() if isinstance(code, str) and _CODE.fullmatch(code) else None
    return refused(answer, code=known, dead=RAYON_DEAD, now=now)


def _rayon_inbound(body: bytes) -> Inbound | None:
    told = _object(body)
    return _inbound(told.get("from"), told.get("text"))


# --- twilio ------------------------------------------------------------------------------------------------

# not a number, not a mobile one, opted out, a landline, a short code
TWILIO_DEAD = frozenset(f"TWILIO_{code}" for code in (21211, 21614, 21610, 21635, 21265))


def _twilio_request(sms: Sms, account: Account) -> Request:
    """Twilio takes no idempotency key: a message whose answer was lost may arrive twice."""
    by_service = TWILIO_SERVICE.fullmatch(sms.sender)
    form = {
        "To": sms.to,
        "MessagingServiceSid" if by_service else "From": sms.sender,
        "Body": sms.text,
    }
    return Request(
        path=account.path or f"/2010-04-01/Accounts/{quote(account.user, safe='')}/Messages.json",
        headers={"content-type": "application/x-www-form-urlencoded", **_basic(account)},
        content=urlencode(form).encode(),
    )


def _twilio_verdict(answer: Answer, now: datetime) -> Verdict:
    told = parsed(answer)
    if answer.status in (200, 201):
        return accepted(answer, provider_id=told.get("sid"))
    code = told.get("code")
    known = f"TWILIO_{code}" if isinstance(code, int) and 0 < code < 100_000 else None
    return refused(answer, code=known, dead=TWILIO_DEAD, now=now)


def _twilio_inbound(body: bytes) -> Inbound | None:
    told = _form(body)
    return _inbound(told.get("From"), told.get("Body"))


# --- vonage ------------------------------------------------------------------------------------------------

VONAGE_LATER = frozenset({"5", "10"})  # internal error, too many connections
VONAGE_DEAD = frozenset({"7", "33"})  # barred, de-activated
# credentials, account barred, no money, account not for HTTP, signatures
VONAGE_LANE = frozenset({"4", "8", "9", "11", "14", "32"})


def _vonage_request(sms: Sms, account: Account) -> Request:
    body = {
        "api_key": account.user,
        "api_secret": account.secret,
        "from": sms.sender,
        "to": sms.to.removeprefix("+"),
        "text": sms.text,
        "client-ref": sms.message_id,
        **({} if sms.is_gsm else {"type": "unicode"}),
    }
    return Request(
        path=account.path or "/sms/json",
        headers={"content-type": "application/json"},
        content=json.dumps(body, ensure_ascii=False).encode(),
    )


def _vonage_verdict(answer: Answer, now: datetime) -> Verdict:
    """Every answer of the API itself is 200; what it says stands in the message's status."""
    if answer.status != 200:
        return refused(answer, code=None, dead=(), now=now)
    messages = parsed(answer).get("messages")
    first = messages[0] if isinstance(messages, list) and messages and isinstance(messages[0], dict) else {}
    status = str(first.get("status", ""))
    if status == "0":
        return accepted(answer, provider_id=first.get("message-id"))
    if not status.isascii() or not status.isdigit():
        return later("MALFORMED_ANSWER", status=200)
    name = f"VONAGE_{status[:8]}"
    if status == "1":
        return throttled(name, answer=answer, now=now)
    if status in VONAGE_LATER:
        return later(name, status=200)
    if status in VONAGE_LANE:
        return lane_stopped(name, status=200)
    outcome = Outcome.DEAD_TOKEN if status in VONAGE_DEAD else Outcome.OUR_FAULT
    return Verdict(outcome=outcome, code=name, status=200)


def _vonage_inbound(body: bytes) -> Inbound | None:
    told = _object(body) or _form(body)
    number = told.get("msisdn")
    return _inbound(f"+{number}" if isinstance(number, str) else None, told.get("text"))


# -----------------------------------------------------------------------------------------------------------


def _basic(account: Account) -> dict[str, str]:
    if not account.user and not account.secret:
        return {}
    pair = base64.b64encode(f"{account.user}:{account.secret}".encode()).decode()
    return {"authorization": f"Basic {pair}"}


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _form(body: bytes) -> dict[str, Any]:
    try:
        return {name: values[0] for name, values in parse_qs(body.decode(), max_num_fields=100).items()}
    except ValueError:
        return {}


def _inbound(sender: object, text: object) -> Inbound | None:
    if not isinstance(sender, str) or not E164.fullmatch(sender) or not isinstance(text, str):
        return None
    return Inbound(sender=sender, text=text)


DIALECTS: Mapping[str, Dialect] = {
    "rayon": Dialect(_rayon_request, _rayon_verdict, _rayon_inbound),
    "twilio": Dialect(_twilio_request, _twilio_verdict, _twilio_inbound),
    "vonage": Dialect(_vonage_request, _vonage_verdict, _vonage_inbound),
}
