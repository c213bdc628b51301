"""What tests of Web Push share: a key, and the settings that lead to a local push service."""

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from offers.gateways.settings import WebPushSettings

SUBJECT = "mailto:push@example.org"


@cache
def key_pem() -> bytes:
    """Return the tests' VAPID key; one for all of them, so that a subscription may name it."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def key_file(directory: Path) -> Path:
    path = directory / "vapid.pem"
    path.write_bytes(key_pem())
    return path


def settings_to(*origins: str, key: Path) -> WebPushSettings:
    return WebPushSettings(dev_origins=origins, vapid_key_file=key, vapid_subject=SUBJECT)
