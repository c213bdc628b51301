"""What another way of choosing offers would have earned, from the service's own decisions; docs/algorithms/exploration.md."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from offers.models import ResponseModel
from offers.queries.bought import BOUGHT, COUNTS, WINDOW_DAYS
from offers.queries.targeting import get_response_model
from offers.rules.exploration import FLOOR
from offers.rules.off_policy import Estimates, Logged, estimates
from offers.rules.response import COLD, Model, model_from_json, response, signals_from

# (the offer that was shown, all candidates as kept, bought the shown offer's target in the window). Of the treated
# alone: nobody in the hold-out was shown anything.
_DECISIONS = f"""
    SELECT o.ref, d.candidates::text,
           {BOUGHT}
      FROM offers_exposure e
      JOIN offers_decision d ON d.id = e.decision_id
      JOIN offers_offer o ON o.id = e.offer_id
     WHERE e.arm = 'treated' AND {COUNTS}
     ORDER BY e.id
"""  # noqa: S608 (a constant of this house's own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    estimates: Estimates
    without_propensity: int  # decisions that cannot be used: nothing was left to chance, or it was not logged


def model_of(*, version: int | None) -> Model:
    """Return a kept response model; None: the one in use; 0: the cold one. Raises ResponseModel.DoesNotExist."""
    if version is None:
        return get_response_model()
    if version == 0:
        return COLD
    return model_from_json(ResponseModel.objects.get(version=version).parameters, version=version)


def judge_policy(*, model: Model, since: datetime, now: datetime, floor: float = FLOOR) -> Judged:
    """Return what it would have earned (purchases of the target within a week, a decision) to choose by this model.

    The policy in question shows the eligible offer whose push adds most by the model, and any eligible one in `floor` of the
    cases. Raises ValueError where no decision kept its propensities.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")  # as many decisions as there were
        cursor.execute(_DECISIONS, {"since": since, "now": now, "window": WINDOW_DAYS})
        rows = [(shown, json.loads(kept), has_bought) for shown, kept, has_bought in cursor.fetchall()]
    usable = list(_logged(rows, model=model, floor=floor))
    return Judged(estimates=estimates(usable), without_propensity=len(rows) - len(usable))


def _logged(
    rows: Sequence[tuple[str, list[dict[str, Any]], bool]], *, model: Model, floor: float
) -> Iterator[Logged]:
    for shown, candidates, has_bought in rows:
        choices = {one["offer"]: one for one in candidates if one.get("propensity")}
        if shown not in choices:
            continue
        told = {ref: response(signals_from(one), model) for ref, one in choices.items()}
        chances = _greedy({ref: q1 - q0 for ref, (q1, q0) in told.items()}, floor=floor)
        yield Logged(
            reward=float(has_bought),
            behaviour=choices[shown]["propensity"],
            target=chances[shown],
            expected=told[shown][0],
            expected_under_target=sum(chances[ref] * q1 for ref, (q1, _) in told.items()),
        )


def _greedy(added: Mapping[str, float], *, floor: float) -> dict[str, float]:
    """Return the chance of each offer: the best by what it adds, then by ref, with the floor spread over all."""
    best = min(added, key=lambda ref: (-added[ref], ref))
    return {ref: floor / len(added) + (1.0 - floor) * (ref == best) for ref in added}
