"""What every test stands on: no network beyond this machine, a fixed instant, and a counter of queries."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import settings
from pytest_django.plugin import DjangoDbBlocker
from pytest_socket import enable_socket, socket_allow_hosts

from tests import emptying
from tests.template_database import ensure_template

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("rayon", deadline=None)
settings.load_profile("rayon")
emptying.install()


def pytest_runtest_setup() -> None:
    """Allow sockets to this machine only: a Unix socket's path, or the loopback address."""
    enable_socket()
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Let Django copy its test database from the migrated template."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = ensure_template()


@pytest.fixture
def now() -> datetime:
    """A Wednesday morning, in summer time, in Paris: 2026-06-17 10:00 there."""
    return datetime(2026, 6, 17, 8, 0, tzinfo=UTC)


@pytest.fixture
def count_queries() -> Callable[[], AbstractContextManager[CaptureQueriesContext]]:
    """Return a context manager whose value counts: `with count_queries() as seen: ...; assert len(seen) == 4`."""

    @contextmanager
    def counting() -> Iterator[CaptureQueriesContext]:
        with CaptureQueriesContext(connection) as seen:
            yield seen

    return counting
