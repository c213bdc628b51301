"""What a mail provider told of mails it had taken, written down: when each arrived, was opened or came back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from customers.operations.dead_contacts import DeadContact, retire_contacts
from offers import locks
from offers.gateways.email_events import MailEvent, MailWord

_FIND = """
    SELECT r.message_id, r.customer_id, c.email, told.word, told.address
      FROM unnest(%s::text[], %s::text[], %s::text[]) AS told(id, word, address)
      JOIN offers_receipt r ON r.platform = 'email' AND r.provider_message_id = told.id
      JOIN customers_customer c ON c.id = r.customer_id
"""
# The first word of each kind is kept.
_NOTE = """
    UPDATE offers_outboxmessage m
       SET delivered_at = CASE WHEN m.id = ANY(%(delivered)s) THEN COALESCE(m.delivered_at, %(now)s) ELSE m.delivered_at END,
           opened_at = CASE WHEN m.id = ANY(%(opened)s) THEN COALESCE(m.opened_at, %(now)s) ELSE m.opened_at END,
           returned_at = CASE WHEN m.id = ANY(%(returned)s) THEN COALESCE(m.returned_at, %(now)s) ELSE m.returned_at END
     WHERE m.id = ANY(%(all)s)
"""


def note_mail_events(events: Sequence[MailEvent], *, now: datetime) -> int:
    """Write down what became of mails; return how many of the events were about a mail of ours.

    An opened mail is its message's alone: programs open mail unasked, so the coupon waits for the app's own word. A dead
    address is marked if it still is the customer's. The same number of statements for one event and for a hundred.
    Effects: locks the messages in the order of their ids; then, in a transaction of its own, the customers.
    """
    if not events:
        return 0
    columns = zip(*((each.provider_message_id, each.word, each.address) for each in events), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [list(map(str, column)) for column in columns])
        found = cursor.fetchall()
    by_word: dict[str, list[int]] = {word: [] for word in MailWord}
    dead = []
    for message_id, customer_id, email, word, address in found:
        by_word[word].append(message_id)
        if word == MailWord.DEAD and email.casefold() == address.casefold():
            dead.append(DeadContact(customer_id=customer_id, channel="email", address=email))
    _note(by_word, now=now)
    retire_contacts(dead, now=now)
    return len(found)


def _note(by_word: dict[str, list[int]], *, now: datetime) -> None:
    every = sorted({message_id for ids in by_word.values() for message_id in ids})
    if not every:
        return
    values: dict[str, Any] = {
        "delivered": by_word[MailWord.DELIVERED],
        "opened": by_word[MailWord.OPENED],
        "returned": by_word[MailWord.RETURNED] + by_word[MailWord.DEAD],
        "all": every,
        "now": now,
    }
    with transaction.atomic():
        locks.lock_messages(every)
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, values)
