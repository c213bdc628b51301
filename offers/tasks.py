"""Jobs by the clock; `manage.py procrastinate worker` runs them, however many workers there are, once each."""

from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from procrastinate.contrib.django import app

from offers.operations import retention

POSITIONS_BACK = timedelta(days=2)  # the daily purge looks at what is older and was missed

_log = structlog.get_logger(__name__)


@app.periodic(cron="* * * * *", periodic_id="expire_coupons")
@app.task(name="offers.expire_coupons", lock="expire_coupons", queueing_lock="expire_coupons")
def expire_coupons(timestamp: int) -> None:
    """End coupons whose time is over, so that their units can be given to others."""
    retention.expire_coupons(now=datetime.now(UTC))


@app.periodic(cron="5 * * * *", periodic_id="null_positions")
@app.task(name="offers.null_positions", lock="null_positions", queueing_lock="null_positions")
def null_positions(timestamp: int) -> None:
    """Forget where phones were, every hour, so that no position outlives its period by more than that."""
    retention.null_positions(now=datetime.now(UTC), params=settings.RAYON, back=POSITIONS_BACK)


@app.periodic(cron="17 3 * * *", periodic_id="purge")
@app.task(name="offers.purge", lock="purge", queueing_lock="purge")
def purge(timestamp: int) -> None:
    """Forget all that is over."""
    done = retention.purge(now=datetime.now(UTC), params=settings.RAYON)
    _log.info("purged", **done)
