"""The refusals of SMS gateways, each in the words of three dialects: our own, Twilio's and Vonage's.

Sources: twilio.com/docs/api/errors, developer.vonage.com/messaging/sms/guides/troubleshooting-sms.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the catalogue: how the three say one thing."""

    status: int  # HTTP, of rayon and twilio; Vonage says all but an overload of its front in a 200
    rayon: str
    twilio: int
    vonage: str
    message: str


CATALOGUE = {
    "INVALID_NUMBER": Kind(400, "invalid_number", 21211, "3", "Not a number."),
    "NOT_A_MOBILE": Kind(400, "not_a_mobile", 21614, "33", "No number that takes SMS."),
    "OPTED_OUT": Kind(400, "opted_out", 21610, "7", "This number opted out."),
    "BAD_SENDER": Kind(400, "bad_sender", 21606, "15", "Not a sender of this account."),
    "TOO_LONG": Kind(400, "text_too_long", 21617, "12", "Too long a text."),
    "BAD_REQUEST": Kind(400, "bad_request", 21602, "2", "A field is missing or wrong."),
    "BAD_CREDENTIALS": Kind(401, "bad_credentials", 20003, "4", "Authenticate."),
    "SUSPENDED": Kind(403, "account_suspended", 20005, "8", "The account is not active."),
    "THROTTLED": Kind(429, "throttled", 20429, "1", "Too many requests."),
    "INTERNAL": Kind(500, "internal", 20500, "5", "Something broke."),
}


@dataclass(eq=False)
class SmsRefusal(Exception):
    """The gateway's answer to a message that it does not take."""

    code: str  # key of CATALOGUE, or HTTP_<status> as a proxy in between gives it
    status: int  # HTTP status
