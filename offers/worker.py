"""The delivery worker: loops that do what is due, then sleep until there is more; nothing but a signal ends them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import psycopg
import structlog
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection

from offers.wakeups import Listener, Stop

IDLE_S = 30.0  # what a lost notification costs at most
BUSY_S = 0.25  # the shortest, when what is due is in another worker's hands
RECONNECT_S = (0.5, 1.0, 2.0, 4.0, 8.0)

_log = structlog.get_logger(__name__)


def is_database_away(error: Exception) -> bool:
    """Whether the database could not be asked, rather than refused what it was asked."""
    return isinstance(
        error, (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One kind of work, in one thread, with connections of its own."""

    name: str
    work: Callable[[], int]  # does one batch; returns 0 when nothing more was due
    next_due: Callable[[], datetime | None]
    clock: Callable[[], datetime]
    channels: tuple[str, ...] = ()  # whose notifications end a sleep
    idle_s: float = IDLE_S  # the longest sleep

    def run(self, *, stop: Stop) -> None:
        """Work until told to stop. The batch in hand is finished; trouble is logged, and tried again later."""
        listener = Listener(channels=self.channels)
        failures = 0
        while not stop.is_told():
            try:
                listener.connect()
                while not stop.is_told() and self.work():
                    failures = 0
                if not stop.is_told():
                    listener.sleep(self._rest_s(), stop=stop)
                failures = 0
            except (DatabaseError, psycopg.Error) as error:
                _log.warning("worker_without_database", loop=self.name, error=type(error).__name__)
                failures = self._recover(listener, failures=failures, stop=stop)
            # A defect must not end the loop: other batches may be well, and what this one holds is leased anew.
            except Exception:
                _log.exception("worker_defect", loop=self.name)
                failures = self._recover(listener, failures=failures, stop=stop)
        self._close(listener)

    def run_once(self) -> None:
        """Do all that is due now, and return."""
        while self.work():
            pass

    def _rest_s(self) -> float:
        due = self.next_due()
        if due is None:
            return self.idle_s
        return min(max((due - self.clock()).total_seconds(), BUSY_S), self.idle_s)

    def _recover(self, listener: Listener, *, failures: int, stop: Stop) -> int:
        self._close(listener)
        stop.wait(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
        return failures + 1

    def _close(self, listener: Listener) -> None:
        with suppress(DatabaseError, psycopg.Error):
            listener.close()
        with suppress(DatabaseError, psycopg.Error):
            connection.close()
