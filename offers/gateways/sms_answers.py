"""What an answer to one SMS means where its HTTP status says it; each dialect adds what only its own codes say."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from .http import Answer
from .port import Outcome
from .verdicts import FAILURE_WAIT, QUOTA_WAIT, Verdict, lane_stopped, later, retry_wait

PROVIDER_ID_CHARS = 200


def parsed(answer: Answer) -> dict[str, Any]:
    """Return the answer's JSON object; an empty one where it is none."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def accepted(answer: Answer, *, provider_id: object) -> Verdict:
    """Return ACCEPTED; an acceptance without the provider's id for the message is an answer one cannot trust."""
    if not isinstance(provider_id, str) or not provider_id:
        return later("MALFORMED_ANSWER", status=answer.status)
    return Verdict(
        outcome=Outcome.ACCEPTED, status=answer.status, provider_message_id=provider_id[:PROVIDER_ID_CHARS]
    )


def refused(answer: Answer, *, code: str | None, dead: Collection[str], now: datetime) -> Verdict:
    """Return what a status other than success means; `code` is the provider's own name for it, if it gave one.

    `dead`: the codes that say that this number will never get a message. Nothing else costs a customer their number.
    """
    status = answer.status
    name = code or f"HTTP_{status}"
    if code in dead and 400 <= status < 500:
        return Verdict(outcome=Outcome.DEAD_TOKEN, code=name, status=status)
    # Redirects are not followed; 402 is an account without money, 404 an address that is not the gateway's.
    if 300 <= status < 400 or status in (401, 402, 403, 404):
        return lane_stopped(name, status=status)
    wait = retry_wait(answer.retry_after, now=now)
    if status == 429:
        return throttled(name, answer=answer, now=now)
    if status >= 500 or status == 408:
        return later(name, status=status, retry_in=FAILURE_WAIT if wait is None else wait)
    return Verdict(outcome=Outcome.OUR_FAULT, code=name, status=status)


def throttled(code: str, *, answer: Answer, now: datetime) -> Verdict:
    """Return the verdict of a gateway that is asked too often: nothing more goes to it until then."""
    wait = retry_wait(answer.retry_after, now=now)
    return Verdict(
        outcome=Outcome.TRY_LATER,
        code=code,
        status=answer.status,
        retry_in=QUOTA_WAIT if wait is None else wait,
        slows_lane=True,
    )
