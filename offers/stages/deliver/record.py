"""What came of a batch, in one statement: a receipt a try, and each message's new state."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from customers.operations.dead_addresses import DeadAddress
from customers.operations.dead_contacts import DeadContact
from offers.cursors import bigints, hot_cursor, instants, ints, texts
from offers.gateways.port import Outcome
from offers.stages.deliver.gate import OUTBOX_CHANNEL
from offers.stages.deliver.outcomes import Next, next_step
from offers.stages.deliver.parcels import Answer, Parcel

# A result counts while its claim is the last one; an acceptance always does, for the phone has the message. What is to
# be dropped stays leased: dropping locks more, in an order of its own. A device that was removed while its push was
# under way leaves a receipt without one.
_SETTLE = """
    WITH steps AS (
        SELECT * FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(states)s::text[], %(reasons)s::text[],
                             %(dues)s::timestamptz[], %(lanes)s::text[], %(known)s::timestamptz[])
            AS t(id, attempts, state, reason, due_at, lane, known_at)
    ), tries AS (
        SELECT * FROM unnest(%(tried)s::bigint[], %(devices)s::bigint[], %(platforms)s::text[], %(numbers)s::int[],
                             %(outcomes)s::text[], %(codes)s::text[], %(statuses)s::int[], %(names)s::text[],
                             %(times)s::timestamptz[])
            AS t(message_id, device_id, platform, attempt, outcome, provider_code, status, provider_message_id, at)
    ), locked AS (
        SELECT m.id, m.customer_id, m.state, m.attempts
          FROM offers_outboxmessage m
         WHERE m.id = ANY(%(all)s::bigint[])
         ORDER BY m.id FOR NO KEY UPDATE
    ), receipts AS (
        INSERT INTO offers_receipt (message_id, customer_id, device_id, platform, attempt, outcome, provider_code,
                                    status, provider_message_id, at)
        SELECT l.id, l.customer_id,
               (SELECT d.id FROM customers_device d WHERE d.id = t.device_id FOR KEY SHARE),
               t.platform, t.attempt, t.outcome, t.provider_code, t.status, t.provider_message_id, t.at
          FROM tries t JOIN locked l ON l.id = t.message_id
    ), settled AS (
        UPDATE offers_outboxmessage m
           SET state = t.state, reason = t.reason, due_at = COALESCE(t.due_at, m.due_at),
               lane = COALESCE(t.lane, m.lane), lease_until = NULL,
               finished_at = CASE WHEN t.state <> 'queued' THEN t.known_at END,
               accepted_at = CASE WHEN t.state = 'sent' THEN t.known_at END
          FROM steps t JOIN locked l ON l.id = t.id
         WHERE m.id = l.id AND t.state <> 'dropped'
           AND (l.state = 'sending' AND l.attempts = t.attempts
                OR t.state = 'sent' AND l.state IN ('queued', 'sending'))
    )
    SELECT t.id, t.reason
      FROM steps t JOIN locked l ON l.id = t.id
     WHERE t.state = 'dropped' AND l.state = 'sending' AND l.attempts = t.attempts
     ORDER BY t.id
"""

_RELEASE = """
    WITH ours AS (
        SELECT m.id
          FROM unnest(%(ids)s::bigint[], %(attempts)s::int[]) AS t(id, attempts)
          JOIN offers_outboxmessage m ON m.id = t.id AND m.state = 'sending' AND m.attempts = t.attempts
         ORDER BY m.id FOR NO KEY UPDATE OF m
    )
    UPDATE offers_outboxmessage m
       SET state = 'queued', attempts = m.attempts - 1, lease_until = NULL, lane = COALESCE(%(lane)s::text, m.lane)
      FROM ours WHERE m.id = ours.id
