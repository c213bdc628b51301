"""What mail servers' replies and mail providers' words mean: only what is about the address costs the address."""

import smtplib
import ssl
from datetime import timedelta

import pytest
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
)
from anymail.message import AnymailMessage, AnymailRecipientStatus, AnymailStatus

from offers.gateways.email_answers import (
    opening_verdict,
    recipient_verdict,
    sending_verdict,
    smtp_verdict,
)
from offers.gateways.fcm_answers import Verdict
from offers.gateways.port import Outcome

from .messages import NOW

DEAD, OURS, LANE, LATER = (
    Outcome.DEAD_TOKEN,
    Outcome.OUR_FAULT,
    Outcome.LANE_STOPPED,
    Outcome.TRY_LATER,
)


def verdict(
    outcome: Outcome, code: str, status: int | None = None, wait_s: int | None = None, *, slows: bool = False
) -> Verdict:
    wait = None if wait_s is None else timedelta(seconds=wait_s)
    return Verdict(outcome=outcome, code=code, status=status, retry_in=wait, slows_lane=slows)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (550, b"5.1.1 No such user", verdict(DEAD, "SMTP_5.1.1", 550)),
        (550, b"5.1.2 Bad host", verdict(DEAD, "SMTP_5.1.2", 550)),
        (553, b"5.1.3 Bad syntax", verdict(DEAD, "SMTP_5.1.3", 553)),
        (551, b"5.1.6 Moved", verdict(DEAD, "SMTP_5.1.6", 551)),
        (556, b"5.1.10 Takes no mail", verdict(DEAD, "SMTP_5.1.10", 556)),
        (550, b"5.1.1", verdict(DEAD, "SMTP_5.1.1", 550)),
        (550, b"5.1.1 The account\n5.1.1 does not exist", verdict(DEAD, "SMTP_5.1.1", 550)),
        (550, b"5.1.1-gone", verdict(DEAD, "SMTP_5.1.1", 550)),
        # not about the address, or not surely
        (550, b"No such user", verdict(OURS, "SMTP_550", 550)),
        (550, b"User 5.1.1 unknown", verdict(OURS, "SMTP_550", 550)),
        (550, b"5.1.11 ?", verdict(OURS, "SMTP_5.1.11", 550)),
        (550, b"5.2.1 Receives too fast", verdict(OURS, "SMTP_5.2.1", 550)),
        (550, b"5.7.1 Looks like spam", verdict(OURS, "SMTP_5.7.1", 550)),
        (552, b"5.3.4 Too big", verdict(OURS, "SMTP_5.3.4", 552)),
        (554, b"Rejected", verdict(OURS, "SMTP_554", 554)),
        (552, b"5.2.2 Mailbox full", verdict(LATER, "SMTP_5.2.2", 552, 3600)),
        (452, b"4.2.2 Mailbox full", verdict(LATER, "SMTP_4.2.2", 452, 3600)),
        (450, b"4.2.0 Greylisted", verdict(LATER, "SMTP_4.2.0", 450, 10)),
        (421, b"Busy", verdict(LATER, "SMTP_421", 421, 10)),
        (451, "4.3.0 As text", verdict(LATER, "SMTP_4.3.0", 451, 10)),
        (-1, b"", verdict(LATER, "SMTP_-1", -1, 10)),  # smtplib's word for a reply that is none
        (530, b"5.7.0 Must authenticate", verdict(LANE, "SMTP_5.7.0", 530)),
    ],
)
def test_a_reply_means(code: int, text: bytes | str, expected: Verdict) -> None:
    assert smtp_verdict(code, text) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("sent", Verdict(outcome=Outcome.ACCEPTED, provider_message_id="m-1")),
        ("queued", Verdict(outcome=Outcome.ACCEPTED, provider_message_id="m-1")),
        ("unknown", Verdict(outcome=Outcome.ACCEPTED, provider_message_id="m-1")),
        (None, Verdict(outcome=Outcome.ACCEPTED, provider_message_id="m-1")),
        ("invalid", verdict(DEAD, "RECIPIENT_INVALID")),
        ("rejected", verdict(DEAD, "RECIPIENT_REJECTED")),
        ("failed", verdict(LATER, "RECIPIENT_FAILED", None, 10)),
    ],
)
def test_a_recipients_status_means(status: str | None, expected: Verdict) -> None:
    assert recipient_verdict(status, message_id="m-1") == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (smtplib.SMTPAuthenticationError(535, b"5.7.8 No"), verdict(LANE, "SMTP_5.7.8", 535)),
        (
            smtplib.SMTPAuthenticationError(454, b"4.7.0 Busy"),
            verdict(LATER, "SMTP_4.7.0", 454, 10, slows=True),
        ),
        (smtplib.SMTPConnectError(554, b"Go away"), verdict(LANE, "SMTP_554", 554)),
        (smtplib.SMTPConnectError(421, "Busy"), verdict(LATER, "SMTP_421", 421, 10, slows=True)),
        (smtplib.SMTPNotSupportedError("no STARTTLS"), verdict(LANE, "SMTP_NOT_SUPPORTED")),
        (ssl.SSLCertVerificationError("who?"), verdict(LANE, "TLS_REFUSED")),
        (ssl.SSLError("?"), verdict(LATER, "CONNECT_FAILED", None, 10, slows=True)),
        (ConnectionRefusedError(), verdict(LATER, "CONNECT_FAILED", None, 10, slows=True)),
        (TimeoutError(), verdict(LATER, "TIMEOUT", None, 10, slows=True)),
        (smtplib.SMTPServerDisconnected(), verdict(LATER, "CONNECT_FAILED", None, 10, slows=True)),
        (AnymailConfigurationError("API key"), verdict(LANE, "MAIL_CONFIGURATION")),
    ],
)
def test_trouble_before_any_mail_is_the_lanes(error: Exception, expected: Verdict) -> None:
    assert opening_verdict(error) == expected


