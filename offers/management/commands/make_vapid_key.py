"""Make the key that push services know us by: `manage.py make_vapid_key FILE`."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management.base import BaseCommand, CommandError

from offers.gateways.credentials import BadCredentialsFile
from offers.gateways.webpush_vapid import load_key, public_key_text


class Command(BaseCommand):
    help = (
        "Make a VAPID key for Web Push in FILE, readable by its owner alone. The last line of output is the public "
        "key, which browsers subscribe with (applicationServerKey)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where the private key is kept, PEM")
        parser.add_argument(
            "--public", action="store_true", help="show the public key of a FILE that is there; make none"
        )

    def handle(self, *args: Any, file: Path, public: bool, **options: Any) -> None:
        if public:
            try:
                self.stdout.write(public_key_text(load_key(file)))
            except BadCredentialsFile as error:
                raise CommandError(str(error)) from error
            return
        key = ec.generate_private_key(ec.SECP256R1())
        _write(file, key)
        self.stdout.write(
            f"The private key is in {file}: name it in WEBPUSH_VAPID_KEY_FILE, and keep a copy."
        )
        self.stdout.write("Browsers subscribe with this public key:")
        self.stdout.write(public_key_text(key))


def _write(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        # Never over an existing one: whoever subscribed with that key can be reached with no other.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise CommandError(f"{file} is there already; --public shows its public key.") from error
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(pem)
