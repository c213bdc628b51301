"""The response model, learned from the service's own exposures and hold-outs; docs/algorithms/response.md."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction

from offers import locks
from offers.models import CustomerResponses, OfferResponses, ResponseModel
from offers.queries.bought import BOUGHT, COUNTS, WINDOW_DAYS
from offers.queries.targeting import get_response_model
from offers.rules.response import model_to_json, signals_from
from offers.rules.response_training import Learned, Shown, train

BACK_DAYS = 90
MOST = 200_000  # exposures, the latest

# How the treated answered, by customer and by offer. Nobody's exposure counts before its week is over, in which
# anything may still come of it; nor that of somebody who does not allow profiling.
_COUNT = f"""
    WITH told AS MATERIALIZED (
        SELECT e.customer_id, e.offer_id, {BOUGHT} AS has_bought
          FROM offers_exposure e
          JOIN customers_customer c ON c.id = e.customer_id AND 'profiling' = ANY(c.granted)
         WHERE e.arm = 'treated' AND {COUNTS}
    ), by_customer AS (
        INSERT INTO offers_customerresponses AS kept (customer_id, shown, answered, counted_at)
        SELECT customer_id, count(*), count(*) FILTER (WHERE has_bought), %(now)s FROM told GROUP BY customer_id
            ON CONFLICT (customer_id) DO UPDATE
           SET (shown, answered, counted_at) = (EXCLUDED.shown, EXCLUDED.answered, EXCLUDED.counted_at)
        RETURNING 1
    ), by_offer AS (
        INSERT INTO offers_offerresponses AS kept (offer_id, shown, answered, counted_at)
        SELECT offer_id, count(*), count(*) FILTER (WHERE has_bought), %(now)s FROM told GROUP BY offer_id
            ON CONFLICT (offer_id) DO UPDATE
           SET (shown, answered, counted_at) = (EXCLUDED.shown, EXCLUDED.answered, EXCLUDED.counted_at)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM by_customer), (SELECT count(*) FROM by_offer)
"""  # noqa: S608 (a constant of this house's own)

_log = structlog.get_logger(__name__)

# (treated, the candidate as it was kept with the decision, bought the target in the window), the latest first.
_SHOWN = f"""
    SELECT e.arm = 'treated',
           (SELECT one FROM jsonb_array_elements(d.candidates) one WHERE one->>'offer' = o.ref LIMIT 1)::text,
           {BOUGHT}
      FROM offers_exposure e
      JOIN offers_decision d ON d.id = e.decision_id
      JOIN offers_offer o ON o.id = e.offer_id
      JOIN customers_customer c ON c.id = e.customer_id AND 'profiling' = ANY(c.granted)
     WHERE {COUNTS}
     ORDER BY e.exposed_at DESC, e.id DESC
     LIMIT %(most)s
"""  # noqa: S608 (a constant of this house's own)


def count_responses(*, now: datetime) -> tuple[int, int]:
    """Count anew how customers and offers were answered in the last BACK_DAYS; return how many of each have a count.

    Three statements over all exposures of that time. Decisions read the counts as of the last run.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        locks.lock_response_models()
        cursor.execute(
            "SET LOCAL statement_timeout = 0"
        )  # months of exposures, each with a look at the purchases
        since = now - timedelta(days=BACK_DAYS)
        cursor.execute(_COUNT, {"now": now, "since": since, "window": WINDOW_DAYS})
        customers, offers = cursor.fetchone()
        for counted in (CustomerResponses, OfferResponses):
            counted.objects.exclude(counted_at=now).delete()
    return customers, offers


def train_response(*, now: datetime) -> Learned | None:
    """Learn from the exposures whose window is over; keep the model as a new version; return what was learned.

    The new version is put to use only where it tells the latest exposures better than the one in use. None: there is too
    little to learn from, and nothing was written. Only customers who allow profiling teach. Waits for another training.
    """
    shown = _shown(now=now)
    with transaction.atomic():
        locks.lock_response_models()
        standing = get_response_model()
        last = ResponseModel.objects.order_by("-version").values_list("version", flat=True).first()
        learned = train(shown, standing=standing, version=(last or 0) + 1)
        if learned is None:
            return None
        _keep(learned, now=now)
    _log.info("response_trained", version=learned.model.version, is_used=learned.is_better)
    return learned


def use_response_model(*, version: int) -> None:
    """Put a kept version to use; 0: the model before anything was learned. Raises ResponseModel.DoesNotExist."""
    with transaction.atomic():
        locks.lock_response_models()
        chosen = ResponseModel.objects.get(version=version) if version else None
        ResponseModel.objects.filter(is_current=True).update(is_current=False)
        if chosen is not None:
            ResponseModel.objects.filter(pk=chosen.pk).update(is_current=True)


def _shown(*, now: datetime) -> list[Shown]:
    """Return the exposures, oldest first."""
    values: Mapping[str, Any] = {
        "now": now,
        "since": now - timedelta(days=BACK_DAYS),
        "window": WINDOW_DAYS,
        "most": MOST,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL statement_timeout = 0"
        )  # months of exposures, each with a look at the purchases
        cursor.execute(_SHOWN, values)
        rows = cursor.fetchall()
    return [
        Shown(
            signals=signals_from(json.loads(kept) if kept else {}),
            is_treated=is_treated,
            has_bought=has_bought,
        )
        for is_treated, kept, has_bought in reversed(rows)
    ]


def _keep(learned: Learned, *, now: datetime) -> None:
    if learned.is_better:
        ResponseModel.objects.filter(is_current=True).update(is_current=False)
    ResponseModel.objects.create(
        version=learned.model.version,
        parameters=model_to_json(learned.model),
        is_current=learned.is_better,
        exposures=learned.exposures,
        figures={
            "log_loss": round(learned.log_loss, 6),
            "log_loss_before": round(learned.log_loss_before, 6),
            "calibration_error": round(learned.calibration_error, 4),
            "auc": None if learned.auc is None else round(learned.auc, 4),
        },
        trained_at=now,
    )