def refused(status: str) -> AnymailRecipientsRefused:
    mail = AnymailMessage(to=["ada@example.net"])
    mail.anymail_status = AnymailStatus()
    mail.anymail_status.set_recipient_status(
        {"ada@example.net": AnymailRecipientStatus(message_id=None, status=status)}
    )
    return AnymailRecipientsRefused(email_message=mail)


def answered(status: int, **headers: str) -> AnymailAPIError:
    class Response:
        pass

    response = Response()
    response.headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return AnymailAPIError(status_code=status, response=response)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (smtplib.SMTPRecipientsRefused({"a@b": (550, b"5.1.1 No")}), verdict(DEAD, "SMTP_5.1.1", 550)),
        (smtplib.SMTPSenderRefused(553, b"5.7.1 Not you", "x@y"), verdict(OURS, "SMTP_5.7.1", 553)),
        (smtplib.SMTPDataError(554, b"5.6.0 No"), verdict(OURS, "SMTP_5.6.0", 554)),
        (smtplib.SMTPNotSupportedError("SMTPUTF8"), verdict(OURS, "SMTP_NOT_SUPPORTED")),
        (smtplib.SMTPServerDisconnected("gone"), verdict(LATER, "CONNECTION_LOST", None, 10)),
        (TimeoutError(), verdict(LATER, "TIMEOUT", None, 10)),
        (refused("rejected"), verdict(DEAD, "RECIPIENT_REJECTED")),
        (refused("invalid"), verdict(DEAD, "RECIPIENT_INVALID")),
        (AnymailInvalidAddress("from"), verdict(OURS, "INVALID_ADDRESS")),
        (answered(400), verdict(OURS, "HTTP_400", 400)),
        (answered(401), verdict(LANE, "HTTP_401", 401)),
        (answered(402), verdict(LANE, "HTTP_402", 402)),
        (answered(403), verdict(LANE, "HTTP_403", 403)),
        (answered(404), verdict(LANE, "HTTP_404", 404)),
        (answered(429), verdict(LATER, "HTTP_429", 429, 60, slows=True)),
        (answered(429, retry_after="7"), verdict(LATER, "HTTP_429", 429, 7, slows=True)),
        (answered(500), verdict(LATER, "HTTP_500", 500, 10)),
        (answered(503, retry_after="30"), verdict(LATER, "HTTP_503", 503, 30)),
        (answered(200), verdict(LATER, "HTTP_200", 200, 10)),
        (AnymailAPIError("no answer"), verdict(LATER, "CONNECTION_LOST", None, 10)),
    ],
)
def test_trouble_with_one_mail_means(error: Exception, expected: Verdict) -> None:
    assert sending_verdict(error, now=NOW) == expected


def test_a_defect_is_no_verdict() -> None:
    assert opening_verdict(RuntimeError()) is None
    assert sending_verdict(RuntimeError(), now=NOW) is None
