"""Our tokens for APNs: what they say, how long they serve, and when another is tried."""

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from offers.gateways.apns_tokens import ProviderTokens, SigningKey
from offers.gateways.credentials import BadCredentialsFile

START = 1_773_482_400.0
MINUTE = 60.0


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> ProviderTokens:
    key = ec.generate_private_key(ec.SECP256R1())
    return ProviderTokens(key=SigningKey(key=key, key_id="KEY0000001", team_id="TEAM000001"), clock=clock)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_a_token_names_key_team_and_time_and_is_signed(tokens: ProviderTokens) -> None:
    token = tokens.current()

    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": "KEY0000001", "typ": "JWT"}
    claims = jwt.decode(
        token, tokens.key.key.public_key(), algorithms=["ES256"], options={"verify_iat": False}
    )
    assert claims == {"iss": "TEAM000001", "iat": int(START)}


@pytest.mark.parametrize(
    ("after_s", "is_same"),
    [(0, True), (20 * MINUTE, True), (40 * MINUTE - 1, True), (40 * MINUTE, False), (-1, False)],
)
def test_a_token_serves_forty_minutes(
    tokens: ProviderTokens, clock: Clock, after_s: float, is_same: bool
) -> None:
    first = tokens.current()
    clock.at += after_s

    assert (tokens.current() == first) is is_same
    assert tokens.current() == tokens.current()


def test_many_who_hear_that_a_token_is_too_old_share_the_next_one(tokens: ProviderTokens) -> None:
    first = tokens.current()

    others = {tokens.instead_of(first) for _ in range(10)}

    assert others == {tokens.current()}
    assert first not in others


def test_a_fresh_token_that_is_called_too_old_is_replaced_once_in_twenty_minutes(
    tokens: ProviderTokens, clock: Clock
) -> None:
    second = tokens.instead_of(tokens.current())
    assert second is not None

    clock.at += 20 * MINUTE - 1
    assert tokens.instead_of(second) is None
    assert tokens.current() == second
    clock.at += 1
    assert tokens.instead_of(second) not in (None, second)


def test_a_key_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "AuthKey.p8"
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(pem(key))

    found = SigningKey.from_file(path, key_id="K", team_id="T")

    assert found.key.private_numbers() == key.private_numbers()


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"secret",
        b"-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n",
        pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        pem(ec.generate_private_key(ec.SECP384R1())),
    ],
    ids=["missing", "empty", "text", "torn", "rsa", "p384"],
)
def test_a_file_that_is_no_key_is_refused_without_quoting_it(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "AuthKey.p8"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(BadCredentialsFile, match="AuthKey.p8") as caught:
        SigningKey.from_file(path, key_id="K", team_id="T")
    assert "secret" not in str(caught.value)
