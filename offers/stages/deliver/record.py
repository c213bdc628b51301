"""What came of a batch, written in one transaction: receipts, and each message's new state."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from customers.operations.dead_addresses import DeadAddress
from offers import locks
from offers.gateways.port import Outcome
from offers.stages.deliver.lanes import Answer
from offers.stages.deliver.outcomes import Next, next_step

# A result counts while its claim is the last one; an acceptance always does, for the phone has the message.
_SETTLE = """
    UPDATE offers_outboxmessage m
       SET state = t.state, reason = t.reason, due_at = COALESCE(t.due_at, m.due_at), lease_until = NULL,
           finished_at = CASE WHEN t.state = 'queued' THEN NULL ELSE %s END
      FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::timestamptz[])
        AS t(id, attempts, state, reason, due_at)
     WHERE m.id = t.id
       AND (m.state = 'sending' AND m.attempts = t.attempts OR t.state = 'sent' AND m.state IN ('queued', 'sending'))
"""

# A device that was removed while its push was under way leaves a receipt without a device.
_RECEIPTS = """
    INSERT INTO offers_receipt (message_id, customer_id, device_id, platform, attempt, outcome, provider_code, status,
                                provider_message_id, at)
    SELECT m.id, m.customer_id,
           (SELECT d.id FROM customers_device d WHERE d.id = t.device_id FOR KEY SHARE),
           t.platform, t.attempt, t.outcome, t.provider_code, t.status, t.provider_message_id, %s
      FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::int[], %s::text[], %s::text[], %s::int[], %s::text[])
        AS t(message_id, device_id, platform, attempt, outcome, provider_code, status, provider_message_id)
      JOIN offers_outboxmessage m ON m.id = t.message_id
"""

_STILL_OURS = """
    SELECT m.id FROM offers_outboxmessage m
      JOIN unnest(%s::bigint[], %s::int[]) AS t(id, attempts) ON m.id = t.id
     WHERE m.state = 'sending' AND m.attempts = t.attempts
     ORDER BY m.id
"""

_RELEASE = """
    UPDATE offers_outboxmessage m SET state = 'queued', attempts = m.attempts - 1, lease_until = NULL
      FROM unnest(%s::bigint[], %s::int[]) AS t(id, attempts)
     WHERE m.id = t.id AND m.state = 'sending' AND m.attempts = t.attempts
"""


@dataclass(frozen=True, slots=True)
class Deaths:
    """Addresses that a provider called dead, to be retired before the results are written."""

    addresses: tuple[DeadAddress, ...] = ()

    @classmethod
    def among(cls, answers: Sequence[Answer]) -> "Deaths":
        return cls(
            tuple(
                DeadAddress(
                    customer_id=answer.parcel.customer_id,
                    device_id=answer.parcel.device_id,
                    registered_at=answer.parcel.push.registered_at,
                )
                for answer in answers
                if answer.receipt.outcome is Outcome.DEAD_TOKEN
            )
        )


@dataclass(slots=True)
class Leftover:
    """Messages to be dropped for what their provider answered: ids by reason."""

    dropped: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def record_answers(
    answers: Sequence[Answer], malformed: Mapping[int, int], *, now: datetime, chance: Callable[[], float]
) -> Leftover:
    """Write a receipt per try and settle the messages, in one transaction of four statements.

    malformed: attempts by id of messages that nothing could be made of; they become dead letters.
    Returns what is still to be dropped: those stay leased, so that a worker that dies here leaves them to the next.
    Effects: locks the messages in the order of their ids.
    """
    steps = {
        (answer.parcel.row_id, answer.parcel.attempts): next_step(
            answer.receipt,
            attempts=answer.parcel.attempts,
            expires_at=answer.parcel.push.expires_at,
            now=now,
            chance=chance(),
        )
        for answer in answers
    }
    steps |= {key: Next(state="dead", reason="malformed_terms") for key in malformed.items()}
    if not steps:
        return Leftover()
    with transaction.atomic():
        locks.lock_messages([row_id for row_id, _ in steps])
        _write_receipts(answers, now=now)
        _settle({key: step for key, step in steps.items() if step.state != "dropped"}, now=now)
        return _leftover({key: step for key, step in steps.items() if step.state == "dropped"})


def release_messages(held: Mapping[int, int]) -> None:
    """Put leased messages (attempts by id) back as if they had not been claimed."""
    if not held:
        return
    with transaction.atomic():
        locks.lock_messages(list(held))
        with connection.cursor() as cursor:
            cursor.execute(_RELEASE, [list(held), list(held.values())])


def _write_receipts(answers: Sequence[Answer], *, now: datetime) -> None:
    rows = [
        (
            answer.parcel.row_id,
            answer.parcel.device_id,
            answer.parcel.push.platform,
            answer.parcel.attempts,
            answer.receipt.outcome.value,
            (answer.receipt.provider_code or "")[:64],
            answer.receipt.status,
            (answer.receipt.provider_message_id or "")[:200],
        )
        for answer in answers
        if answer.was_tried
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_RECEIPTS, [now, *(list(column) for column in zip(*rows, strict=True))])


def _settle(steps: Mapping[tuple[int, int], Next], *, now: datetime) -> None:
    if not steps:
        return
    ids, attempts = zip(*steps, strict=True)
    states = [step.state for step in steps.values()]
    reasons = [step.reason for step in steps.values()]
    dues = [step.due_at for step in steps.values()]
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [now, list(ids), list(attempts), states, reasons, dues])


def _leftover(steps: Mapping[tuple[int, int], Next]) -> Leftover:
    left = Leftover()
    if not steps:
        return left
    ids, attempts = zip(*steps, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_STILL_OURS, [list(ids), list(attempts)])
        ours = {row_id for (row_id,) in cursor.fetchall()}
    for (row_id, _), step in steps.items():
        if row_id in ours:
            left.dropped[step.reason].append(row_id)
    return left
