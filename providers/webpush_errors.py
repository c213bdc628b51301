"""The refusals of push services, as Mozilla, Google and Apple word them.

Source: RFC 8030, RFC 8292; mozilla-services/autopush-rs, docs/src/errors.md (errno); answers quoted in
web-push-libs/webpush-java issue 212 (Google), Minishlink/web-push-php-example issue 38 (Mozilla),
web-push-libs/web-push issue 947 (Apple).
"""

import json
from dataclasses import dataclass


@dataclass(eq=False)
class PushRefusal(Exception):
    """A push service's answer to a message it does not take."""

    code: str  # key of CATALOGUE, or HTTP_<status> for an answer that is nobody's in particular
    status: int  # HTTP status
    content: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue."""

    status: int  # HTTP status
    content: bytes
    content_type: str = "application/json"


def _mozilla(status: int, errno: int, error: str, message: str) -> Kind:
    body = {"code": status, "errno": errno, "error": error, "message": message}
    return Kind(status, json.dumps(body).encode())


def _in_words(status: int, text: str) -> Kind:
    return Kind(status, f"{text}\n".encode(), "text/plain; charset=utf-8")


def _apple(status: int, reason: str) -> Kind:
    return Kind(status, json.dumps({"reason": reason}).encode())


# Keyed by the name a script uses. UNDECRYPTABLE is this server's own: a real one cannot look inside.
CATALOGUE = {
    "NO_TTL": _mozilla(400, 111, "Bad Request", "Missing TTL header"),
    "BAD_TTL": _mozilla(400, 112, "Bad Request", "Invalid TTL header value"),
    "BAD_TOPIC": _mozilla(400, 113, "Bad Request", "Invalid Topic header value"),
    "BAD_URGENCY": _in_words(400, "Urgency is very-low, low, normal or high"),
    "BAD_ENCODING": _mozilla(400, 110, "Bad Request", "Unknown Content-Encoding"),
    "UNDECRYPTABLE": _in_words(400, "the browser could not read this"),
    "NO_VAPID": _mozilla(401, 109, "Unauthorized", "Missing Authorization Header"),
    "BAD_VAPID": _mozilla(401, 109, "Unauthorized", "Invalid Authorization Header"),
    "VAPID_REFUSED": _in_words(403, "permission denied: invalid JWT provided"),
    "BAD_JWT_APPLE": _apple(403, "BadJwtToken"),
    "UNAUTHORIZED_REGISTRATION": _in_words(400, "UnauthorizedRegistration"),
    "KEY_MISMATCH": _mozilla(401, 109, "Unauthorized", "VAPID public key mismatch"),
    "KEY_MISMATCH_GOOGLE": _in_words(
        403,
        "the VAPID credentials in the authorization header do not correspond to the credentials used to create "
        "the subscriptions.",
    ),
    "KEY_MISMATCH_APPLE": _apple(400, "VapidPkHashMismatch"),
    "NOT_FOUND": _mozilla(404, 102, "Not Found", "Invalid endpoint"),
    "GONE": _mozilla(410, 106, "Gone", "Subscription is no longer valid"),
    "TOO_LARGE": _mozilla(413, 104, "Payload Too Large", "Data is too large"),
    "TOO_MANY": _mozilla(429, 201, "Too Many Requests", "Use exponential back-off for retries"),
    "INTERNAL": _mozilla(500, 999, "Internal Server Error", "Unknown error"),
    "UNAVAILABLE": _mozilla(503, 201, "Service Unavailable", "Use exponential back-off for retries"),
}
CODE_FOR_STATUS = {
    401: "BAD_VAPID",
    403: "VAPID_REFUSED",
    404: "NOT_FOUND",
    410: "GONE",
    413: "TOO_LARGE",
    429: "TOO_MANY",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def push_refusal(code: str, *, status: int | None = None) -> PushRefusal:
    """Return the refusal for a code of the catalogue; raises KeyError."""
    kind = CATALOGUE[code]
    return PushRefusal(
        code=code, status=status or kind.status, content=kind.content, content_type=kind.content_type
    )


def other_refusal(status: int) -> PushRefusal:
    """Return an answer that is nobody's in particular: a status and no body."""
    return PushRefusal(code=f"HTTP_{status}", status=status)
