"""A local FCM: the token and send calls of FCM HTTP v1, a control door for scripts and the wire log, and a page."""

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from .controls import PREFIX, Controls
from .fcm_errors import Refusal, bad_request, refusal
from .fcm_messages import check_message
from .fcm_scripts import ACCEPT, FcmAnswer, parse_fcm_answers
from .http import (
    BodyTooLarge,
    Receive,
    Request,
    Response,
    Scope,
    Send,
    json_response,
    read_request,
)
from .page import page
from .phones import BadScript, Scripts, WireLog
from .service_account import TokenIssuer, TokenRefusal

OAUTH = "oauth"  # the name under which the token endpoint's own answers are scripted


@dataclass(slots=True)
class FcmApp:
    """The ASGI application of one local FCM project."""

    issuer: TokenIssuer
    log: WireLog = field(default_factory=WireLog)
    scripts: Scripts[FcmAnswer] = field(default_factory=lambda: Scripts(ACCEPT))
    token_scripts: Scripts[FcmAnswer] = field(default_factory=lambda: Scripts(ACCEPT))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            request = await read_request(scope, receive)
        except ConnectionError:
            return
        except BodyTooLarge:
            response: Response | None = json_response({"error": {"code": 413}}, status=413)
        else:
            response = await self._answer(request)
        if response is not None:
            await response.send_to(send)

    async def _answer(self, request: Request) -> Response | None:
        """Return the response, or None where the connection was cut instead."""
        path, method = request.path, request.method
        if method == "POST" and path == "/token":
            return await self._token(request)
        if method == "POST" and path == self._send_path():
            return await self._send(request)
        if method == "POST" and path.startswith("/v1/projects/") and path.endswith("/messages:send"):
            return _refused(self._log_refusal(request, refusal("PERMISSION_DENIED")), ACCEPT)
        if path.startswith(PREFIX):
            return self._controls().answer(request)
        if method == "GET" and path == "/":
            language = request.headers.get("accept-language", "")
            return Response(body=page(language).encode(), content_type="text/html; charset=utf-8")
        return json_response(
            {"error": {"code": 404, "message": "Not found", "status": "NOT_FOUND"}},
            status=404,
        )

    def _controls(self) -> Controls[FcmAnswer]:
        return Controls(
            log=self.log,
            scripts=self.scripts,
            parse=parse_fcm_answers,
            apart={OAUTH: self.token_scripts},
            more={
                ("POST", "/_control/oauth"): self._put_oauth,
                ("GET", "/_control/oauth"): lambda _: {"issued": self.issuer.issued},
            },
        )

    def _send_path(self) -> str:
        return f"/v1/projects/{self.issuer.account['project_id']}/messages:send"

    async def _token(self, request: Request) -> Response | None:
        script = self.token_scripts.take(OAUTH)
        if script.drop is not None:
            request.cut()
            return None
        await asyncio.sleep(script.delay_s)
        if script.refusal is not None:
            return json_response(
                {"error": script.refusal.code.lower()},
                status=script.refusal.status,
                headers=_retry_after(script),
            )
        try:
            return json_response(self.issuer.grant(request.form()))
        except TokenRefusal as error:
            body = {"error": error.error, "error_description": error.description}
            return json_response(body, status=error.status)

    async def _send(self, request: Request) -> Response | None:
        try:
            if not self.issuer.accepts(request.headers.get("authorization", "")):
                raise refusal("UNAUTHENTICATED")
            message = check_message(_json(request))
        except Refusal as error:
            return _refused(self._log_refusal(request, error), ACCEPT)
        script = self.scripts.take(message["token"])
        if script.drop is not None:
            self.log.add(
                message=message,
                status=None,
                code="DROPPED",
                delivered=script.drop == "after",
                name=None,
            )
            await asyncio.sleep(script.delay_s)
            request.cut()
            return None
        if script.refusal is not None:
            refused = script.refusal
            self.log.add(
                message=message,
                status=refused.status,
                code=refused.code,
                delivered=False,
                name=None,
            )
            await asyncio.sleep(script.delay_s)
            return _refused(refused, script)
        name = f"projects/{self.issuer.account['project_id']}/messages/0:{secrets.randbelow(10**16)}%{secrets.token_hex(8)}"
        self.log.add(message=message, status=200, code="OK", delivered=True, name=name)
        await asyncio.sleep(script.delay_s)
        return json_response({"name": name})

    def _log_refusal(self, request: Request, refused: Refusal) -> Refusal:
        try:
            body = request.json()
        except ValueError:
            body = None
        message = body.get("message") if isinstance(body, dict) else None
        known = message if isinstance(message, dict) else {}
        self.log.add(
            message=known,
            status=refused.status,
            code=refused.code,
            delivered=False,
            name=None,
        )
        return refused

    def _put_oauth(self, request: Request) -> dict[str, Any]:
        """Script the token endpoint: `answers` for it, `expires_in_s` of new tokens, `expire` those given."""
        raw = request.json()
        if not isinstance(raw, dict):
            raise BadScript("an object is wanted")
        if "answers" in raw:
            self.token_scripts.put(OAUTH, parse_fcm_answers(raw["answers"]))
        if "expires_in_s" in raw:
            self.issuer.expires_in_s = int(raw["expires_in_s"])
        if raw.get("expire"):
            self.issuer.expire_all()
        return {"issued": self.issuer.issued}


def _json(request: Request) -> Any:
    try:
        return request.json()
    except (ValueError, RecursionError) as error:
        raise bad_request("", "Invalid JSON payload received.") from error


def _refused(refused: Refusal, script: FcmAnswer) -> Response:
    if not refused.body:
        return Response(refused.status, b"<html>no</html>", "text/html", _retry_after(script))
    body = json.dumps(refused.body, indent=2).encode()
    return Response(refused.status, body, headers=_retry_after(script))


def _retry_after(script: FcmAnswer) -> dict[str, str]:
    return {} if script.retry_after is None else {"retry-after": script.retry_after}
