"""The error answers of APNs: reasons, statuses, and the JSON they come in.

Source: developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns.
"""

import json
from dataclasses import dataclass

# Reason -> HTTP status.
CATALOGUE = {
    "BadCollapseId": 400,
    "BadDeviceToken": 400,
    "BadExpirationDate": 400,
    "BadMessageId": 400,
    "BadPriority": 400,
    "BadTopic": 400,
    "DeviceTokenNotForTopic": 400,
    "DuplicateHeaders": 400,
    "IdleTimeout": 400,
    "InvalidPushType": 400,
    "MissingDeviceToken": 400,
    "MissingTopic": 400,
    "PayloadEmpty": 400,
    "TopicDisallowed": 400,
    "BadCertificate": 403,
    "BadCertificateEnvironment": 403,
    "BadEnvironmentKeyIdInToken": 403,
    "ExpiredProviderToken": 403,
    "Forbidden": 403,
    "InvalidProviderToken": 403,
    "MissingProviderToken": 403,
    "UnrelatedKeyIdInToken": 403,
    "BadPath": 404,
    "MethodNotAllowed": 405,
    "ExpiredToken": 410,
    "Unregistered": 410,
    "PayloadTooLarge": 413,
    "TooManyProviderTokenUpdates": 429,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
    "Shutdown": 503,
}
REASON_FOR_STATUS = {
    400: "BadDeviceToken",
    403: "InvalidProviderToken",
    404: "BadPath",
    405: "MethodNotAllowed",
    410: "Unregistered",
    413: "PayloadTooLarge",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}


@dataclass(eq=False)
class Refusal(Exception):
    """APNs' answer to a request that it does not accept."""

    reason: str  # key of CATALOGUE, or empty for an answer that is not APNs' own
    status: int  # HTTP status
    timestamp_ms: int | None = None  # with 410: when APNs last knew the token to be valid no more
    why: str = ""  # for the log of the local provider alone: APNs gives no details

    @property
    def code(self) -> str:
        return self.reason or f"HTTP_{self.status}"

    def body(self) -> bytes:
        """Return the answer's body."""
        if not self.reason:
            return b"<html>no</html>"
        answer: dict[str, str | int] = {"reason": self.reason}
        if self.timestamp_ms is not None:
            answer["timestamp"] = self.timestamp_ms
        return json.dumps(answer).encode()


def refusal(reason: str, why: str = "") -> Refusal:
    """Return the refusal with this reason; raises KeyError for one that is not in the catalogue."""
    return Refusal(reason=reason, status=CATALOGUE[reason], why=why)
