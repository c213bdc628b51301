"""Encryption for one browser, and the key that push services know us by."""

import base64
import json
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.core.management import CommandError, call_command

from offers.gateways.credentials import BadCredentialsFile
from offers.gateways.webpush_crypto import (
    MAX_BODY_BYTES,
    MAX_TEXT_BYTES,
    BadSubscription,
    Subscription,
    encrypted,
)
from offers.gateways.webpush_vapid import (
    EARLY_S,
    FRESH_S,
    LIFETIME_S,
    MAX_ORIGINS,
    Vapid,
    is_subject,
    load_key,
    public_key_text,
)

# RFC 8291, section 5.
TEXT = b"When I grow up, I want to be a watermelon"
RECEIVER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SENDER_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
SUBSCRIPTION = {"endpoint": "https://fcm.googleapis.com/wp/x", "p256dh": RECEIVER, "auth": AUTH}
ORIGIN = "https://fcm.googleapis.com"


def raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def subscription(**changes: Any) -> Subscription:
    return Subscription.from_token(json.dumps({**SUBSCRIPTION, **changes}))


def test_the_example_of_rfc_8291_comes_out_to_the_byte() -> None:
    sender = ec.derive_private_key(int.from_bytes(raw(SENDER_PRIVATE), "big"), ec.SECP256R1())

    body = encrypted(TEXT, to=subscription(), salt=raw(SALT), private_key=sender)

    assert body == raw(BODY)


def test_the_longest_text_fills_a_message_and_no_two_are_alike() -> None:
    browser = ec.generate_private_key(ec.SECP256R1())
    point = browser.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    to = subscription(p256dh=base64.urlsafe_b64encode(point).decode())
    text = b"x" * MAX_TEXT_BYTES

    first, second = encrypted(text, to=to), encrypted(text, to=to)

    assert len(first) == len(second) == MAX_BODY_BYTES
    assert first[:16] != second[:16] and first[21:86] != second[21:86]  # salt and sender's key
    for body in (first, second):
        assert http_ece.decrypt(body, private_key=browser, auth_secret=raw(AUTH)) == text


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "SUBSCRIPTION_MALFORMED"),
        ("phone:1", "SUBSCRIPTION_MALFORMED"),
        ("[" * 50_000, "SUBSCRIPTION_MALFORMED"),
        ("[]", "SUBSCRIPTION_MALFORMED"),
        ("{}", "SUBSCRIPTION_MALFORMED"),
        (json.dumps({**SUBSCRIPTION, "auth": None}), "SUBSCRIPTION_MALFORMED"),
        (json.dumps({**SUBSCRIPTION, "endpoint": 7}), "SUBSCRIPTION_MALFORMED"),
        (json.dumps({**SUBSCRIPTION, "auth": "AAAA"}), "SUBSCRIPTION_KEYS_INVALID"),
        (json.dumps({**SUBSCRIPTION, "auth": "é" * 22}), "SUBSCRIPTION_KEYS_INVALID"),
        (json.dumps({**SUBSCRIPTION, "p256dh": RECEIVER[:-2]}), "SUBSCRIPTION_KEYS_INVALID"),
        (
            json.dumps({**SUBSCRIPTION, "p256dh": "BA" + "A" * 85}),
            "SUBSCRIPTION_KEYS_INVALID",
        ),  # not on the curve
    ],
)
def test_a_token_that_is_no_subscription_is_refused_by_name(token: str, code: str) -> None:
    with pytest.raises(BadSubscription) as caught:
        Subscription.from_token(token)
    assert caught.value.code == code


def test_a_subscription_does_not_show_what_is_secret() -> None:
    assert repr(subscription()) == "Subscription()"


@pytest.fixture
def moment() -> list[float]:
    return [1_800_000_000.0]


@pytest.fixture
def vapid(moment: list[float]) -> Vapid:
    key = ec.generate_private_key(ec.SECP256R1())
    return Vapid(key=key, subject="mailto:push@example.org", clock=lambda: moment[0])


def claims_of(vapid: Vapid, header: str) -> dict[str, Any]:
    scheme, _, parameters = header.partition(" ")
    token, key = parameters.split(",")
    assert (scheme, key) == ("vapid", "k=" + public_key_text(vapid.key))
    options = {"verify_exp": False}
    claims: dict[str, Any] = jwt.decode(
        token.removeprefix("t="), vapid.key.public_key(), ["ES256"], options, audience=ORIGIN
    )
    return claims


