"""`manage.py simulate`: what would be decided along a path; docs/decisions/0015-simulation.md."""

import json
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from customers.api.instants import parse_instant
from customers.api.problems import Problem
from offers.api.events.parsing import events_of
from offers.api.serializers.simulations import steps_of
from offers.simulation.telling import told
from offers.simulation.values import DraftRefused, SimulationTooLong, Step, UnknownSimulated, Walk
from offers.simulation.walking import simulate


class Command(BaseCommand):
    help = (
        "Walk one customer, or two side by side, along a path at any time of the clock. Nothing of it stays."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--customer", action="append", required=True, help="ref; twice for two side by side"
        )
        parser.add_argument("--path", required=True, help='JSON file: {"events": […]} as for /v1/events')
        parser.add_argument("--at", default="", help="when the walk begins, RFC 3339; now without it")
        parser.add_argument(
            "--offer",
            action="append",
            default=[],
            help="ref of a draft that is live for this once; may be repeated",
        )
        parser.add_argument("--language", choices=("fr", "en"), default="en")

    def handle(self, *args: object, **options: Any) -> None:
        customers = tuple(dict.fromkeys(options["customer"]))
        if len(customers) > 2:
            raise CommandError("One customer, or two side by side.")
        walk = Walk(
            customers=customers,
            path=_path(Path(options["path"])),
            now=_instant(options["at"]) if options["at"] else timezone.now(),
            offers=tuple(options["offer"]),
        )
        try:
            simulated = simulate(walk, params=settings.RAYON)
        except UnknownSimulated as error:
            raise CommandError(f"{error.field}: {error.code}") from None
        except DraftRefused as error:
            said = [wrong.message for wrong in error.refused.wrongs]
            raise CommandError(
                f"{walk.offers[error.index]}: {error.refused.code}. {' '.join(said)}"
            ) from None
        except SimulationTooLong:
            raise CommandError("The simulation took too long: give it fewer events.") from None
        zone = ZoneInfo(settings.STAFF_TIME_ZONE)
        for line in told(simulated, language=options["language"], time_zone=zone):
            self.stdout.write(line)


def _path(file: Path) -> tuple[Step, ...]:
    try:
        raw_events = events_of(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read: {type(error).__name__}.") from None
    except Problem as problem:
        raise CommandError(f"{file} must hold an object with 1 to 500 events: {problem.code}.") from None
    return steps_of(raw_events)


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:
        raise CommandError("--at wants a time with an offset, such as 2026-11-22T22:30:00+01:00.") from None
