"""`manage.py story`: the story of the yoghurt, played against a running service; docs/demo-data.md."""

from argparse import ArgumentParser
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from offers.demo.callers import TIMEOUT_S, Provider, Service, StoryFailed
from offers.demo.logins import read_logins
from offers.demo.story import tell_story
from offers.demo.telling import Teller, Tone


class Command(BaseCommand):
    help = "Tell the story of the yoghurt through the HTTP API; exit code 1 if it goes another way."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--base-url", required=True, help="of the running service")
        parser.add_argument(
            "--provider-url",
            default=settings.PROVIDERS.fcm.base_url,
            help="of the local push provider (FCM_BASE_URL), or of the page of all local providers",
        )

    def handle(self, *args: object, **options: Any) -> None:
        logins = read_logins(home=settings.RAYON_HOME)
        if logins is None:
            raise CommandError("There is no demo API key yet: run `manage.py demo` first.")
        # Both are on this machine as a rule: a proxy of the environment would only be in the way.
        with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as http:
            try:
                tell_story(
                    service=Service(http=http, base_url=options["base_url"], api_key=logins.api_key),
                    provider=Provider(http=http, base_url=options["provider_url"]),
                    teller=Teller(write=self._write),
                    now=timezone.now,
                )
            except StoryFailed as error:
                raise CommandError(str(error)) from error

    def _write(self, line: str, tone: Tone) -> None:
        styles = {
            "title": self.style.MIGRATE_HEADING,
            "good": self.style.SUCCESS,
            "quiet": self.style.HTTP_INFO,
        }
        style = styles.get(tone)
        self.stdout.write(style(line) if style and line and self.stdout.isatty() else line)
