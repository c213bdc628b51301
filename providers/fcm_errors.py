"""The error answers of FCM HTTP v1, in the JSON shapes Google sends.

Source: firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, google.rpc.Status, google.rpc.BadRequest.
"""

from dataclasses import dataclass, field
from typing import Any

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"

INVALID_TOKEN_MESSAGE = "The registration token is not a valid FCM registration token"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue: how FCM says one thing."""

    status: int  # HTTP status
    rpc_status: str  # google.rpc.Code name
    message: str
    error_code: str | None  # FcmError.errorCode; None where the refusal comes from in front of FCM
    reason: str | None = None  # google.rpc.ErrorInfo.reason


# Keyed by the name a script uses; INVALID_TOKEN is INVALID_ARGUMENT about the token, as FCM words it.
CATALOGUE = {
    "INVALID_ARGUMENT": Kind(
        400,
        "INVALID_ARGUMENT",
        "Request contains an invalid argument.",
        "INVALID_ARGUMENT",
    ),
    "INVALID_TOKEN": Kind(400, "INVALID_ARGUMENT", INVALID_TOKEN_MESSAGE, "INVALID_ARGUMENT"),
    "UNREGISTERED": Kind(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED"),
    "SENDER_ID_MISMATCH": Kind(403, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH"),
    "THIRD_PARTY_AUTH_ERROR": Kind(
        401,
        "UNAUTHENTICATED",
        "Auth error from APNS or Web Push Service",
        "THIRD_PARTY_AUTH_ERROR",
    ),
    "UNAUTHENTICATED": Kind(
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token.",
        None,
        "ACCESS_TOKEN_EXPIRED",
    ),
    "PERMISSION_DENIED": Kind(
        403,
        "PERMISSION_DENIED",
        "Permission 'cloudmessaging.messages.create' denied on resource (or it may not exist).",
        None,
        "IAM_PERMISSION_DENIED",
    ),
    "QUOTA_EXCEEDED": Kind(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric.", "QUOTA_EXCEEDED"),
    "INTERNAL": Kind(500, "INTERNAL", "Internal error encountered.", "INTERNAL"),
    "UNAVAILABLE": Kind(503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE"),
}
CODE_FOR_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "UNREGISTERED",
    429: "QUOTA_EXCEEDED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


@dataclass(eq=False)
class Refusal(Exception):
    """FCM's answer to a send it does not accept."""

    code: str  # key of CATALOGUE, or HTTP_<status> for an answer that is not FCM's own
    status: int  # HTTP status
    body: dict[str, Any] = field(default_factory=dict)


def refusal(code: str, *, status: int | None = None) -> Refusal:
    """Return the refusal FCM would give for `code`; `status` overrides the usual HTTP status.

    Raises KeyError for a code that is not in the catalogue.
    """
    kind = CATALOGUE[code]
    http = status or kind.status
    details: list[dict[str, Any]] = []
    if code == "INVALID_ARGUMENT":
        details.append({"@type": BAD_REQUEST})
    if kind.error_code is not None:
        details.append({"@type": FCM_ERROR, "errorCode": kind.error_code})
    if kind.reason is not None:
        details.append({"@type": ERROR_INFO, "reason": kind.reason, "domain": "googleapis.com"})
    return Refusal(code=code, status=http, body=_body(http, kind.message, kind.rpc_status, details))


def bad_request(field_name: str, description: str) -> Refusal:
    """Return the refusal for a message whose shape is wrong, naming the field."""
    violation = {"field": field_name, "description": description}
    details: list[dict[str, Any]] = [
        {"@type": BAD_REQUEST, "fieldViolations": [violation]},
        {"@type": FCM_ERROR, "errorCode": "INVALID_ARGUMENT"},
    ]
    body = _body(400, description, "INVALID_ARGUMENT", details)
    return Refusal(code="INVALID_ARGUMENT", status=400, body=body)


def foreign(status: int) -> Refusal:
    """Return an answer as a proxy in between would give it: a status, and no FCM details."""
    return Refusal(code=f"HTTP_{status}", status=status, body={})


def _body(status: int, message: str, rpc_status: str, details: list[dict[str, Any]]) -> dict[str, Any]:
    error: dict[str, Any] = {"code": status, "message": message, "status": rpc_status}
    if details:
        error["details"] = details
    return {"error": error}
