"""The refusals of SMS gateways, each in the words of three dialects: our own, Twilio's and Vonage's.

Sources: twilio.com/docs/api/errors, developer.vonage.com/messaging/sms/guides/troubleshooting-sms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .fcm_errors import Refusal, foreign
from .phones import Answer, BadScript
from .scripted import delay_of, drop_of, listed

_KEYS = frozenset({"status", "error_code", "retry_after", "delay_s", "drop", "times"})


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue: how the three say one thing."""

    status: int  # HTTP, of rayon and twilio; Vonage says all but an overload of its front in a 200
    rayon: str
    twilio: int
    vonage: str
    message: str


CATALOGUE = {
    "INVALID_NUMBER": Kind(400, "invalid_number", 21211, "3", "Not a number."),
    "NOT_A_MOBILE": Kind(400, "not_a_mobile", 21614, "33", "No number that takes SMS."),
    "OPTED_OUT": Kind(400, "opted_out", 21610, "7", "This number opted out."),
    "BAD_SENDER": Kind(400, "bad_sender", 21606, "15", "Not a sender of this account."),
    "TOO_LONG": Kind(400, "text_too_long", 21617, "12", "Too long a text."),
    "BAD_REQUEST": Kind(400, "bad_request", 21602, "2", "A field is missing or wrong."),
    "BAD_CREDENTIALS": Kind(401, "bad_credentials", 20003, "4", "Authenticate."),
    "SUSPENDED": Kind(403, "account_suspended", 20005, "8", "The account is not active."),
    "THROTTLED": Kind(429, "throttled", 20429, "1", "Too many requests."),
    "INTERNAL": Kind(500, "internal", 20500, "5", "Something broke."),
}


def parse_answers(raw: object) -> list[Answer]:
    """Return the answers a script asks for, in order; raises BadScript with what is wrong."""
    return listed(raw, keys=_KEYS, parse=_answer)


def _answer(item: Mapping[str, Any]) -> Answer:
    retry_after = item.get("retry_after")
    return Answer(
        refusal=_refusal(item.get("status"), item.get("error_code")),
        retry_after=None if retry_after is None else str(retry_after),
        delay_s=delay_of(item),
        drop=drop_of(item),
    )


def _refusal(status: int | None, code: str | None) -> Refusal | None:
    """Return the refusal that a script asks for: a name in CATALOGUE, or a bare status as a proxy gives it."""
    if code is None:
        return None if status is None or 200 <= status < 300 else foreign(status)
    if code not in CATALOGUE:
        raise BadScript(f"error_code must be one of {sorted(CATALOGUE)}")
    return Refusal(code=code, status=status or CATALOGUE[code].status)
