"""What a mail server's or a mail provider's answer means for the message, the address and the lane.

Sources: RFC 5321 (reply codes), RFC 3463 and its registry (enhanced status codes), RFC 4954 (authentication);
anymail.dev/en/stable/sending/anymail_additions (statuses of recipients). The rows are in docs/delivery/email-and-sms.md.
"""

import re
import smtplib
import ssl
from datetime import datetime, timedelta

from anymail.exceptions import (
    AnymailAPIError,
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
)
from django.core.exceptions import ImproperlyConfigured

from .port import Outcome
from .verdicts import FAILURE_WAIT, QUOTA_WAIT, Verdict, lane_stopped, later, retry_wait

MAILBOX_WAIT = timedelta(hours=1)  # a full mailbox is not emptied in seconds
# No such mailbox, no such host, bad syntax, moved without a trace, a host that takes no mail: no mail will ever arrive.
DEAD_STATUSES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
FULL_STATUSES = frozenset({"4.2.2", "5.2.2"})
# Authentication required, its mechanism too weak, its encryption missing, its credentials refused.
AUTH_CODES = frozenset({530, 534, 535, 538})
DEAD_RECIPIENTS = frozenset({"invalid", "rejected"})

_ENHANCED = re.compile(rb"\s*([245]\.[0-9]{1,3}\.[0-9]{1,3})(?=\s|$|-)")


def smtp_verdict(code: int, text: bytes | str) -> Verdict:
    """Return what a refusal in the course of one message means.

    Only an enhanced status that is about the address kills it: a bare 550 may as well be a policy against us.
    """
    enhanced = _enhanced(text)
    name = f"SMTP_{enhanced or code}"
    if enhanced in DEAD_STATUSES:
        return Verdict(outcome=Outcome.DEAD_TOKEN, code=name, status=code)
    if enhanced in FULL_STATUSES:
        return later(name, status=code, retry_in=MAILBOX_WAIT)
    if code in AUTH_CODES:
        return lane_stopped(name, status=code)
    if 500 <= code < 600:
        return Verdict(outcome=Outcome.OUR_FAULT, code=name, status=code)
    return later(name, status=code)


def recipient_verdict(status: str | None, *, message_id: object) -> Verdict:
    """Return what a mail provider's status of the one recipient means (anymail's words)."""
    if status in DEAD_RECIPIENTS:
        return Verdict(outcome=Outcome.DEAD_TOKEN, code=f"RECIPIENT_{status.upper()}")
    if status == "failed":
        return later("RECIPIENT_FAILED")
    return Verdict(
        outcome=Outcome.ACCEPTED, provider_message_id=str(message_id)[:200] if message_id else None
    )


def opening_verdict(error: Exception) -> Verdict | None:
    """Return what trouble before any message means, which is the whole lane's; None for a defect."""
    if isinstance(error, ImproperlyConfigured | ssl.SSLCertVerificationError | smtplib.SMTPNotSupportedError):
        # The settings name what is not there, whom we do not believe, or what the server does not offer.
        return lane_stopped(_name_of(error))
    if isinstance(error, smtplib.SMTPResponseException):
        code = error.smtp_code
        name = f"SMTP_{_enhanced(error.smtp_error) or code}"
        return lane_stopped(name, status=code) if 500 <= code < 600 else _slowed(name, status=code)
    if isinstance(error, OSError):
        return _slowed("TIMEOUT" if _is_timeout(error) else "CONNECT_FAILED")
    return None


def sending_verdict(error: Exception, *, now: datetime) -> Verdict | None:
    """Return what an error that sending one message raised means; None for a defect."""
    if isinstance(error, ImproperlyConfigured):
        return lane_stopped(_name_of(error))
    if isinstance(error, AnymailError):
        return _of_provider(error, now=now)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return smtp_verdict(code, text)
    if isinstance(error, smtplib.SMTPResponseException):  # of the sender, or of the content
        return smtp_verdict(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPNotSupportedError):  # an address that this server cannot write to
        return Verdict(outcome=Outcome.OUR_FAULT, code="SMTP_NOT_SUPPORTED")
    if isinstance(error, OSError):
        return later("TIMEOUT" if _is_timeout(error) else "CONNECTION_LOST")
    return None


def _of_provider(error: AnymailError, *, now: datetime) -> Verdict | None:
    if isinstance(error, AnymailRecipientsRefused):
        statuses = [one.status for one in error.email_message.anymail_status.recipients.values()]
        return recipient_verdict(statuses[0] if statuses else None, message_id=None)
    if isinstance(error, AnymailInvalidAddress):
        return Verdict(outcome=Outcome.OUR_FAULT, code="INVALID_ADDRESS")
    if not isinstance(error, AnymailAPIError):
        return None
    status = error.status_code
    if status is None:
        return later("TIMEOUT" if _is_timeout(error) else "CONNECTION_LOST")
    name = f"HTTP_{status}"
    wait = retry_wait(getattr(error.response, "headers", {}).get("retry-after"), now=now)
    if status in (401, 402, 403, 404) or 300 <= status < 400:
        return lane_stopped(name, status=status)
    if status == 429:
        retry_in = QUOTA_WAIT if wait is None else wait
        return Verdict(
            outcome=Outcome.TRY_LATER, code=name, status=status, retry_in=retry_in, slows_lane=True
        )
    if status >= 500 or status == 408 or status < 300:  # below 300: an acceptance that cannot be read
        return later(name, status=status, retry_in=FAILURE_WAIT if wait is None else wait)
    return Verdict(outcome=Outcome.OUR_FAULT, code=name, status=status)


def _slowed(code: str, *, status: int | None = None) -> Verdict:
    return Verdict(
        outcome=Outcome.TRY_LATER, code=code, status=status, retry_in=FAILURE_WAIT, slows_lane=True
    )


def _enhanced(text: bytes | str) -> str:
    found = _ENHANCED.match(text.encode() if isinstance(text, str) else text)
    return found.group(1).decode() if found else ""


def _is_timeout(error: BaseException | None) -> bool:
    """Whether a timeout stands behind the error: smtplib and requests each wrap it in words of their own."""
    while error is not None:
        if isinstance(error, TimeoutError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _name_of(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "TLS_REFUSED"
    return "SMTP_NOT_SUPPORTED" if isinstance(error, smtplib.SMTPNotSupportedError) else "MAIL_CONFIGURATION"
