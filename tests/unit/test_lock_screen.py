"""What stands on a lock screen."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from offers.gateways.lock_screen import shown_texts
from offers.gateways.port import PushMessage

NOW = datetime(2026, 3, 14, 10, 0, tzinfo=UTC)
MESSAGE = PushMessage(
    message_id="0190b6a4-5f6e-7d3a-8a54-3f1f5a0b9c11",
    platform="apns",
    token="t",
    title="Yaourts",
    body="Au rayon frais",
    expires_at=NOW,
    registered_at=NOW,
)


@pytest.mark.parametrize("language", ["fr", "en", "nl"])
def test_a_message_that_is_not_sensitive_shows_its_own_texts(language: str) -> None:
    assert shown_texts(replace(MESSAGE, language=language)) == ("Yaourts", "Au rayon frais")


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("fr", ("Une offre vous attend", "Ouvrez-la pour en savoir plus.")),
        ("fr-CA", ("Une offre vous attend", "Ouvrez-la pour en savoir plus.")),
        ("EN", ("An offer is waiting for you", "Open it to find out more.")),
        ("nl", ("Une offre vous attend", "Ouvrez-la pour en savoir plus.")),
        ("", ("Une offre vous attend", "Ouvrez-la pour en savoir plus.")),
    ],
)
def test_a_sensitive_one_shows_neutral_texts_in_its_language(language: str, texts: tuple[str, str]) -> None:
    assert shown_texts(replace(MESSAGE, language=language, is_sensitive=True)) == texts
