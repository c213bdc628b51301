"""`manage.py demo`: the demo's data, log-ins and API key; docs/demo-data.md."""

import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from offers.demo.files import weeks_to_shift
from offers.demo.load import DemoRefused, steps
from offers.demo.logins import FILE_NAME, ROLES, ensure_logins, logins_stand, read_logins
from offers.demo.stamp import is_loaded, keep, stamp_of
from offers.imports.command import SHOWN_AFTER_S
from offers.imports.files import OpenFile

T = TypeVar("T")
WIDTH = 12


class Command(BaseCommand):
    help = "Load the demo: real shops, products and households; log-ins and an API key. A second time does nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--logins", action="store_true", help="print the log-ins and the API key")
        parser.add_argument("--again", action="store_true", help="load it again, though it is there")

    def handle(self, *args: object, **options: Any) -> None:
        if not (settings.DEMO or settings.DEBUG):
            raise CommandError(
                "The demo is not for production: set DEMO=1 (or DEBUG=1) where it may be loaded."
            )
        if options["logins"]:
            self._print_logins()
            return
        try:
            self._load(again=options["again"])
        except DemoRefused as error:
            raise CommandError(f"The demo's data was refused. {error}") from error

    def _load(self, *, again: bool) -> None:
        started = time.monotonic()
        now = timezone.now()
        stamp = stamp_of(weeks=weeks_to_shift(now=now))
        if is_loaded(stamp) and logins_stand(home=settings.RAYON_HOME) and not again:
            self._line("demo", "loaded before, nothing to do", started)
            return
        self._step("log-ins", self._ensure_logins)
        for name, do in steps(now=now, watch=self._watch):
            self._step(name, do)
        keep(stamp, username=next(iter(ROLES)))
        self._line("demo", "loaded", started)

    def _ensure_logins(self) -> str:
        try:
            logins = ensure_logins(home=settings.RAYON_HOME)
        except OSError as error:
            raise CommandError(f"{settings.RAYON_HOME} cannot be written to: {error.strerror}.") from error
        return f"{', '.join(logins.passwords)}, and an API key"

    def _step(self, name: str, do: Callable[[], str]) -> None:
        started = time.monotonic()
        self._line(name, do(), started)

    def _line(self, name: str, done: str, started: float) -> None:
        self.stdout.write(f"{name:<{WIDTH}} {done:<70} {time.monotonic() - started:5.1f} s")
        self.stdout.flush()

    def _watch(self, file: OpenFile, entries: Iterator[T]) -> Iterator[T]:
        return iter(
            tqdm(
                entries, desc=file.path.name, delay=SHOWN_AFTER_S, disable=None, leave=False, file=self.stderr
            )
        )

    def _print_logins(self) -> None:
        logins = read_logins(home=settings.RAYON_HOME)
        if logins is None:
            raise CommandError("There are no demo log-ins yet: run `manage.py demo` first.")
        for username, password in logins.passwords.items():
            self.stdout.write(f"  {ROLES.get(username, username):<15} {username:<10} {password}")
        self.stdout.write(f"  {'API key':<15} {logins.api_key}")
        self.stdout.write(f"  ({settings.RAYON_HOME / FILE_NAME})")
