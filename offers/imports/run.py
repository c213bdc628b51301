"""An import: batches of what was read go to a writer, and every thing gets one verdict."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from django.db import DataError, IntegrityError, transaction

from offers.imports.seen import SeenKeys
from offers.imports.values import Given, Refusal, Remark, Summary, Verdict, refuse

T = TypeVar("T")
BATCH_SIZE = 500  # written together; also what an import holds in memory
Outcome = Verdict | Refusal
Writer = Callable[[Sequence[Given[T]]], Sequence[Outcome]]
Tell = Callable[[Remark, bool], None]  # (remark, whether the thing was refused)


def run_import(
    *,
    entries: Iterable[Given[T] | Refusal],
    write: Writer[T],
    tell: Tell,
    is_dry: bool = False,
    batch_size: int = BATCH_SIZE,
) -> Summary:
    """Write the entries batch by batch, each in a transaction of its own; return how it went.

    `write` answers one outcome per thing, in order, and may write what it likes. `tell` is called for each remark, in the
    order of the file within a batch. A key that comes again is refused, so that the file says one thing of each key and a
    second run finds nothing to change. A dry run does the same work and rolls each batch back. A batch that the database
    refuses is tried again thing by thing. Raises FileProblem as the entries do: what was written before stays.
    """
    summary = Summary()
    with SeenKeys() as seen:
        for batch in _batches(_once(entries, seen=seen), size=batch_size):
            given = [entry for entry in batch if isinstance(entry, Given)]
            outcomes = iter(_written(given, write=write, is_dry=is_dry))
            for entry in batch:
                outcome = next(outcomes) if isinstance(entry, Given) else entry
                _count(entry, outcome, summary=summary, tell=tell)
    return summary


def _once(entries: Iterable[Given[T] | Refusal], *, seen: SeenKeys) -> Iterator[Given[T] | Refusal]:
    for entry in entries:
        if isinstance(entry, Given) and not seen.add(entry.key):
            message = "It came before in this file; only the first is taken."
            yield refuse(line=entry.line, key=entry.key, code="repeated", message=message, lines=entry.lines)
        else:
            yield entry


def _batches(entries: Iterable[T], *, size: int) -> Iterator[list[T]]:
    batch: list[T] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _written(given: Sequence[Given[T]], *, write: Writer[T], is_dry: bool) -> Sequence[Outcome]:
    if not given:
        return []
    try:
        with transaction.atomic():
            outcomes = write(given)
            if is_dry:
                transaction.set_rollback(True)
    except (DataError, IntegrityError):  # any other database error is no fault of a line
        if len(given) > 1:
            return [outcome for one in given for outcome in _written([one], write=write, is_dry=is_dry)]
        [one] = given
        return [refuse(line=one.line, key=one.key, code="not_storable", message="The database refuses it.")]
    return outcomes


def _count(entry: Given[T] | Refusal, outcome: Outcome, *, summary: Summary, tell: Tell) -> None:
    summary.lines += entry.lines
    if isinstance(outcome, Refusal):
        summary.refused += 1
        for remark in outcome.remarks:
            tell(remark, True)
        return
    summary.verdicts[outcome] += 1
    notes = entry.notes if isinstance(entry, Given) else ()
    summary.notes += len(notes)
    for remark in notes:
        tell(remark, False)
