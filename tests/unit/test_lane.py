"""What gateways have in common: receipts in order, a lane that stops, a lane that rests, a defect that stays alone."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

from offers.gateways.lane import Batch, Lane
from offers.gateways.port import Outcome, PushMessage, Receipt
from offers.gateways.verdicts import Verdict, lane_stopped, later

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
ACCEPTED = Verdict(outcome=Outcome.ACCEPTED, status=200)


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


def lane(*, clock: Clock | None = None, concurrency: int = 1) -> Lane:
    return Lane(
        gateway="test", concurrency=concurrency, clock=clock or Clock(), alarming=frozenset(["WRONG"])
    )


def messages(count: int, *, expires_at: datetime = NOW + timedelta(hours=1)) -> list[PushMessage]:
    return [
        PushMessage(
            message_id=str(number),
            platform="test",
            token="secret",
            title="Yaourts",
            body="",
            expires_at=expires_at,
            registered_at=NOW,
        )
        for number in range(count)
    ]


def answering(
    *verdicts: Verdict | Exception,
) -> tuple[Callable[[PushMessage, Batch, datetime], Awaitable[Verdict]], list[tuple[str, datetime]]]:
    """Return an attempt that gives these answers in turn, and the list of what it was asked."""
    asked: list[tuple[str, datetime]] = []

    async def attempt(message: PushMessage, batch: Batch, at: datetime) -> Verdict:
        found = verdicts[len(asked)]
        asked.append((message.message_id, at))
        await asyncio.sleep(0)
        if isinstance(found, Exception):
            raise found
        return found

    return attempt, asked


async def test_a_defect_met_by_one_message_costs_its_neighbours_nothing() -> None:
    attempt, asked = answering(ACCEPTED, RuntimeError("secret"), ACCEPTED)
    with structlog.testing.capture_logs() as lines:
        receipts = await lane().send(messages(3), now=NOW, attempt=attempt)

    assert receipts == [
        Receipt(message_id="0", outcome=Outcome.ACCEPTED, status=200),
        Receipt(message_id="1", outcome=Outcome.OUR_FAULT, provider_code="GATEWAY_DEFECT"),
        Receipt(message_id="2", outcome=Outcome.ACCEPTED, status=200),
    ]
    assert [line["event"] for line in lines] == [
        "push_sent",
        "push_gateway_defect",
        "push_not_sent",
        "push_sent",
    ]
    assert "secret" not in repr(lines)
    assert len(asked) == 3


async def test_a_stopped_lane_ends_the_batch_and_not_the_next_one() -> None:
    attempt, asked = answering(lane_stopped("NO", status=403), ACCEPTED)
    stopping = lane()

    first = await stopping.send(messages(3), now=NOW, attempt=attempt)
    [second] = await stopping.send(messages(1), now=NOW, attempt=attempt)

    assert {(r.outcome, r.provider_code, r.status) for r in first} == {(Outcome.LANE_STOPPED, "NO", 403)}
    assert second.outcome is Outcome.ACCEPTED
    assert len(asked) == 2


async def test_a_slowed_lane_rests_until_its_time_in_every_batch() -> None:
    slow = Verdict(outcome=Outcome.TRY_LATER, code="SLOW", retry_in=timedelta(seconds=30), slows_lane=True)
    attempt, asked = answering(slow, ACCEPTED)
    resting = lane()

    first = await resting.send(messages(2), now=NOW, attempt=attempt)
    early = await resting.send(messages(1), now=NOW + timedelta(seconds=29), attempt=attempt)
    due = await resting.send(messages(1), now=NOW + timedelta(seconds=30), attempt=attempt)

    assert [(r.provider_code, r.retry_at) for r in [*first, *early]] == [
        ("SLOW", NOW + timedelta(seconds=30)),
        ("LANE_SLOWED", NOW + timedelta(seconds=30)),
        ("LANE_SLOWED", NOW + timedelta(seconds=30)),
    ]
    assert due[0].outcome is Outcome.ACCEPTED
    assert len(asked) == 2


async def test_time_that_passes_within_a_call_counts() -> None:
    clock = Clock()

    async def attempt(message: PushMessage, batch: Batch, at: datetime) -> Verdict:
        clock.at += 40
        return later("FAILED")

    receipts = await lane(clock=clock).send(
        messages(3, expires_at=NOW + timedelta(seconds=60)), now=NOW, attempt=attempt
    )

    assert [(r.outcome, r.retry_at) for r in receipts] == [
        (Outcome.TRY_LATER, NOW + timedelta(seconds=50)),
        (Outcome.TRY_LATER, NOW + timedelta(seconds=90)),
        (Outcome.EXPIRED, None),
    ]


async def test_no_more_are_under_way_than_the_bound_allows() -> None:
    under_way, most = 0, 0

    async def attempt(message: PushMessage, batch: Batch, at: datetime) -> Verdict:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return ACCEPTED

    bounded = lane(concurrency=3)
    await asyncio.gather(*(bounded.send(messages(10), now=NOW, attempt=attempt) for _ in range(2)))

    assert most == 3


async def test_what_someone_should_hear_of_is_an_error_in_the_log() -> None:
    verdicts = [
        Verdict(outcome=Outcome.DEAD_TOKEN, code="GONE"),
        Verdict(outcome=Outcome.DEAD_TOKEN, code="WRONG"),
        Verdict(outcome=Outcome.OUR_FAULT, code="BUG"),
    ]
    attempt, _ = answering(*verdicts)
    with structlog.testing.capture_logs() as lines:
        await lane().send(messages(3), now=NOW, attempt=attempt)

    assert [(line["log_level"], line["code"]) for line in lines] == [
        ("info", "GONE"),
        ("error", "WRONG"),
        ("error", "BUG"),
    ]
