"""Log lines keep rows, codes and addresses to themselves."""

import logging
from types import SimpleNamespace

from django.db import IntegrityError

from config.logs import RouteInsteadOfPath, exceptions_without_rows


def _raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as caught:
        return caught


def test_a_database_error_is_logged_without_the_row_it_quotes() -> None:
    error = _raised(IntegrityError("Key (token)=(hush) exists"), ValueError("harmless"))
    event = exceptions_without_rows(None, "error", {"event": "x", "exc_info": error})
    assert "hush" not in str(event)
    assert event["exception"].endswith("IntegrityError")
    assert "ValueError: harmless" in event["exception"]
    assert "exc_info" not in event


def test_an_event_without_an_error_is_left_alone() -> None:
    assert exceptions_without_rows(None, "info", {"event": "x"}) == {"event": "x"}


def test_a_request_is_logged_by_its_route() -> None:
    record = logging.LogRecord(
        "django.request", logging.ERROR, "", 0, "Failed: %s", ("/v1/coupons/HUSH",), None
    )
    record.request = SimpleNamespace(resolver_match=SimpleNamespace(route="v1/coupons/<str:code>"))
    record.status_code = 500
    assert RouteInsteadOfPath().filter(record) is True
    assert record.getMessage() == "500 v1/coupons/<str:code>"
