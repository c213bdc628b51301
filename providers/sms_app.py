"""A local SMS gateway: three dialects at three paths, a control door for scripts and the wire log."""

import asyncio
import base64
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from .controls import PREFIX, Controls
from .http import BodyTooLarge, Receive, Request, Response, Scope, Send, json_response, read_request
from .phones import Scripts, WireLog
from .sms_errors import CATALOGUE
from .sms_scripts import ACCEPT, SmsAnswer, parse_sms_answers

RAYON_PATH = "/v1/messages"
VONAGE_PATH = "/sms/json"
TWILIO_PATH = re.compile(r"/2010-04-01/Accounts/([^/]+)/Messages\.json")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
MAX_KEYS = 100_000


@dataclass(slots=True)
class SmsApp:
    """The ASGI application of one gateway with one account."""

    user: str
    secret: str = field(repr=False)
    log: WireLog = field(default_factory=WireLog)
    scripts: Scripts[SmsAnswer] = field(default_factory=lambda: Scripts(ACCEPT))
    _taken: OrderedDict[str, str] = field(default_factory=OrderedDict)  # idempotency key: our id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            request = await read_request(scope, receive)
        except ConnectionError:
            return
        except BodyTooLarge:
            response: Response | None = json_response({"code": "bad_request"}, status=413)
        else:
            response = await self._answer(request)
        if response is not None:
            await response.send_to(send)

    async def _answer(self, request: Request) -> Response | None:
        """Return the response, or None where the connection was cut instead."""
        if request.path.startswith(PREFIX):
            return Controls(log=self.log, scripts=self.scripts, parse=parse_sms_answers).answer(request)
        if request.method == "POST":
            if request.path == RAYON_PATH:
                return await self._take(request, "rayon", _rayon_message(request))
            if request.path == VONAGE_PATH:
                return await self._take(request, "vonage", _vonage_message(request))
            if TWILIO_PATH.fullmatch(request.path):
                return await self._take(request, "twilio", _twilio_message(request))
        return json_response({"code": "not_found"}, status=404)

    async def _take(self, request: Request, dialect: str, message: dict[str, Any]) -> Response | None:
        problem = self._problem(request, dialect, message)
        if problem is not None:
            return self._refused(dialect, message, problem)
        script = self.scripts.take(message["token"])
        if script.drop == "before":
            self._note(message, status=None, code="DROPPED", delivered=False)
            await self._cut(request, script)
            return None
        if script.refusal is not None:
            response = self._refused(dialect, message, script.refusal.code, script)
            await asyncio.sleep(script.delay_s)
            return response
        own_id, is_new = self._accept(request.headers.get("idempotency-key", ""))
        code = "OK" if is_new else "REPEATED"
        if script.drop == "after":
            self._note(message, status=None, code="DROPPED", delivered=is_new, name=own_id)
            await self._cut(request, script)
            return None
        self._note(message, status=200, code=code, delivered=is_new, name=own_id)
        await asyncio.sleep(script.delay_s)
        return _accepted(dialect, message, own_id)

    async def _cut(self, request: Request, script: SmsAnswer) -> None:
        await asyncio.sleep(script.delay_s)
        request.cut()

    def _accept(self, key: str) -> tuple[str, bool]:
        """Return our id of a message, and whether it is a new one: the same key is the same message."""
        if key and key in self._taken:
            return self._taken[key], False
        own_id = f"SM{secrets.token_hex(16)}"
        if key:
            self._taken[key] = own_id
            while len(self._taken) > MAX_KEYS:
                self._taken.popitem(last=False)
        return own_id, True

    def _problem(self, request: Request, dialect: str, message: dict[str, Any]) -> str | None:
        """Return the name in CATALOGUE of what a real gateway would refuse at once."""
        if not self._is_ours(request, dialect, message.pop("credentials", None)):
            return "BAD_CREDENTIALS"
        if not all(isinstance(message.get(name), str) and message[name] for name in ("from", "text")):
            return "BAD_REQUEST"
        if dialect == "rayon" and message["encoding"] not in ("gsm7", "ucs2"):
            return "BAD_REQUEST"
        if not isinstance(message["token"], str) or not E164.fullmatch(message["token"]):
            return "INVALID_NUMBER"
        return None

    def _is_ours(self, request: Request, dialect: str, in_body: object) -> bool:
        if dialect == "vonage":
            return in_body == (self.user, self.secret)
        pair = base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return False
        account = TWILIO_PATH.fullmatch(request.path)
        return account is None or account[1] == self.user

    def _refused(
        self, dialect: str, message: dict[str, Any], name: str, script: SmsAnswer | None = None
    ) -> Response:
        status = script.refusal.status if script and script.refusal else CATALOGUE[name].status
        headers = {"retry-after": script.retry_after} if script and script.retry_after is not None else {}
        self._note(message, status=status, code=name, delivered=False)
        if name not in CATALOGUE:
            return Response(status, b"<html>no</html>", "text/html", headers)
        kind = CATALOGUE[name]
        if dialect == "vonage":
            refused = {"to": _bare(message["token"]), "status": kind.vonage, "error-text": kind.message}
            return json_response({"message-count": "1", "messages": [refused]}, headers=headers)
        body: dict[str, Any] = {"code": kind.rayon, "message": kind.message}
        if dialect == "twilio":
            body = {"code": kind.twilio, "message": kind.message, "status": status}
        return json_response(body, status=status, headers=headers)

    def _note(self, message: dict[str, Any], **answer: Any) -> None:
        self.log.add(message=message, **answer)


def _accepted(dialect: str, message: dict[str, Any], own_id: str) -> Response:
    if dialect == "vonage":
        taken = {"to": _bare(message["token"]), "message-id": own_id, "status": "0"}
        return json_response({"message-count": "1", "messages": [taken]})
    if dialect == "twilio":
        body = {"sid": own_id, "status": "queued", "to": message["token"], "error_code": None}
        return json_response(body, status=201)
    return json_response({"id": own_id}, status=202)


def _rayon_message(request: Request) -> dict[str, Any]:
    told = _object(request)
    named = {name: told.get(name) for name in ("id", "from", "text", "encoding")}
    return {"dialect": "rayon", "token": told.get("to"), **named}


def _twilio_message(request: Request) -> dict[str, Any]:
    try:
        form = request.form()
    except ValueError:
        form = {}
    sender = form.get("From") or form.get("MessagingServiceSid")
    return {"dialect": "twilio", "token": form.get("To"), "from": sender, "text": form.get("Body")}


def _vonage_message(request: Request) -> dict[str, Any]:
    told = _object(request)
    number = told.get("to")
    return {
        "dialect": "vonage",
        "token": f"+{number}" if isinstance(number, str) else None,
        "from": told.get("from"),
        "text": told.get("text"),
        "id": told.get("client-ref"),
        "encoding": "ucs2" if told.get("type") == "unicode" else "gsm7",
        "credentials": (told.get("api_key"), told.get("api_secret")),
    }


def _object(request: Request) -> dict[str, Any]:
    try:
        value = request.json()
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _bare(number: object) -> str:
    return str(number or "").removeprefix("+")
