"""What a push service's answer means for the message and the subscription.

Source: RFC 8030, RFC 8292; autopush's table of errors (mozilla-services/autopush-rs, docs/src/errors.md). How Google,
Mozilla and Apple word a key that does not match: docs/delivery/webpush.md.
"""

from datetime import datetime

from .port import Outcome
from .verdicts import FAILURE_WAIT, QUOTA_WAIT, Verdict, lane_stopped, later, retry_wait

KEY_MISMATCH = "VAPID_KEY_MISMATCH"
VAPID_REFUSED = "VAPID_REFUSED"
TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"

_MISMATCHES = (
    b"do not correspond to the credentials used to create the subscription",  # Google, 403
    b"VAPID public key mismatch",  # Mozilla, 401
    b"VapidPkHashMismatch",  # Apple, 400 and 403
)
_REFUSED_AS_400 = (b"UnauthorizedRegistration", b"BadJwtToken")


def verdict_for(*, status: int, body: bytes, retry_after: str | None, now: datetime) -> Verdict:
    """Return what an answer means; `body` may be anything, `now` is aware UTC.

    VAPID_KEY_MISMATCH comes as LANE_STOPPED: whether it is the subscription's trouble or our key's, only the caller
    can know, who has seen what the service said of others.
    """
    wait = retry_wait(retry_after, now=now)
    if 200 <= status < 300:
        return Verdict(outcome=Outcome.ACCEPTED, status=status)
    if status in (404, 410):
        return Verdict(
            outcome=Outcome.DEAD_TOKEN, code="GONE" if status == 410 else "NOT_FOUND", status=status
        )
    if status in (400, 401, 403) and any(phrase in body for phrase in _MISMATCHES):
        return lane_stopped(KEY_MISMATCH, status=status)
    if status in (401, 403) or (status == 400 and any(phrase in body for phrase in _REFUSED_AS_400)):
        return Verdict(
            outcome=Outcome.LANE_STOPPED, code=VAPID_REFUSED, status=status, refuses_credentials=True
        )
    if status == 429:
        return Verdict(
            outcome=Outcome.TRY_LATER,
            code=TOO_MANY_REQUESTS,
            status=status,
            retry_in=QUOTA_WAIT if wait is None else wait,
            slows_lane=True,
        )
    if status >= 500 or status == 408:
        return later(f"HTTP_{status}", status=status, retry_in=FAILURE_WAIT if wait is None else wait)
    # A redirect is refused, never followed; any other 4xx is a request of ours that is not right.
    return Verdict(outcome=Outcome.OUR_FAULT, code=f"HTTP_{status}", status=status)
