"""What a push service takes: headers, sizes, and who sends.

Source: RFC 8030 (sections 5.2 to 5.4 and 7.2), RFC 8188, RFC 8292.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from .http import Request
from .webpush_errors import push_refusal
from .webpush_subscriptions import MAX_TTL_S, Browser, decode, public_key

MAX_BODY_BYTES = 4096
MAX_VAPID_S = 24 * 3600
URGENCIES = ("very-low", "low", "normal", "high")

_TTL = re.compile(r"[0-9]{1,12}")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_VAPID = re.compile(r"vapid (.+)", re.IGNORECASE)
_SUBJECT = re.compile(r"mailto:.+@.+|https://.+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a message is to be kept."""

    ttl_s: int
    topic: str | None
    urgency: str


def check_headers(request: Request) -> Wanted:
    """Return what the headers ask for; raises PushRefusal."""
    headers = request.headers
    ttl = headers.get("ttl")
    if ttl is None:
        raise push_refusal("NO_TTL")
    if not _TTL.fullmatch(ttl):
        raise push_refusal("BAD_TTL")
    topic = headers.get("topic")
    if topic is not None and not _TOPIC.fullmatch(topic):
        raise push_refusal("BAD_TOPIC")
    urgency = headers.get("urgency", "normal")
    if urgency not in URGENCIES:
        raise push_refusal("BAD_URGENCY")
    if headers.get("content-encoding") != "aes128gcm":
        raise push_refusal("BAD_ENCODING")
    if len(request.body) > MAX_BODY_BYTES:
        raise push_refusal("TOO_LARGE")
    return Wanted(ttl_s=min(int(ttl), MAX_TTL_S), topic=topic, urgency=urgency)


def check_sender(request: Request, browser: Browser, *, origin: str) -> dict[str, Any]:
    """Return the claims of whoever sends, `k` among them; raises PushRefusal.

    The token has to be signed by the key beside it, for this origin, for at most 24 hours, with somebody to complain
    to; and the key has to be the one the browser subscribed for, if it named one.
    """
    authorization = request.headers.get("authorization")
    if authorization is None:
        raise push_refusal("NO_VAPID")
    parameters = _parameters(authorization)
    claims = _claims(parameters, origin=origin)
    if claims["exp"] - time.time() > MAX_VAPID_S or not _SUBJECT.fullmatch(str(claims["sub"])):
        raise push_refusal("BAD_VAPID")
    if browser.server_key is not None and decode(browser.server_key) != decode(parameters["k"]):
        raise push_refusal("KEY_MISMATCH")
    return {**claims, "k": parameters["k"]}


def _parameters(authorization: str) -> Mapping[str, str]:
    scheme = _VAPID.fullmatch(authorization)
    if scheme is None:
        raise push_refusal("BAD_VAPID")
    pairs = (part.strip().partition("=") for part in scheme[1].split(","))
    parameters = {name: value for name, _, value in pairs}
    if set(parameters) != {"t", "k"}:
        raise push_refusal("BAD_VAPID")
    return parameters


def _claims(parameters: Mapping[str, str], *, origin: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            parameters["t"],
            public_key(parameters["k"]),
            algorithms=["ES256"],
            audience=origin,
            options={"require": ["aud", "exp", "sub"]},
        )
    except (jwt.InvalidTokenError, ValueError) as error:
        raise push_refusal("BAD_VAPID") from error
    return claims
