"""The e-mail gateway against a mail server that answers as it is told: one row per line of the catalogue."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from customers.unsubscribing import Word, read_word
from offers.gateways import email_lines
from offers.gateways.email import EmailGateway
from offers.gateways.port import Outcome, PushMessage, Receipt
from providers.testing_mail import RunningSmtp, running_smtp

from .receipts import refused
from .test_gateways import NOW, push

AT_ONCE = time.time()
SMTP = "offers.gateways.email_wire.EmailBackend"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSmtp]:
    with running_smtp() as smtp:
        yield smtp


@pytest.fixture
def smtp(running: RunningSmtp) -> RunningSmtp:
    running.reset()
    return running


@pytest.fixture
async def gateway(smtp: RunningSmtp) -> AsyncIterator[EmailGateway]:
    made = new_gateway(smtp)
    yield made
    await made.aclose()


def connect(smtp: RunningSmtp, **changes: Any) -> Callable[[], BaseEmailBackend]:
    url = urlsplit(smtp.url)
    account = {"host": url.hostname, "port": url.port, "username": url.username, "password": url.password}
    return partial(get_connection, SMTP, **{**account, "timeout": 5.0, **changes})


def new_gateway(
    smtp: RunningSmtp, *, threads: int = 4, timeout_s: float = 5.0, **account: Any
) -> EmailGateway:
    return EmailGateway(
        from_address="Carotte <offres@carotte.example>",
        public_url="https://carotte.example",
        connect=connect(smtp, **{"timeout": timeout_s, **account}),
        timeout_s=timeout_s,
        threads=threads,
        clock=lambda: AT_ONCE,  # stands still: retry_at is exact
    )


def mail(**changes: object) -> PushMessage:
    data = {"code": "7K3M-ZQ8V-0T", "customer": "12", "link": "rayon://coupons/7K3M-ZQ8V-0T"}
    fields = {"platform": "email", "token": f"{uuid4()}@example.net", "data": data}
    return push(**{**fields, **changes})


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


DEAD, OURS, LANE, LATER = (
    Outcome.DEAD_TOKEN,
    Outcome.OUR_FAULT,
    Outcome.LANE_STOPPED,
    Outcome.TRY_LATER,
)
# who is scripted (None: the recipient), the answer; outcome, code, status, seconds to wait
CATALOGUE: list[tuple[str | None, dict[str, Any], Outcome, str, int | None, float | None]] = [
    (None, {"reply": "550 5.1.1 No such user"}, DEAD, "SMTP_5.1.1", 550, None),
    (None, {"reply": "550 5.1.10 Takes no mail"}, DEAD, "SMTP_5.1.10", 550, None),
    (None, {"reply": "550 5.1.1 No such user", "at": "data"}, DEAD, "SMTP_5.1.1", 550, None),
    (None, {"reply": "550 No such user"}, OURS, "SMTP_550", 550, None),
    (None, {"reply": "550 5.7.1 Not welcome"}, OURS, "SMTP_5.7.1", 550, None),
    (None, {"reply": "552 5.2.2 Mailbox full"}, LATER, "SMTP_5.2.2", 552, 3600),
    (None, {"reply": "552 5.3.4 Too big", "at": "data"}, OURS, "SMTP_5.3.4", 552, None),
    (None, {"reply": "554 5.6.0 Not liked", "at": "data"}, OURS, "SMTP_5.6.0", 554, None),
    (None, {"reply": "450 4.2.0 Greylisted"}, LATER, "SMTP_4.2.0", 450, 10),
    (None, {"reply": "451 4.3.0 Later", "at": "data"}, LATER, "SMTP_4.3.0", 451, 10),
    (None, {"reply": "421 4.3.2 Closing"}, LATER, "SMTP_4.3.2", 421, 10),
    (None, {"drop": "before"}, LATER, "CONNECTION_LOST", None, 10),
    (None, {"drop": "after"}, LATER, "CONNECTION_LOST", None, 10),
    ("sender", {"reply": "550 5.7.1 Not your address"}, OURS, "SMTP_5.7.1", 550, None),
    ("sender", {"reply": "451 4.7.1 Slow down"}, LATER, "SMTP_4.7.1", 451, 10),
    ("auth", {"reply": "535 5.7.8 Who are you"}, LANE, "SMTP_5.7.8", 535, None),
    ("auth", {"reply": "534 5.7.9 Too weak"}, LANE, "SMTP_5.7.9", 534, None),
    ("auth", {"reply": "454 4.7.0 Not now"}, LATER, "SMTP_4.7.0", 454, 10),
    ("connect", {"reply": "554 5.7.1 Not from there"}, LANE, "SMTP_5.7.1", 554, None),
    ("connect", {"reply": "421 4.3.2 Too many"}, LATER, "SMTP_4.3.2", 421, 10),
    ("connect", {"drop": "before"}, LATER, "CONNECT_FAILED", None, 10),
]


@pytest.mark.parametrize(("who", "answer", "outcome", "code", "status", "wait_s"), CATALOGUE)
async def test_an_answer_means_what_the_catalogue_says(
    smtp: RunningSmtp,
    gateway: EmailGateway,
    who: str | None,
    answer: dict[str, Any],
    outcome: Outcome,
    code: str,
    status: int | None,
    wait_s: float | None,
) -> None:
    message = mail()
    smtp.script(who or message.token, answer)

    receipts = await gateway.send([message], now=NOW)

    assert receipts == [refused(message, outcome, code=code, status=status, wait_s=wait_s, now=NOW)]
    assert len(smtp.delivered()) == (1 if answer.get("drop") == "after" else 0)


async def test_an_accepted_mail_arrives_whole(smtp: RunningSmtp, gateway: EmailGateway) -> None:
    message = mail()

    [receipt] = await gateway.send([message], now=NOW)

    own_id = f"<{message.message_id}@carotte.example>"
    assert receipt == Receipt(
        message_id=message.message_id, outcome=Outcome.ACCEPTED, provider_message_id=own_id, status=250
    )
    [told] = smtp.delivered()
    assert (told["token"], told["from"]) == (message.token, "offres@carotte.example")
    headers = told["headers"]
    assert headers["Subject"] == message.title
    assert headers["From"] == "Carotte <offres@carotte.example>"
    assert (headers["To"], headers["Message-ID"]) == (message.token, own_id)
    link = headers["List-Unsubscribe"].strip(" <>")
    assert read_word(link.removeprefix("https://carotte.example/u/")) == Word(customer_id=12, channel="email")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Content-Type"].startswith("multipart/alternative;")
    assert list(told["parts"]) == ["text/plain", "text/html"]
    for part in told["parts"].values():
        assert message.title in part and "7K3M-ZQ8V-0T" in part and link in part


async def test_a_mail_that_is_sent_twice_says_so(smtp: RunningSmtp, gateway: EmailGateway) -> None:
    message = mail()
    smtp.script(message.token, {"drop": "after"})

    [first] = await gateway.send([message], now=NOW)
    [second] = await gateway.send([message], now=NOW)

    assert (first.outcome, second.outcome) == (Outcome.TRY_LATER, Outcome.ACCEPTED)
    assert [told["headers"]["Message-ID"] for told in smtp.delivered()] == [second.provider_message_id] * 2


async def test_a_connection_is_kept_and_mails_go_out_beside_each_other(smtp: RunningSmtp) -> None:
    gateway = new_gateway(smtp, threads=3)

    receipts = await gateway.send([mail() for _ in range(30)], now=NOW)
    receipts += await gateway.send([mail() for _ in range(30)], now=NOW)
    await gateway.aclose()

    assert {one.outcome for one in receipts} == {Outcome.ACCEPTED}
    assert len({entry["connection"] for entry in smtp.log()}) <= 3


@pytest.mark.parametrize("reply", ["550 5.1.1 No such user", "450 4.2.0 Later"])
async def test_a_mere_refusal_keeps_the_connection(smtp: RunningSmtp, reply: str) -> None:
    gateway = new_gateway(smtp, threads=1)
    refused = mail()
    smtp.script(refused.token, {"reply": reply})

    await gateway.send([mail(), refused, mail()], now=NOW)
    await gateway.aclose()

    assert len({entry["connection"] for entry in smtp.log()}) == 1
    assert len(smtp.delivered()) == 2


@pytest.mark.parametrize("answer", [{"drop": "before"}, {"drop": "after"}, {"reply": "421 4.3.2 Closing"}])
async def test_a_lost_connection_is_opened_anew(smtp: RunningSmtp, answer: dict[str, Any]) -> None:
    gateway = new_gateway(smtp, threads=1)
    unlucky = mail()
    smtp.script(unlucky.token, answer)

    receipts = await gateway.send([mail(), unlucky, mail()], now=NOW)
    await gateway.aclose()

    assert [one.outcome for one in receipts] == [Outcome.ACCEPTED, Outcome.TRY_LATER, Outcome.ACCEPTED]
    assert len({entry["connection"] for entry in smtp.log()}) == 2


async def test_a_connection_that_died_while_it_rested_costs_no_mail(
    smtp: RunningSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_lines, "IDLE_S", 0.0)
    gateway = new_gateway(smtp, threads=1)
    first, second = mail(), mail()

    await gateway.send([first], now=NOW)
    for line in gateway._lines:
        line.cut()  # as a server does to who rests too long
    [receipt] = await gateway.send([second], now=NOW)
    await gateway.aclose()

    assert receipt.outcome is Outcome.ACCEPTED
    assert len({entry["connection"] for entry in smtp.log()}) == 2


async def test_refused_credentials_end_the_batch_and_not_the_next(smtp: RunningSmtp) -> None:
    gateway = new_gateway(smtp, threads=1)
    messages = [mail() for _ in range(20)]
    smtp.script("auth", {"reply": "535 5.7.8 Who are you"})

    receipts = await gateway.send(messages, now=NOW)
    later = await gateway.send(messages[:1], now=NOW)
    await gateway.aclose()

    assert {(one.outcome, one.provider_code) for one in receipts} == {(Outcome.LANE_STOPPED, "SMTP_5.7.8")}
    assert [one.outcome for one in later] == [Outcome.ACCEPTED]
    assert len(smtp.log()) == 1


@pytest.mark.parametrize(
    ("account", "code"),
    [
        ({"username": "", "password": ""}, "SMTP_5.7.0"),
        ({"password": "not it"}, "SMTP_5.7.8"),
        ({"use_tls": True}, "SMTP_NOT_SUPPORTED"),
    ],
)
async def test_an_account_that_is_not_ours_stops_the_lane(
    smtp: RunningSmtp, account: dict[str, Any], code: str
) -> None:
    gateway = new_gateway(smtp, **account)

    [receipt] = await gateway.send([mail()], now=NOW)
    await gateway.aclose()

    assert (receipt.outcome, receipt.provider_code) == (Outcome.LANE_STOPPED, code)
    assert smtp.log() == []


async def test_nobody_there_is_met_once_and_tried_again_later(
    smtp: RunningSmtp, unused_tcp_port: int
) -> None:
    gateway = new_gateway(smtp, threads=1, port=unused_tcp_port)

    receipts = await gateway.send([mail(), mail()], now=NOW)
    await gateway.aclose()

    assert [(one.outcome, one.provider_code) for one in receipts] == [
        (Outcome.TRY_LATER, "CONNECT_FAILED"),
        (Outcome.TRY_LATER, "LANE_SLOWED"),
    ]
    assert {one.retry_at for one in receipts} == {after(10)}


@pytest.mark.parametrize("who", [None, "connect", "sender"])
async def test_a_slow_server_is_left_after_its_time(smtp: RunningSmtp, who: str | None) -> None:
    gateway = new_gateway(smtp, timeout_s=0.2)
    slow = mail()
    smtp.script(who or slow.token, {"delay_s": 1})

    [receipt] = await asyncio.wait_for(gateway.send([slow], now=NOW), timeout=0.9)
    await gateway.aclose()

    assert (receipt.outcome, receipt.provider_code) == (Outcome.TRY_LATER, "TIMEOUT")


async def test_a_mail_that_drags_on_is_cut_off_as_a_whole(smtp: RunningSmtp) -> None:
    # each exchange stays below the connection's own timeout; all of them together do not
    gateway = new_gateway(smtp, timeout_s=0.1, threads=1, timeout=5.0)
    slow, next_one = mail(), mail()
    smtp.script(slow.token, {"delay_s": 2})

    receipts = await asyncio.wait_for(gateway.send([slow], now=NOW), timeout=1.5)
    receipts += await gateway.send([next_one], now=after(11))
    await gateway.aclose()

    assert [(one.outcome, one.provider_code) for one in receipts] == [
        (Outcome.TRY_LATER, "TIMEOUT"),
        (Outcome.ACCEPTED, None),
    ]


@pytest.mark.parametrize("who", ["connect", "auth", "sender", "rcpt", "data"])
async def test_a_server_that_drips_holds_no_thread(smtp: RunningSmtp, who: str) -> None:
    # Each byte comes within the connection's own timeout, so that nothing but the whole limit ends the conversation.
    gateway = new_gateway(smtp, timeout_s=0.15, threads=1, timeout=5.0)
    slow = mail()
    at = {"at": who, "reply": "452 4.3.1 " + "x" * 300} if who in ("rcpt", "data") else {}
    smtp.script(slow.token if at else who, {"drip_s": 0.1, **at})

    receipts = await asyncio.wait_for(gateway.send([slow], now=NOW), timeout=1.5)
    async with asyncio.timeout(1.5):  # the only thread: it must be free again
        receipts += await gateway.send([mail()], now=after(11))
        await gateway.aclose()

    assert [(one.outcome, one.provider_code) for one in receipts] == [
        (Outcome.TRY_LATER, "TIMEOUT"),
        (Outcome.ACCEPTED, None),
    ]
    assert smtp.delivered() == [smtp.log()[-1]["message"]]


async def test_a_server_that_drips_its_goodbye_is_hung_up_on(smtp: RunningSmtp) -> None:
    gateway = new_gateway(smtp, timeout_s=0.3, timeout=5.0)
    smtp.script("quit", {"drip_s": 0.2})

    [receipt] = await gateway.send([mail()], now=NOW)
    async with asyncio.timeout(1.5):
        await gateway.aclose()

    assert receipt.outcome is Outcome.ACCEPTED


async def test_an_address_that_is_none_makes_no_call(smtp: RunningSmtp, gateway: EmailGateway) -> None:
    addresses = [
        "",
        "ada",
        "ada@",
        "ada@example.net\nbcc: eve@example.net",
        "ada@example.net, eve@example.net",
    ]

    receipts = await gateway.send([mail(token=address) for address in addresses], now=NOW)

    assert {(one.outcome, one.provider_code) for one in receipts} == {(Outcome.DEAD_TOKEN, "INVALID_ADDRESS")}
    assert smtp.log() == []


async def test_a_mail_nobody_could_write_is_ours_alone(smtp: RunningSmtp, gateway: EmailGateway) -> None:
    receipts = await gateway.send([mail(data={}), mail()], now=NOW)

    assert [(one.outcome, one.provider_code) for one in receipts] == [
        (Outcome.OUR_FAULT, "NO_CUSTOMER"),
        (Outcome.ACCEPTED, None),
    ]


async def test_what_is_under_way_ends_when_the_gateway_closes(smtp: RunningSmtp) -> None:
    gateway = new_gateway(smtp)
    slow = mail()
    smtp.script(slow.token, {"delay_s": 3})
    sending = asyncio.create_task(gateway.send([slow], now=NOW))
    async with asyncio.timeout(2):
        while not smtp.log():
            await asyncio.sleep(0.02)

    async with asyncio.timeout(1.5):
        await gateway.aclose()
        [receipt] = await sending

    assert receipt.outcome is Outcome.TRY_LATER
