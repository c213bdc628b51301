"""Enters and exits against the true visits: precision, recall, and at most one enter for each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from offers.evaluation.phones import TrueVisit
from offers.evaluation.replay import Told
from offers.rules.visits import TransitionKind

SILENCE = timedelta(minutes=20)  # after which the service closes a visit: an exit later than this is wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts of one kind of step."""

    told: int  # steps of the service
    right: int  # of these, that belong to a true visit
    true: int  # steps that there should have been
    found: int  # of these, that the service told

    @property
    def precision(self) -> float:
        return self.right / self.told if self.told else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.true if self.true else 1.0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "precision": round(self.precision, 4), "recall": round(self.recall, 4)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    enters: Score
    exits: Score
    entered_twice: int  # true visits with more than one enter

    def to_json(self) -> dict[str, Any]:
        return {
            "enters": self.enters.to_json(),
            "exits": self.exits.to_json(),
            "entered_twice": self.entered_twice,
        }


def score(told: Sequence[Told], *, truth: Sequence[TrueVisit]) -> Scores:
    """Return how the service's steps compare with the true visits.

    An enter is right from the first to the last inside fix of a true visit. An exit is right after the last inside fix,
    before the next true visit there, and at most twenty minutes (the service's silence) late.
    """
    enters, exits = _instants(told, kind=TransitionKind.ENTER), _instants(told, kind=TransitionKind.EXIT)
    visits: defaultdict[tuple[str, str], list[TrueVisit]] = defaultdict(list)
    for visit in sorted(truth, key=lambda one: one.first_at):
        visits[visit.device, visit.store].append(visit)
    entered, left = [], []
    for place, stays in visits.items():
        for stay, after in zip(stays, [*stays[1:], None], strict=True):
            until = stay.last_at + SILENCE if after is None else min(stay.last_at + SILENCE, after.first_at)
            entered.append(sum(stay.first_at <= at <= stay.last_at for at in enters[place]))
            left.append(sum(stay.last_at <= at <= until for at in exits[place]))
    return Scores(
        enters=_score(told=sum(map(len, enters.values())), counts=entered),
        exits=_score(told=sum(map(len, exits.values())), counts=left),
        entered_twice=sum(count > 1 for count in entered),
    )


def _instants(told: Sequence[Told], *, kind: TransitionKind) -> Mapping[tuple[str, str], list[datetime]]:
    found: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    for step in told:
        if step.kind is kind:
            found[step.device, step.store].append(step.at)
    return found


def _score(*, told: int, counts: Sequence[int]) -> Score:
    return Score(told=told, right=sum(counts), true=len(counts), found=sum(count > 0 for count in counts))
