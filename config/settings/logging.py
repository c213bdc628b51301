"""Logs: one JSON object a line (sentences in colour while debugging), without addresses' queries or bodies."""

from typing import Any

import structlog

from config.logs import shared_processors
from config.settings.base import DEBUG

_final = structlog.dev.ConsoleRenderer() if DEBUG else structlog.processors.JSONRenderer(sort_keys=True)

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"route": {"()": "config.logs.RouteInsteadOfPath"}},
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _final],
            "foreign_pre_chain": shared_processors(),
        },
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["route"]},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"level": "ERROR"},  # a 4xx is an answer, not an incident
        "django.channels.server": {"level": "ERROR"},
        "uvicorn": {"handlers": [], "level": "INFO", "propagate": True},
        "uvicorn.error": {"level": "INFO"},
        "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
        "httpx": {"level": "WARNING"},  # its INFO lines carry whole addresses
        "procrastinate": {"level": "WARNING"},  # its INFO lines carry jobs' arguments
    },
}

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *shared_processors(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
