"""The channel layer between processes: PostgreSQL by default, Redis where REDIS_URL is set."""

import importlib.util
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg import pq
from psycopg_pool import AsyncConnectionPool

from config.settings.base import ENVIRONMENT
from config.settings.database import DATABASES


def _redis_layer() -> dict[str, Any]:
    if importlib.util.find_spec("channels_redis") is None:
        raise ImproperlyConfigured("REDIS_URL needs the package channels-redis: pip install 'rayon[redis]'.")
    # The pub/sub layer, since the other one blocks longer than redis-py 8 waits for an answer.
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [ENVIRONMENT.redis_url]},
    }


def _postgres_layer() -> dict[str, Any]:
    database = DATABASES["default"]
    # Its pool takes what libpq knows, and none of the driver's own options; our time limits are for statements of ours.
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} - {"options"}
    options = {name: value for name, value in database["OPTIONS"].items() if name in known}
    empty = {"NAME": "", "USER": "", "PASSWORD": "", "HOST": "", "PORT": ""}
    # Few messages pass, so each connection may be looked at before it is used: a restart of the server costs none.
    pool = {"min_size": 1, "max_size": 4, "check": AsyncConnectionPool.check_connection}
    return {
        "BACKEND": "channels_postgres.core.PostgresChannelLayer",
        "CONFIG": {**empty, **database, "OPTIONS": options, "TIME_ZONE": None, "PSYCOPG_OPTIONS": pool},
    }


CHANNEL_LAYERS = {"default": _redis_layer() if ENVIRONMENT.redis_url else _postgres_layer()}
