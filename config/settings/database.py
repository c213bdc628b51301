"""PostgreSQL with PostGIS, its time limits, and where GEOS and GDAL are found."""

import importlib.util
import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import ENVIRONMENT

# A page read at random costs little more than the next one on solid-state disks, and compiling a plan costs more
# than running any of ours.
PLANNER = {
    "random_page_cost": "1.1",
    "jit": "off",
    # Only the hot path's statements are prepared (offers.cursors). They look up by keys in arrays, so a plan made once
    # is as good as one made for each batch.
    "plan_cache_mode": "force_generic_plan",
}


def _bundled_library(*, package: str, pattern: str) -> str | None:
    """Return the path of a C library that a wheel brought along; None where the wheel has none (then the system's)."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    for folder in (home.parent / f"{package}.libs", home / ".dylibs"):
        for found in sorted(folder.glob(pattern)):
            return str(found)
    return None


def _time_limit_ms(*, name: str, default: int) -> int:
    given = os.environ.get(name) or str(default)
    if not given.isdigit():
        raise ImproperlyConfigured(f"{name} must be a whole number of milliseconds, 0 for no limit.")
    return int(given)


def _options() -> dict[str, Any]:
    """Return the driver's options: what DATABASE_URL says, with our time limits, which it may overrule."""
    options = dict(ENVIRONMENT.database.get("OPTIONS", {}))
    limits = {
        "statement_timeout": _time_limit_ms(name="DATABASE_STATEMENT_TIMEOUT_MS", default=30_000),
        "lock_timeout": _time_limit_ms(name="DATABASE_LOCK_TIMEOUT_MS", default=5_000),
        "idle_in_transaction_session_timeout": _time_limit_ms(
            name="DATABASE_IDLE_TIMEOUT_MS", default=60_000
        ),
    }
    ours = [f"-c {name}={limit}" for name, limit in {**limits, **PLANNER}.items() if limit]
    options["options"] = " ".join([*ours, str(options.get("options", ""))]).strip()
    if not options["options"]:
        del options["options"]  # PgBouncer refuses the parameter itself
    options.setdefault("connect_timeout", 5)
    # Only what asks for it is prepared (offers.cursors): a threshold that no other statement reaches.
    options.setdefault("prepare_threshold", 1_000_000)
    if ENVIRONMENT.database_pool:
        # Under ASGI each request runs in a thread of its own, so only a pool keeps connections alive between requests.
        options["pool"] = {"min_size": 1, "max_size": ENVIRONMENT.database_pool, "timeout": 10}
    return options


GEOS_LIBRARY_PATH = _bundled_library(package="shapely", pattern="libgeos_c*")
GDAL_LIBRARY_PATH = _bundled_library(package="pyogrio", pattern="libgdal*")

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **ENVIRONMENT.database,
        "OPTIONS": _options(),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
