"""What another rule would have earned on logged decisions: `manage.py evaluate_policy`."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from offers.models import ResponseModel
from offers.operations.policies import judge_policy, model_of
from offers.rules.off_policy import Estimate, Estimates, Logged, estimates


class Command(BaseCommand):
    help = "Estimate off-policy what choosing by another response model would have earned (docs/algorithms/exploration.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--model",
            type=int,
            metavar="VERSION",
            help="of the response model (the one in use); 0: nothing learned",
        )
        parser.add_argument("--days", type=int, default=90, help="of decisions, back from now (90)")
        parser.add_argument(
            "--log",
            type=Path,
            help='judge this log instead: JSON lines {"chosen", "reward", "logged": {choice: chance},'
            ' "new": {choice: chance}, "expected": {choice: reward}}',
        )
        parser.add_argument("--json", type=Path, help="write the figures here, too")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found, unusable = _judged(options)
        except (ValueError, KeyError, ResponseModel.DoesNotExist) as error:
            raise CommandError(f"Nothing can be judged: {error}.") from None
        for line in _report(found):
            self.stdout.write(line)
        if unusable:
            self.stdout.write(f"{unusable} decisions had no propensity and were left out.")
        if options["json"]:
            options["json"].write_text(json.dumps(asdict(found), indent=2) + "\n")


def _judged(options: dict[str, Any]) -> tuple[Estimates, int]:
    if options["log"]:
        return estimates(
            [_line(json.loads(line)) for line in options["log"].read_text().splitlines() if line]
        ), 0
    now = datetime.now(UTC)
    judged = judge_policy(
        model=model_of(version=options["model"]), since=now - timedelta(days=options["days"]), now=now
    )
    return judged.estimates, judged.without_propensity


def _line(kept: dict[str, Any]) -> Logged:
    chosen, new, expected = kept["chosen"], kept["new"], kept.get("expected", {})
    return Logged(
        reward=float(kept["reward"]),
        behaviour=float(kept["logged"][chosen]),
        target=float(new.get(chosen, 0.0)),
        expected=float(expected.get(chosen, 0.0)),
        expected_under_target=sum(
            chance * float(expected.get(choice, 0.0)) for choice, chance in new.items()
        ),
    )


def _report(found: Estimates) -> list[str]:
    def line(name: str, one: Estimate) -> str:
        return f"{name:<22}  {one.value:8.4f}  [{one.low:.4f}, {one.high:.4f}]"

    return [
        f"{'decisions':<22}  {found.decisions:8}  worth {found.ess:.1f} of the new rule's own",
        f"{'earned as logged':<22}  {found.logged_mean:8.4f}",
        line("the new rule: IPS", found.ips),
        line("SNIPS", found.snips),
        line("doubly robust", found.dr),
        f"{'the model alone':<22}  {found.dm:8.4f}",
    ]
