"""Jobs by the clock; `manage.py procrastinate worker` runs them, however many workers there are, once each.

No job holds a lock that outlives it: one that died with its worker must not keep the next from running, and two at once do no
harm (of the next baskets, the second does nothing).
"""

from datetime import UTC, datetime

import structlog
from django.conf import settings
from procrastinate import JobContext, builtin_tasks
from procrastinate.contrib.django import app

from customers.operations.rhythms import refresh_usual_rhythms
from offers.operations import event_days, legal, response, retention, yields
from offers.operations.next_baskets import refresh_next_baskets

JOBS_KEPT_H = 72

_log = structlog.get_logger(__name__)


@app.periodic(cron="* * * * *", periodic_id="expire_coupons")
@app.task(name="offers.expire_coupons", queueing_lock="expire_coupons")
def expire_coupons(timestamp: int) -> None:
    """End coupons whose time is over, so that their units can be given to others."""
    retention.expire_coupons(now=datetime.now(UTC))


@app.periodic(cron="* * * * *", periodic_id="review_deals")
@app.task(name="offers.review_deals", queueing_lock="review_deals")
def review_deals(timestamp: int) -> None:
    """Review the deals that are due: each at least every quarter of an hour, sooner after a claim or near its end."""
    yields.review_deals(now=datetime.now(UTC), params=settings.RAYON)


@app.periodic(cron="5 * * * *", periodic_id="null_positions")
@app.task(name="offers.null_positions", queueing_lock="null_positions")
def null_positions(timestamp: int) -> None:
    """Forget where phones were, every hour, so that no position outlives its period by more than that."""
    retention.null_positions(now=datetime.now(UTC), params=settings.RAYON)


@app.periodic(cron="23 * * * *", periodic_id="make_event_days")
@app.task(name="offers.make_event_days", queueing_lock="make_event_days")
def make_event_days(timestamp: int) -> None:
    """Make the tables that the coming days' events go to."""
    event_days.make_event_days(now=datetime.now(UTC))


@app.periodic(cron="17 3 * * *", periodic_id="purge")
@app.task(name="offers.purge", queueing_lock="purge")
def purge(timestamp: int) -> None:
    """Forget all that is over."""
    done = retention.purge(now=datetime.now(UTC), params=settings.RAYON)
    _log.info("purged", **done)


@app.periodic(cron="7 4 * * *", periodic_id="refresh_legal")
@app.task(name="offers.refresh_legal", queueing_lock="refresh_legal")
def refresh_legal(timestamp: int) -> None:
    """Bring what the legal guard knows of every offer up to date: a window of 30 days moves on its own."""
    legal.refresh_legal(now=datetime.now(UTC))


@app.periodic(cron="23 1 * * *", periodic_id="refresh_next_baskets")
@app.task(name="offers.refresh_next_baskets", queueing_lock="refresh_next_baskets")
def tell_next_baskets(timestamp: int) -> None:
    """Tell everybody's next basket from the purchases up to now, and how often things are usually bought again."""
    done = refresh_next_baskets(now=datetime.now(UTC))
    rhythms = refresh_usual_rhythms()  # after it: by then nothing sensitive is left in the profiles
    _log.info("next_baskets", customers=done.customers, removed=done.removed, rhythms=rhythms)


@app.periodic(cron="41 0 * * *", periodic_id="count_responses")
@app.task(name="offers.count_responses", queueing_lock="count_responses")
def count_responses(timestamp: int) -> None:
    """Count how customers and offers were answered up to a week ago."""
    customers, offers = response.count_responses(now=datetime.now(UTC))
    _log.info("responses_counted", customers=customers, offers=offers)


@app.periodic(cron="11 1 * * 1", periodic_id="train_response")
@app.task(name="offers.train_response", queueing_lock="train_response")
def learn_response(timestamp: int) -> None:
    """Learn from the exposures of the last months what a push changes."""
    response.train_response(now=datetime.now(UTC))


@app.periodic(cron="47 3 * * *", periodic_id="remove_old_jobs")
@app.task(name="offers.remove_old_jobs", queueing_lock="remove_old_jobs", pass_context=True)
async def remove_old_jobs(context: JobContext, timestamp: int) -> None:
    """Forget jobs that ended days ago, whatever their end."""
    await builtin_tasks.remove_old_jobs(
        context, max_hours=JOBS_KEPT_H, remove_failed=True, remove_cancelled=True, remove_aborted=True
    )