"""


@dataclass(frozen=True, slots=True)
class Deaths:
    """Devices and contacts whose address a provider called dead, to be retired before the results are written."""

    addresses: tuple[DeadAddress, ...] = ()
    contacts: tuple[DeadContact, ...] = ()

    @classmethod
    def among(cls, answers: Sequence[Answer]) -> "Deaths":
        dead = [answer.parcel for answer in answers if answer.receipt.outcome is Outcome.DEAD_TOKEN]
        return cls(
            addresses=tuple(
                DeadAddress(
                    customer_id=parcel.customer_id,
                    device_id=parcel.device_id,
                    registered_at=parcel.push.registered_at,
                )
                for parcel in dead
                if parcel.device_id is not None
            ),
            contacts=tuple(
                DeadContact(
                    customer_id=parcel.customer_id, channel=parcel.push.platform, address=parcel.push.token
                )
                for parcel in dead
                if parcel.push.platform in ("email", "sms")
            ),
        )


@dataclass(slots=True)
class Leftover:
    """What is still to be done about a batch."""

    dropped: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))  # message ids by reason
    next_due_at: datetime | None = None  # of those queued again


def record_answers(
    answers: Sequence[Answer], malformed: Mapping[int, int], *, now: datetime, chance: Callable[[], float]
) -> Leftover:
    """Write a receipt per try and settle the messages, in one statement.

    malformed: attempts by id of messages that nothing could be made of; they become dead letters.
    Returns what is still to be dropped: those stay leased, so that a worker that dies here leaves them to the next.
    Effects: locks the messages in the order of their ids; a message that goes on to another lane wakes the workers.
    """
    steps = {
        (answer.parcel.row_id, answer.parcel.attempts): next_step(
            answer.receipt,
            attempts=answer.parcel.attempts,
            expires_at=answer.parcel.push.expires_at,
            now=now,
            chance=chance(),
            next_lane=answer.parcel.next_lane,
            has_device=answer.parcel.device_id is not None,
        )
        for answer in answers
    }
    times = [answer.at for answer in answers] + [now] * len(malformed)
    steps |= {key: Next(state="dead", reason="malformed_terms") for key in malformed.items()}
    left = Leftover()
    if not steps:
        return left
    with hot_cursor() as cursor:
        cursor.execute(_SETTLE, {**_steps(steps, times=times), **_tries(answers)})
        for row_id, reason in cursor.fetchall():
            left.dropped[reason].append(row_id)
        if any(step.lane is not None for step in steps.values()):
            _wake_workers(cursor)
    left.next_due_at = min((step.due_at for step in steps.values() if step.due_at is not None), default=None)
    return left


def release_messages(held: Mapping[int, int], *, lane: str | None = None) -> None:
    """Put leased messages (attempts by id) back as if they had not been claimed; with a lane, over to that lane.

    Effects: locks the messages in the order of their ids; a change of lanes wakes the workers.
    """
    if not held:
        return
    with hot_cursor() as cursor:
        cursor.execute(_RELEASE, {"ids": bigints(held), "attempts": ints(held.values()), "lane": lane})
        if lane is not None:
            _wake_workers(cursor)


def release_parcels(parcels: Iterable[Parcel]) -> None:
    """Put back what was looked at and not sent."""
    release_messages({parcel.row_id: parcel.attempts for parcel in parcels})


def _steps(steps: Mapping[tuple[int, int], Next], *, times: list[datetime]) -> dict[str, Any]:
    ids = bigints(row_id for row_id, _ in steps)
    return {
        "all": ids,
        "ids": ids,
        "attempts": ints(attempts for _, attempts in steps),
        "states": texts(step.state for step in steps.values()),
        "reasons": texts(step.reason for step in steps.values()),
        "dues": instants(step.due_at for step in steps.values()),
        "lanes": texts(step.lane for step in steps.values()),
        "known": instants(times),
    }


def _tries(answers: Sequence[Answer]) -> dict[str, Any]:
    tried = [answer for answer in answers if answer.was_tried]
    receipts = [answer.receipt for answer in tried]
    return {
        "tried": bigints(answer.parcel.row_id for answer in tried),
        "devices": bigints(answer.parcel.device_id for answer in tried),
        "platforms": texts(answer.parcel.push.platform for answer in tried),
        "numbers": ints(answer.parcel.attempts for answer in tried),
        "outcomes": texts(receipt.outcome.value for receipt in receipts),
        "codes": texts(_clean(receipt.provider_code)[:64] for receipt in receipts),
        "statuses": ints(receipt.status for receipt in receipts),
        "times": instants(answer.at for answer in tried),
        "names": texts(_clean(receipt.provider_message_id)[:200] for receipt in receipts),
    }


def _wake_workers(cursor: Any) -> None:
    """Let the lanes look anew: one of them has a message that it does not know of."""
    cursor.execute("SELECT pg_notify(%s, '')", [OUTBOX_CHANNEL])


def _clean(text: str | None) -> str:
    """Return what PostgreSQL takes: a provider's word with a NUL in it must not cost a batch its results."""
    if not text:
        return ""
    return text if text.isascii() and text.isprintable() else ascii(text)
