"""What a script may ask of the local SMS gateway for a number's next messages."""

from collections.abc import Mapping
from typing import Any

from .phones import SHARED_KEYS, Answer, BadScript, listed_answers, shared_fields
from .sms_errors import CATALOGUE, SmsRefusal

_KEYS = SHARED_KEYS | {"error_code"}

SmsAnswer = Answer[SmsRefusal]
ACCEPT: SmsAnswer = Answer()


def parse_sms_answers(raw: object) -> list[SmsAnswer]:
    """Return the answers a script asks for, in order; raises BadScript with what is wrong."""
    return listed_answers(raw, keys=_KEYS, parse=_answer)


def _answer(item: Mapping[str, Any]) -> SmsAnswer:
    return Answer(refusal=_refusal(item.get("status"), item.get("error_code")), **shared_fields(item))


def _refusal(status: int | None, code: str | None) -> SmsRefusal | None:
    """Return the refusal that a script asks for: a name in CATALOGUE, or a bare status as a proxy gives it."""
    if code is None:
        if status is None or 200 <= status < 300:
            return None
        return SmsRefusal(code=f"HTTP_{status}", status=status)
    if code not in CATALOGUE:
        raise BadScript(f"error_code must be one of {sorted(CATALOGUE)}")
    return SmsRefusal(code=code, status=status or CATALOGUE[code].status)
