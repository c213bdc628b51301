"""Forget what is over now: `manage.py purge`. The daily job does the same."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from offers.operations.retention import purge


class Command(BaseCommand):
    help = "Forget what the retention periods (RAYON_*_RETENTION_*) say is over, and expire coupons."

    def handle(self, *args: Any, **options: Any) -> None:
        for kind, rows in purge(now=timezone.now(), params=settings.RAYON).items():
            self.stdout.write(f"{kind}: {rows}")
