"""Bring what the legal guard knows of every offer up to date, and list what it finds."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from offers.legal_texts import finding_texts
from offers.models import Offer
from offers.operations.legal import house_rules, refresh_legal
from offers.rules.legal import check


class Command(BaseCommand):
    help = "Look at every offer with the legal rules of today; list what forbids it, or could not be checked."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--language", choices=("fr", "en"), default="en")

    def handle(self, *args: Any, language: str, **options: Any) -> None:
        now, rules = timezone.now(), house_rules()
        facts = refresh_legal(now=now)
        offers = Offer.objects.in_bulk(list(facts))
        forbidden = 0
        for offer_id, known in facts.items():
            findings = check(known, rules=rules, now=now)
            forbidden += any(finding.forbids for finding in findings)
            for finding in findings:
                sign = "!" if finding.forbids else "?"
                texts = finding_texts(finding, currency=offers[offer_id].currency)
                self.stdout.write(f"{sign} {offers[offer_id].ref}: {texts[language]}")
        self.stdout.write(f"{len(facts)} offers looked at, {forbidden} forbidden")
