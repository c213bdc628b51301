"""A local FCM: the token and send calls of FCM HTTP v1, a control door for scripts and the wire log, and a page."""

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .controls import PREFIX, Controls
from .fcm_errors import Refusal, bad_request, refusal
from .fcm_messages import check_message
from .fcm_scripts import ACCEPT, FcmAnswer, parse_fcm_answers
from .http import Receive, Request, Response, Scope, Send, json_response, respond
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
    _send_path: str = field(init=False)
    _messages: str = field(init=False)  # what their names begin with

    def __post_init__(self) -> None:
        project = f"projects/{self.issuer.account['project_id']}"
        self._send_path, self._messages = f"/v1/{project}/messages:send", f"{project}/messages/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        too_large = json_response({"error": {"code": 413}}, status=413)
        await respond(scope, receive, send, answer=self._over_http1, too_large=too_large)

    async def _over_http1(self, request: Request) -> Response | None:
        """Return the response when it is due, or None where the connection was cut instead."""
        response, script = self.answer(request)
        await asyncio.sleep(script.delay_s)
        if script.breaks is not None:
            request.cut()
            return None
        return response

    def answer(self, request: Request) -> tuple[Response, FcmAnswer]:
        """Return the response to a request, over whatever it came, and the script: when it is due, and if at all."""
        path, method = request.path, request.method
        if method == "POST" and path == self._send_path:
            return self._send(request)
        if method == "POST" and path == "/token":
            return self._token(request)
        if method == "POST" and path.startswith("/v1/projects/") and path.endswith("/messages:send"):
            return _refused(self._log_refusal(request, refusal("PERMISSION_DENIED")), ACCEPT), ACCEPT
        if path.startswith(PREFIX):
            return self._controls().answer(request), ACCEPT
        if method == "GET" and path == "/":
            language = request.headers.get("accept-language", "")
            return Response(body=page(language).encode(), content_type="text/html; charset=utf-8"), ACCEPT
        error = {"code": 404, "message": "Not found", "status": "NOT_FOUND"}
        return json_response({"error": error}, status=404), ACCEPT

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

    def _token(self, request: Request) -> tuple[Response, FcmAnswer]:
        script = self.token_scripts.take(OAUTH)
        if script.breaks is not None:
            return Response(), script
        if script.refusal is not None:
            refused = {"error": script.refusal.code.lower()}
            status = script.refusal.status
            return json_response(refused, status=status, headers=_retry_after(script)), script
        try:
            return json_response(self.issuer.grant(request.form())), script
        except TokenRefusal as error:
            body = {"error": error.error, "error_description": error.description}
            return json_response(body, status=error.status), script

    def _send(self, request: Request) -> tuple[Response, FcmAnswer]:
        try:
            if not self.issuer.accepts(request.headers.get("authorization", "")):
                raise refusal("UNAUTHENTICATED")
            message = check_message(_json(request))
        except Refusal as error:
            return _refused(self._log_refusal(request, error), ACCEPT), ACCEPT
        script = self.scripts.take(message["token"])
        if script.breaks is not None:
            self._log(request, message, status=None, code=script.breaks, delivered=script.is_processed)
            return Response(), script
        if script.refusal is not None:
            self._log(request, message, status=script.refusal.status, code=script.refusal.code)
            return _refused(script.refusal, script), script
        name = f"{self._messages}0:{secrets.randbelow(10**16)}%{secrets.token_hex(8)}"
        self._log(request, message, status=200, code="OK", delivered=True, name=name)
        return json_response({"name": name}), script

    def _log(
        self,
        request: Request,
        message: Mapping[str, Any],
        *,
        status: int | None,
        code: str,
        delivered: bool = False,
        name: str | None = None,
    ) -> None:
        self.log.add(
            message=message,
            status=status,
            code=code,
            delivered=delivered,
            name=name,
            connection=request.connection,
        )

    def _log_refusal(self, request: Request, refused: Refusal) -> Refusal:
        try:
            body = request.json()
        except ValueError:
            body = None
        message = body.get("message") if isinstance(body, dict) else None
        known = message if isinstance(message, dict) else {}
        self._log(request, known, status=refused.status, code=refused.code)
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
