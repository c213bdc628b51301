"""Which winner of each choice gets a unit of capacity."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from offers import locks
from offers.flow import Choice, OfferTerms, Verdict

TRIES = 2  # the best winner and, where its units are gone, the next


class Claims(Protocol):
    """Who is asked for units: offers.locks, or what stands in for it where nothing may be taken."""

    def claim_units(self, wanted: Mapping[int, int]) -> dict[int, int]: ...
    def return_units(self, units: Mapping[int, int]) -> None: ...


class Settled(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came of one choice after the claim."""

    reason: str  # issued, holdout, or the reason for none
    winner: Verdict | None = None  # what is issued or held out
    verdicts: tuple[Verdict, ...] = ()  # every candidate, best first
    sold_out: frozenset[int] = frozenset()  # offers whose units went to others


def settle(
    choices: Sequence[Choice], terms: Mapping[int, OfferTerms], *, claims: Claims = locks
) -> list[Settled]:
    """Claim capacity for a batch's winners and return what came of each choice, in the same order.

    Units go to the choices in their order, first wishes before second ones; who gets neither is sold out.
    One claim locks every capacity it may need, in the order of the offers' ids, so that two batches never wait for
    each other in a circle; what it took for second wishes that were not needed is given back in one statement.
    Must run inside a transaction.
    """
    wishes = [_wishes(choice, terms) for choice in choices]
    granted = claims.claim_units(Counter(v.candidate.offer_id for wish in wishes for v in wish if _claims(v)))
    left = Counter(granted)
    settled: list[Settled | None] = [None] * len(choices)
    refused: list[set[int]] = [set() for _ in choices]
    for attempt in range(TRIES):
        for index, choice in enumerate(choices):
            if settled[index] is not None or attempt >= len(wishes[index]):
                continue
            verdict = wishes[index][attempt]
            offer_id = verdict.candidate.offer_id
            if _claims(verdict) and left[offer_id] <= 0:
                refused[index].add(offer_id)
                continue
            left[offer_id] -= _claims(verdict)
            settled[index] = Settled(
                reason=verdict.reason,
                winner=verdict,
                verdicts=choice.verdicts,
                sold_out=frozenset(refused[index]),
            )
    claims.return_units(+left)
    return [
        one or _lost(choice, sold_out=frozenset(refused[index]))
        for index, (one, choice) in enumerate(zip(settled, choices, strict=True))
    ]


def _wishes(choice: Choice, terms: Mapping[int, OfferTerms]) -> tuple[Verdict, ...]:
    """Return the winners worth a claim: up to the first whose offer is unlimited or held out, and TRIES at most."""
    wishes: list[Verdict] = []
    for verdict in choice.winners[:TRIES]:
        wishes.append(verdict)
        if not _claims(verdict) or terms[verdict.candidate.offer_id].units is None:
            break
    return tuple(wishes)


def _claims(verdict: Verdict) -> bool:
    return verdict.reason == "issued"


def _lost(choice: Choice, *, sold_out: frozenset[int]) -> Settled:
    reason = "sold_out" if sold_out else choice.reason
    return Settled(reason=reason, verdicts=choice.verdicts, sold_out=sold_out)
