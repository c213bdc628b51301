"""What a script may ask of the local FCM for a device's next sends, and for the next access tokens."""

from collections.abc import Mapping
from typing import Any

from .fcm_errors import CATALOGUE, CODE_FOR_STATUS, Refusal, foreign, refusal
from .http2 import StreamAnswer
from .phones import SHARED_KEYS, BadScript, listed_answers, scripted_end, shared_fields

_KEYS = SHARED_KEYS | {"error_code", "reset", "goaway"}

FcmAnswer = StreamAnswer[Refusal]  # over HTTP/1.1, which has no streams, reset and goaway cut the connection
ACCEPT: FcmAnswer = StreamAnswer()


def parse_fcm_answers(raw: object) -> list[FcmAnswer]:
    """Return the answers a script asks for, in order; raises BadScript with what is wrong."""
    return listed_answers(raw, keys=_KEYS, parse=_answer)


def _answer(item: Mapping[str, Any]) -> FcmAnswer:
    goaway = item.get("goaway")
    if goaway is not None and not isinstance(goaway, str):
        raise BadScript("goaway must be a text")
    return StreamAnswer(
        refusal=_refusal(item.get("status"), item.get("error_code")),
        reset=scripted_end("reset", item),
        goaway=goaway,
        **shared_fields(item),
    )


def _refusal(status: int | None, code: str | None) -> Refusal | None:
    if code is None:
        if status is None or status == 200:
            return None
        if status not in CODE_FOR_STATUS:
            return foreign(status)
        code = CODE_FOR_STATUS[status]
    if code not in CATALOGUE:
        raise BadScript(f"error_code must be one of {sorted(CATALOGUE)}")
    return refusal(code, status=status)