def test_the_word_for_a_push_service_says_who_for_whom_and_how_long(
    vapid: Vapid, moment: list[float]
) -> None:
    assert claims_of(vapid, vapid.header(ORIGIN)) == {
        "aud": ORIGIN,
        "exp": moment[0] + LIFETIME_S,
        "sub": "mailto:push@example.org",
    }
    assert LIFETIME_S <= 24 * 3600


def test_one_word_serves_each_push_service_until_it_is_nearly_over(vapid: Vapid, moment: list[float]) -> None:
    first, other = vapid.header(ORIGIN), vapid.header("https://web.push.apple.com")
    moment[0] += LIFETIME_S - EARLY_S - 1
    assert (vapid.header(ORIGIN), first == other) == (first, False)

    moment[0] += 1
    assert claims_of(vapid, vapid.header(ORIGIN))["exp"] == moment[0] + LIFETIME_S


def test_a_clock_that_was_set_back_makes_a_new_word(vapid: Vapid, moment: list[float]) -> None:
    vapid.header(ORIGIN)
    moment[0] -= 24 * 3600
    assert claims_of(vapid, vapid.header(ORIGIN))["exp"] == moment[0] + LIFETIME_S


def test_a_refused_word_is_replaced_only_if_it_was_old(vapid: Vapid, moment: list[float]) -> None:
    first = vapid.header(ORIGIN)
    assert vapid.renew(ORIGIN, refused=first) is False

    moment[0] += FRESH_S
    assert vapid.renew(ORIGIN, refused=first) is True
    second = vapid.header(ORIGIN)
    assert second != first
    assert vapid.renew(ORIGIN, refused=first) is True  # another has renewed it meanwhile
    assert vapid.header(ORIGIN) == second


def test_the_words_of_many_push_services_do_not_pile_up(vapid: Vapid) -> None:
    for number in range(MAX_ORIGINS + 10):
        vapid.header(f"https://wns{number}.notify.windows.com")
        vapid.header(ORIGIN)
    assert len(vapid._words) == MAX_ORIGINS
    assert ORIGIN in vapid._words


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("mailto:push@example.org", True),
        ("https://example.org/contact", True),
        ("https://example.org", True),
        ("", False),
        ("push@example.org", False),
        ("mailto:push", False),
        ("http://example.org", False),
        ("mailto:<push@example.org>", False),
    ],
)
def test_a_subject_is_a_mail_or_web_address(text: str, is_one: bool) -> None:
    assert is_subject(text) is is_one


def pem(key: Any, password: bytes | None = None) -> bytes:
    hidden: Any = serialization.NoEncryption()
    if password is not None:
        hidden = serialization.BestAvailableEncryption(password)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "No such file or directory"),
        (b"", "is not a private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is not a private key in PEM"),
        (pem(ec.generate_private_key(ec.SECP256R1()), b"secret"), "is not a private key in PEM"),
        (pem(rsa.generate_private_key(65537, 2048)), "is not a P-256 key"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "is not a P-256 key"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "is not a P-256 key"),
    ],
)
def test_a_file_without_a_p_256_key_is_refused_in_words(
    tmp_path: Path, content: bytes | None, text: str
) -> None:
    path = tmp_path / "vapid.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadCredentialsFile, match=f"vapid.pem.* {text}"):
        load_key(path)


def test_make_vapid_key_makes_a_key_for_its_owner_alone_and_prints_the_public_one(tmp_path: Path) -> None:
    path, out, again = tmp_path / "vapid.pem", StringIO(), StringIO()

    call_command("make_vapid_key", str(path), stdout=out)
    call_command("make_vapid_key", str(path), "--public", stdout=again)

    shown = out.getvalue().splitlines()[-1]
    assert shown == again.getvalue().strip() == public_key_text(load_key(path))
    assert (len(raw(shown)), raw(shown)[0]) == (65, 4)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_make_vapid_key_never_replaces_a_key(tmp_path: Path) -> None:
    path = tmp_path / "vapid.pem"
    path.write_text("precious")

    with pytest.raises(CommandError, match="is there already"):
        call_command("make_vapid_key", str(path))
    assert path.read_text() == "precious"


def test_make_vapid_key_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        call_command("make_vapid_key", str(tmp_path / "none" / "vapid.pem"))
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("make_vapid_key", str(tmp_path / "vapid.pem"), "--public")
