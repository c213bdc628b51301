"""A new version of the response model, or an older one put to use again: `manage.py train_response`."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from offers.models import ResponseModel
from offers.operations.response import count_responses, train_response, use_response_model


class Command(BaseCommand):
    help = "Learn from exposures and hold-outs what a push changes (docs/algorithms/response.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--use", type=int, metavar="VERSION", help="put this version to use instead; 0: nothing learned"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["use"] is not None:
            self._use(options["use"])
            return
        now = datetime.now(UTC)
        customers, offers = count_responses(now=now)
        self.stdout.write(f"Counted the responses of {customers} customers, to {offers} offers.")
        learned = train_response(now=now)
        if learned is None:
            self.stdout.write("Too few exposures to learn from; the model in use stays.")
            return
        word = "in use now" if learned.is_better else "kept, not used: the one in use tells the latest better"
        self.stdout.write(
            f"Version {learned.model.version} from {learned.exposures} exposures, {word}"
            f" (log-loss {learned.log_loss:.4f}, before {learned.log_loss_before:.4f})."
        )

    def _use(self, version: int) -> None:
        try:
            use_response_model(version=version)
        except ResponseModel.DoesNotExist:
            raise CommandError(f"There is no version {version}.") from None
        self.stdout.write(f"Version {version} is in use now.")
