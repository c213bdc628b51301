"""The SMS gateway against a local one that speaks its dialects: one row per line of the catalogue."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from offers.gateways.port import Outcome, PushMessage, Receipt
from offers.gateways.settings import SmsSettings
from offers.gateways.sms import SmsGateway
from providers.testing_mail import RunningSms, running_sms

from .test_gateways import NOW, push

AT_ONCE = time.time()
TEXT = "-30 % sur vos yaourts. Au rayon frais, jusqu'à 11 h. Code 7K3M-ZQ8V-0T. STOP au 36180"
NUMBERS = iter(range(10**8))


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSms]:
    with running_sms() as sms:
        yield sms


@pytest.fixture
def sms(running: RunningSms) -> RunningSms:
    running.reset()
    return running


@pytest.fixture(params=["rayon", "twilio", "vonage"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def gateway(sms: RunningSms) -> AsyncIterator[SmsGateway]:
    made = new_gateway(sms)
    yield made
    await made.aclose()


def new_gateway(sms: RunningSms, *, provider: str = "rayon", url: str = "", **changes: Any) -> SmsGateway:
    settings = SmsSettings(url=url or sms.url, provider=provider, sender="Carotte", stop_number="36180")
    # A clock that stands still: no time passes within a call, so that retry_at is exact.
    return SmsGateway(settings=settings, **{"timeout_s": 5.0, "clock": lambda: AT_ONCE, **changes})


def text_message(**changes: object) -> PushMessage:
    return push(**{"platform": "sms", "token": f"+336{next(NUMBERS):08d}", **changes})


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


# answer of the gateway; outcome, seconds to wait, and code with its HTTP status in each dialect
CATALOGUE: list[tuple[dict[str, Any], Outcome, float | None, dict[str, tuple[str, int | None]]]] = [
    (
        {"error_code": "OPTED_OUT"},
        Outcome.DEAD_TOKEN,
        None,
        {"rayon": ("OPTED_OUT", 400), "twilio": ("TWILIO_21610", 400), "vonage": ("VONAGE_7", 200)},
    ),
    (
        {"error_code": "NOT_A_MOBILE"},
        Outcome.DEAD_TOKEN,
        None,
        {"rayon": ("NOT_A_MOBILE", 400), "twilio": ("TWILIO_21614", 400), "vonage": ("VONAGE_33", 200)},
    ),
    (
        {"error_code": "BAD_SENDER"},
        Outcome.OUR_FAULT,
        None,
        {"rayon": ("BAD_SENDER", 400), "twilio": ("TWILIO_21606", 400), "vonage": ("VONAGE_15", 200)},
    ),
    (
        {"error_code": "TOO_LONG"},
        Outcome.OUR_FAULT,
        None,
        {"rayon": ("TEXT_TOO_LONG", 400), "twilio": ("TWILIO_21617", 400), "vonage": ("VONAGE_12", 200)},
    ),
    (
        {"error_code": "BAD_CREDENTIALS"},
        Outcome.LANE_STOPPED,
        None,
        {"rayon": ("BAD_CREDENTIALS", 401), "twilio": ("TWILIO_20003", 401), "vonage": ("VONAGE_4", 200)},
    ),
    (
        {"error_code": "SUSPENDED"},
        Outcome.LANE_STOPPED,
        None,
        {"rayon": ("ACCOUNT_SUSPENDED", 403), "twilio": ("TWILIO_20005", 403), "vonage": ("VONAGE_8", 200)},
    ),
    (
        {"error_code": "THROTTLED"},
        Outcome.TRY_LATER,
        60,
        {"rayon": ("THROTTLED", 429), "twilio": ("TWILIO_20429", 429), "vonage": ("VONAGE_1", 200)},
    ),
    (
        {"error_code": "THROTTLED", "retry_after": 7},
        Outcome.TRY_LATER,
        7,
        {"rayon": ("THROTTLED", 429), "twilio": ("TWILIO_20429", 429), "vonage": ("VONAGE_1", 200)},
    ),
    (
        {"error_code": "INTERNAL"},
        Outcome.TRY_LATER,
        10,
        {"rayon": ("INTERNAL", 500), "twilio": ("TWILIO_20500", 500), "vonage": ("VONAGE_5", 200)},
    ),
    ({"status": 502}, Outcome.TRY_LATER, 10, dict.fromkeys(("rayon", "twilio", "vonage"), ("HTTP_502", 502))),
    (
        {"status": 503, "retry_after": 30},
        Outcome.TRY_LATER,
        30,
        dict.fromkeys(("rayon", "twilio", "vonage"), ("HTTP_503", 503)),
    ),
    (
        {"status": 302},
        Outcome.LANE_STOPPED,
        None,
        dict.fromkeys(("rayon", "twilio", "vonage"), ("HTTP_302", 302)),
    ),
    (
        {"drop": "before"},
        Outcome.TRY_LATER,
        10,
        dict.fromkeys(("rayon", "twilio", "vonage"), ("CONNECTION_LOST", None)),
    ),
    (
        {"drop": "after"},
        Outcome.TRY_LATER,
        10,
        dict.fromkeys(("rayon", "twilio", "vonage"), ("CONNECTION_LOST", None)),
    ),
]


@pytest.mark.parametrize(("answer", "outcome", "wait_s", "codes"), CATALOGUE)
async def test_an_answer_means_what_the_catalogue_says(
    sms: RunningSms,
    dialect: str,
    answer: dict[str, Any],
    outcome: Outcome,
    wait_s: float | None,
    codes: dict[str, tuple[str, int | None]],
) -> None:
    gateway = new_gateway(sms, provider=dialect)
    message = text_message()
    sms.script(message.token, answer)

    receipts = await gateway.send([message], now=NOW)
    await gateway.aclose()

    code, status = codes[dialect]
    assert receipts == [
        Receipt(
            message_id=message.message_id,
            outcome=outcome,
            provider_code=code,
            status=status,
            retry_at=None if wait_s is None else after(wait_s),
        )
    ]
    [entry] = sms.log()
    assert entry["delivered"] is (answer.get("drop") == "after")


async def test_an_accepted_message_reaches_the_phone(sms: RunningSms, dialect: str) -> None:
    gateway = new_gateway(sms, provider=dialect)
    message = text_message()

    [receipt] = await gateway.send([message], now=NOW)
    await gateway.aclose()

    [entry] = sms.log()
    status = {"rayon": 202, "twilio": 201, "vonage": 200}[dialect]
    assert receipt == Receipt(
        message_id=message.message_id,
        outcome=Outcome.ACCEPTED,
        provider_message_id=entry["name"],
        status=status,
    )
    told = entry["message"]
    assert (told["dialect"], told["token"], told["from"]) == (dialect, message.token, "Carotte")
    assert told["text"] == TEXT
    if dialect != "twilio":  # which takes neither
        assert (told["id"], told["encoding"]) == (message.message_id, "gsm7")


async def test_a_text_that_needs_it_goes_out_as_ucs2(sms: RunningSms, gateway: SmsGateway) -> None:
    await gateway.send([text_message(title="Crêpes 🥞")], now=NOW)

    [told] = sms.delivered()
    assert (told["encoding"], told["text"][:9]) == ("ucs2", "Crêpes 🥞.")


async def test_the_same_message_again_is_shown_once(sms: RunningSms, gateway: SmsGateway) -> None:
    message = text_message()
    sms.script(message.token, {"drop": "after"})

    [first] = await gateway.send([message], now=NOW)
    [second] = await gateway.send([message], now=NOW)

    assert (first.outcome, second.outcome) == (Outcome.TRY_LATER, Outcome.ACCEPTED)
    assert len(sms.delivered()) == 1
    assert {entry["name"] for entry in sms.log()} == {second.provider_message_id}


async def test_a_number_that_is_none_makes_no_call(sms: RunningSms, gateway: SmsGateway) -> None:
    numbers = ["0612345678", "+0612345678", "+33 6 12 34 56 78", "+336", "+" + "3" * 16, "", "+33612345678\n"]

    receipts = await gateway.send([text_message(token=number) for number in numbers], now=NOW)

    assert [(one.outcome, one.provider_code) for one in receipts] == [
        (Outcome.DEAD_TOKEN, "INVALID_NUMBER")
    ] * len(numbers)
    assert sms.log() == []


async def test_one_dead_number_among_many_costs_the_others_nothing(
    sms: RunningSms, gateway: SmsGateway
) -> None:
    messages = [text_message() for _ in range(50)]
    sms.script(messages[17].token, {"error_code": "OPTED_OUT"})

    receipts = await gateway.send(messages, now=NOW)

    assert [one.message_id for one in receipts] == [one.message_id for one in messages]
    assert [i for i, one in enumerate(receipts) if one.outcome is not Outcome.ACCEPTED] == [17]
    assert len(sms.delivered()) == 49


async def test_refused_credentials_end_the_batch_and_not_the_next(sms: RunningSms) -> None:
    gateway = new_gateway(sms, concurrency=1)
    messages = [text_message() for _ in range(20)]
    sms.script("*", {"error_code": "BAD_CREDENTIALS"})

    receipts = await gateway.send(messages, now=NOW)
    later = await gateway.send(messages[:1], now=NOW)
    await gateway.aclose()

    assert {one.outcome for one in receipts} == {Outcome.LANE_STOPPED}
    assert [one.outcome for one in later] == [Outcome.ACCEPTED]
    assert len(sms.log()) == 2


async def test_a_throttled_lane_waits_for_all_of_it(sms: RunningSms) -> None:
    gateway = new_gateway(sms, concurrency=1)
    sms.script("*", {"error_code": "THROTTLED", "retry_after": 30})

    first = await gateway.send([text_message(), text_message()], now=NOW)
    early = await gateway.send([text_message()], now=after(29))
    again = await gateway.send([text_message()], now=after(30))
    await gateway.aclose()

    assert [one.provider_code for one in first + early] == ["THROTTLED", "LANE_SLOWED", "LANE_SLOWED"]
    assert {one.retry_at for one in first + early} == {after(30)}
    assert [one.outcome for one in again] == [Outcome.ACCEPTED]
    assert len(sms.log()) == 2


async def test_wrong_credentials_stop_the_lane(sms: RunningSms, dialect: str) -> None:
    gateway = new_gateway(sms, provider=dialect, url=sms.url.replace("rayon-local:", "rayon-local:not"))

    [receipt] = await gateway.send([text_message()], now=NOW)
    await gateway.aclose()

    assert receipt.outcome is Outcome.LANE_STOPPED
    assert sms.delivered() == []


async def test_nobody_there_is_met_once_and_tried_again_later(unused_tcp_port: int, sms: RunningSms) -> None:
    gateway = new_gateway(sms, url=f"http://127.0.0.1:{unused_tcp_port}", concurrency=1)

    receipts = await gateway.send([text_message(), text_message()], now=NOW)
    await gateway.aclose()

    assert [(one.outcome, one.provider_code) for one in receipts] == [
        (Outcome.TRY_LATER, "CONNECT_FAILED"),
        (Outcome.TRY_LATER, "LANE_SLOWED"),
    ]
    assert {one.retry_at for one in receipts} == {after(10)}


async def test_a_slow_gateway_is_left_after_its_time(sms: RunningSms) -> None:
    gateway = new_gateway(sms, timeout_s=0.2)
    slow, quick = text_message(), text_message()
    sms.script(slow.token, {"delay_s": 1})

    receipts = await asyncio.wait_for(gateway.send([slow, quick], now=NOW), timeout=0.9)
    await gateway.aclose()

    assert [(one.outcome, one.provider_code) for one in receipts] == [
        (Outcome.TRY_LATER, "TIMEOUT"),
        (Outcome.ACCEPTED, None),
    ]


async def test_a_text_nobody_could_send_is_ours_alone(sms: RunningSms, gateway: SmsGateway) -> None:
    receipts = await gateway.send([text_message(title="\ud800"), text_message()], now=NOW)

    assert [(one.outcome, one.provider_code) for one in receipts] == [
        (Outcome.OUR_FAULT, "PAYLOAD_NOT_UNICODE"),
        (Outcome.ACCEPTED, None),
    ]


async def test_an_unknown_dialect_is_none() -> None:
    with pytest.raises(KeyError, match="pigeon"):
        SmsGateway(settings=SmsSettings(url="http://127.0.0.1:9", provider="pigeon", sender=str(uuid4())))
