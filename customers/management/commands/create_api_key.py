"""Make an API key for a till or back office."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers.models import ApiKey, Scope
from customers.rules.refs import is_ref

MAX_NAME_CHARS = 50


class Command(BaseCommand):
    help = "Make an API key; its last line of output is the key alone, which is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="whose key it is")
        parser.add_argument(
            "--scope", action="append", required=True, choices=Scope.values, help="may be repeated"
        )
        parser.add_argument("--store", action="append", default=[], help="the only stores it may touch")

    def handle(self, *args: Any, **options: Any) -> None:
        name, stores = options["name"].strip(), options["store"]
        if not 1 <= len(name) <= MAX_NAME_CHARS:
            raise CommandError(f"--name must be 1 to {MAX_NAME_CHARS} characters.")
        if not all(is_ref(store) for store in stores):
            raise CommandError("--store must be a store's ref.")
        scopes, stores = list(dict.fromkeys(options["scope"])), list(dict.fromkeys(stores))
        made, key = ApiKey.objects.create_key(name=name, scopes=scopes, store_refs=stores)
        where = ", ".join(stores) or "every store"
        self.stdout.write(f"API key {made.prefix} of {made.name}: {', '.join(scopes)}; {where}.")
        self.stdout.write(key)
